// The two searches in one call each, on a fresh machine.

import Gracewalk

/// Every interleaving, one by one, without reduction or merging.
public func interleavings(
  of scenario: Scenario, limits: Limits = Limits(), collectingFinalStates: Bool = false
) -> SearchResult {
  var options = SearchOptions(limits: limits)
  options.collectsFinalStates = collectingFinalStates
  return ExhaustiveSearch(Machine(scenario), options, mergesStates: false).run()
}

/// Every interleaving, continuing only once from equal states.
public func states(of scenario: Scenario, limits: Limits = Limits()) -> SearchResult {
  var options = SearchOptions(limits: limits)
  options.collectsFinalStates = true
  return ExhaustiveSearch(Machine(scenario), options).run()
}

/// About one execution per class of equivalent interleavings.
public func classes(of scenario: Scenario, limits: Limits = Limits()) -> SearchResult {
  var options = SearchOptions(limits: limits)
  options.collectsFinalStates = true
  return SourceSearch(Machine(scenario), options).run()
}

// Which search fits what is asked, and why.

import Exploration
import Machine

/// The search that will run.
///
/// What an invariant looks at decides which reductions are sound (see `InvariantKind`), and a
/// bound on preemptions cuts executions that a reduction relies on; in both cases the plan turns
/// the reduction off and says so.
public struct SearchPlan: Sendable {
  public let strategy: Strategy
  /// Why the strategy is not the one asked for; nil if it is.
  public let note: String?
  public let limits: Limits
  private let watch: Watch?

  private struct Watch: @unchecked Sendable {
    // Called by the search, on the thread that runs it.
    var body: (SearchProgress) -> Bool
  }

  init(_ options: CheckOptions, _ scenario: Scenario) {
    limits = options.limits
    watch = options.watch.map { Watch(body: $0) }
    let states = scenario.invariants.filter { $0.kind == .state }.map(\.id)
    if options.strategy == .source, let first = states.first {
      strategy = .exhaustive
      note = "reduction switched off: \(first) is about every state, not only about what happens"
    } else if options.strategy == .source, options.limits.preemptions != nil {
      strategy = .exhaustive
      note = "reduction switched off: it is not complete under a bound on preemptions"
    } else if options.strategy == .source, options.limits.states != nil {
      strategy = .exhaustive
      note = "reduction switched off: only the exhaustive search counts states"
    } else {
      strategy = options.strategy
      note = nil
    }
  }

  /// The search in words.
  public var text: String {
    switch strategy {
    case .source: "source-DPOR with sleep sets"
    case .exhaustive: "exhaustive search, equal states merged"
    }
  }

  func run(on machine: Machine) -> SearchResult {
    var options = SearchOptions(limits: limits)
    options.watch = watch?.body
    switch strategy {
    case .source: return SourceSearch(machine, options).run()
    case .exhaustive: return ExhaustiveSearch(machine, options).run()
    }
  }
}

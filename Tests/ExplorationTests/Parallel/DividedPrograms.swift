// Programs whose searches are divided, and options for them.

import GracewalkExploration
import GracewalkMachine
import GracewalkModels

extension SearchOptions {
  static var collecting: SearchOptions {
    var options = SearchOptions()
    options.collectsFinalStates = true
    return options
  }
}

extension ParallelSearch.Division {
  /// Divided after 1,000 transitions.
  static var coarse: ParallelSearch.Division {
    var division = ParallelSearch.Division()
    (division.start, division.turns, division.pieceTurns) = (1_000, 200, 200)
    return division
  }
}

func mappers(_ count: Int) -> () -> TransitionSystem {
  { Machine(PageTableBenchmark.scenario(mappers: count)) }
}

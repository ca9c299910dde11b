// Comparing the results of searches that must be the same.

import GracewalkExploration
import Testing

func expectEqual(_ result: SearchResult, _ expected: SearchResult, _ what: String = "") {
  #expect(result.ending == expected.ending, "\(what)")
  #expect(result.statistics == expected.statistics, "\(what)")
  #expect(result.schedule == expected.schedule, "\(what)")
  #expect(result.finalStates == expected.finalStates, "\(what)")
}

/// Also for how far an interrupted search has come.
func expectAllEqual(_ result: SearchResult, _ expected: SearchResult, _ what: String) {
  expectEqual(result, expected, what)
  #expect(result.explored == expected.explored, "\(what)")
}

// How far off the progress is that checks of the catalogue report on their way.

import GracewalkChecking
import GracewalkModels
import TestExpectations
import Testing

@Suite struct EstimatedRunTests {
  private func run(_ name: String, _ number: Int = 0) throws -> EstimatedRun? {
    let model = try #require(Catalogue.model(named: name))
    return try EstimatedRun(model, model.declaredChecks[number])
  }

  /// The errors at each tenth, in points: always saying 50 % would be off by 22 on average.
  @Test(arguments: ["host-reclaim", "unmap-memslot", "host-coalesce-write-locked"])
  func errorsOfCatalogue(name: String) throws {
    let run = try #require(try run(name))
    #expect(run.errors.count == 9)
    #expect(run.errors.allSatisfy { $0 != nil })
    #expect(run.mean < 22)
    try Counts("Estimates").expect(
      ["transitions": run.transitions, "mean": Int((run.mean * 10).rounded())], for: name)
  }

  /// What ends with a violation, or is searched in another way, has no errors.
  @Test func onlyCompleteStatefulSearchesCount() throws {
    #expect(try run("unmap-under-read-lock") == nil)
    #expect(try run("fault-until-mapped") == nil)
  }
}

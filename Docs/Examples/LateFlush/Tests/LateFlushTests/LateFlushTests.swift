// Each model has its verdict, with one thread and with two.

import Gracewalk
import LateFlush
import Testing

@Test(arguments: models.map(\.name)) func verdict(_ name: String) throws {
  let model = try #require(models.model(named: name))
  try model.verify()
  var options = CheckOptions()
  options.scenario.parameters = ["threads": 2]
  #expect((try model.check(options).verdict == .holds) == (model.expectation == .holds))
}

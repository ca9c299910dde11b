// What a model's check costs under each memory model.

import GracewalkExploration
import GracewalkMachine

/// The states and the time of a model's check under each memory model, for models that hold.
package struct MemoryModelCost: Equatable, Codable, Sendable {
  /// The check under one memory model.
  package struct Cost: Equatable, Codable, Sendable {
    package var memory: String
    /// `holds`, `violated` or `incomplete`.
    package var verdict: String
    package var states: Int
    package var transitions: Int
    package var seconds: Double

    fileprivate init(_ report: CheckReport, _ memoryModel: MemoryModel, seconds: Double) {
      memory = memoryModel.rawValue
      verdict =
        switch report.verdict {
        case .holds: "holds"
        case .violated: "violated"
        case .incomplete: "incomplete"
        }
      states = report.statistics.states
      transitions = report.statistics.transitions
      self.seconds = seconds
    }
  }

  package var model: String
  /// In the order of `MemoryModel.allCases`.
  package var costs: [Cost]

  /// The states under a memory model divided by those under sequential consistency; nil unless both
  /// checks explored everything.
  package func ratio(under memoryModel: MemoryModel) -> Double? {
    func states(_ memoryModel: MemoryModel) -> Int? {
      costs.first { $0.memory == memoryModel.rawValue && $0.verdict == "holds" }?.states
    }
    guard let base = states(.sequentialConsistency), let other = states(memoryModel), base > 0
    else { return nil }
    return Double(other) / Double(base)
  }

  /// Checks the model at its standard size; nil for a model that is declared to be broken, whose
  /// search ends at a violation.
  ///
  /// - Parameter secondsMax: the time for each check.
  package init?(_ model: Model, secondsMax: Double) throws(CheckError) {
    guard case .holds = model.expectation else { return nil }
    self.model = model.name
    costs = []
    let clock = ContinuousClock()
    for memoryModel in MemoryModel.allCases {
      var options = CheckOptions()
      options.memoryModel = memoryModel
      options.limits.seconds = secondsMax
      options.minimises = false
      let start = clock.now
      let report = try model.check(options)
      costs.append(Cost(report, memoryModel, seconds: (clock.now - start).inSeconds))
    }
  }

  /// The median of the ratios that are known; nil if there are none.
  package static func median(of costs: [MemoryModelCost], under memoryModel: MemoryModel) -> Double?
  {
    let ratios = costs.compactMap { $0.ratio(under: memoryModel) }.sorted()
    guard !ratios.isEmpty else { return nil }
    let middle = ratios.count / 2
    return ratios.count % 2 == 1 ? ratios[middle] : (ratios[middle - 1] + ratios[middle]) / 2
  }
}

// gracewalk bench --memory-models: what each memory model costs, on the models that hold.

import Foundation
import Gracewalk
import GracewalkChecking
import GracewalkCommands
import GracewalkReporting

enum MemoryModelBench {
  /// The time for each check, in seconds.
  private static let secondsMax = 60.0

  static func run(_ arguments: Arguments, isJSON: Bool) throws -> Int32 {
    if let operand = arguments.operands.first {
      throw UsageError("--memory-models measures the whole catalogue; leave out '\(operand)'")
    }
    if !isJSON { print(heading) }
    var costs: [MemoryModelCost] = []
    for model in arguments.models {
      guard let cost = try MemoryModelCost(model, secondsMax: secondsMax) else { continue }
      costs.append(cost)
      if !isJSON {
        print(line(cost))
        fflush(nil)
      }
    }
    if isJSON {
      print(try json(costs))
    } else {
      summary(costs).forEach { print($0) }
    }
    return ExitStatus.holds
  }

  private static let nameWidth = 44

  private static var heading: String {
    "model".padded(to: nameWidth)
      + MemoryModel.allCases.map { memoryModel in
        "states".leftPadded(to: 12) + memoryModel.rawValue.leftPadded(to: 5)
          + "seconds"
          .leftPadded(to: 9)
      }.joined()
  }

  /// A model's states under each memory model, how many times those under the first, and seconds.
  private static func line(_ cost: MemoryModelCost) -> String {
    cost.model.padded(to: nameWidth)
      + zip(cost.costs, MemoryModel.allCases).map { one, memoryModel in
        let ratio = cost.ratio(under: memoryModel).map { String(format: "%.1f", $0) }
        return (grouped(one.states)).leftPadded(to: 12)
          + (ratio ?? (one.verdict == "violated" ? "✗" : "?")).leftPadded(to: 5)
          + String(format: "%.2f", one.seconds).leftPadded(to: 9)
      }.joined()
  }

  private static func summary(_ costs: [MemoryModelCost]) -> [String] {
    let seconds = MemoryModel.allCases.map { memoryModel in
      costs.flatMap(\.costs).filter { $0.memory == memoryModel.rawValue }
        .reduce(0) { $0 + $1.seconds }
    }
    let medians = MemoryModel.allCases.map { MemoryModelCost.median(of: costs, under: $0) }
    return [
      "median, and all seconds".padded(to: nameWidth)
        + zip(medians, seconds).map { median, seconds in
          "".leftPadded(to: 12)
            + (median.map { String(format: "%.1f", $0) } ?? "–").leftPadded(to: 5)
            + String(format: "%.2f", seconds).leftPadded(to: 9)
        }.joined(),
      "✗ violated  ? incomplete after \(Int(secondsMax)) seconds",
    ]
  }
}

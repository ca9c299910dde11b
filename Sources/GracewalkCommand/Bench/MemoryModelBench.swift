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
    row("model", MemoryModel.allCases.map { ("states", $0.rawValue, "seconds") })
  }

  /// A model's states under each memory model, how many times those under the first, and seconds.
  private static func line(_ cost: MemoryModelCost) -> String {
    row(
      cost.model,
      zip(cost.costs, MemoryModel.allCases).map { one, memoryModel in
        let unknown = one.verdict == "violated" ? "✗" : "?"
        return (
          grouped(one.states), cost.ratio(under: memoryModel).map(text(ofRatio:)) ?? unknown,
          text(ofSeconds: one.seconds)
        )
      })
  }

  /// A name with a cell for each memory model: states, ratio and seconds.
  private static func row(_ name: String, _ cells: [(String, String, String)]) -> String {
    name.padded(to: nameWidth)
      + cells.map { $0.leftPadded(to: 12) + $1.leftPadded(to: 5) + $2.leftPadded(to: 9) }.joined()
  }

  private static func text(ofRatio ratio: Double) -> String { String(format: "%.1f", ratio) }

  private static func text(ofSeconds seconds: Double) -> String {
    String(format: "%.2f", seconds)
  }

  private static func summary(_ costs: [MemoryModelCost]) -> [String] {
    let seconds = MemoryModel.allCases.map { memoryModel in
      costs.flatMap(\.costs).filter { $0.memory == memoryModel.rawValue }
        .reduce(0) { $0 + $1.seconds }
    }
    let medians = MemoryModel.allCases.map { MemoryModelCost.median(of: costs, under: $0) }
    return [
      row(
        "median, and all seconds",
        zip(medians, seconds).map {
          ("", $0.map(text(ofRatio:)) ?? "–", text(ofSeconds: $1))
        }),
      "✗ violated  ? incomplete after \(Int(secondsMax)) seconds",
    ]
  }
}

// Model code that traps is reported before the process dies; code without actions is reported.

import Foundation
import Gracewalk
import TestExpectations
import Testing

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// A model in which `b` reads 1 and then misbehaves.
private func model(_ fall: @escaping @Sendable (UInt64) -> Void) -> Model {
  Model(
    name: "falls", summary: "", scenario: "",
    parameters: [Parameter("most", "", 1...9, standard: 3)], expectation: .holds
  ) { _ in
    let scenario = Scenario()
    let x = scenario.word("x")
    scenario.cpu(
      "a",
      CPUOperation("set") { cpu in
        if try cpu.choose(2) == 1 { try cpu.store(x, 1, .relaxed) }
      })
    scenario.cpu(
      "b", CPUOperation("look") { cpu in _ = try cpu.load(x, .relaxed) },
      CPUOperation("fall") { cpu in
        let value = try cpu.load(x, .relaxed)
        if value == 1 { fall(value) }
      })
    return scenario
  }
}

private func descend(_ depth: UInt64) -> UInt64 {
  withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 64) { words in
    words.initialize(repeating: depth)
    return depth == 0 ? 0 : descend(depth + 1) &+ words[Int(depth % 64)]
  }
}

private struct Falls: StateInvariant {
  let x: Location
  let id = "falls", statement = "", rationale = "", source = ""
  let applicability = Applicability.chosen("")
  func judgeState(of machine: Machine) -> Violation? {
    if machine.value(of: x) == 1 { fatalError("on purpose") }
    return nil
  }
}

@Suite(.tags(.process), .unlessQuick) struct TrapTests {
  @discardableResult
  private static func expectReport(_ bytes: [UInt8]?, _ cause: String) -> String {
    let text = String(decoding: bytes ?? [], as: UTF8.self)
    #expect(text.contains("gracewalk: model code trapped (\(cause)"), "\(text)")
    for line in [
      "  model:     falls\n", "  CPU:       b\n", "  operation: fall, after its action at ",
      "TrapTests.swift:",
      "  replay:    gracewalk replay falls --set most=3 --schedule '",
      "  in a test: try model.replay(\"",
    ] { #expect(text.contains(line), "\(text)") }
    // The printed schedule leads there: it has the choice to write 1, and b's second step is last.
    #expect(text.contains("0:1"), "\(text)")
    return text
  }

  @Test func fatalErrors() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = try model { _ in fatalError("on purpose") }.check()
    }
    let text = Self.expectReport(result?.standardErrorContent, "SIG")
    #expect(text.contains("on purpose"))
  }

  @Test func indicesOutOfRange() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let array = [UInt64](repeating: 0, count: CommandLine.arguments.isEmpty ? 2 : 1)
      _ = try model { value in _ = array[Int(value)].description }.check()
    }
    Self.expectReport(result?.standardErrorContent, "SIG")
  }

  @Test func overflowsAndMissingValues() async {
    let overflow = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      _ = try model { value in print(UInt64.max - 1 + value + value) }.check()
    }
    Self.expectReport(overflow?.standardErrorContent, "SIG")
    let missing = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      _ = try model { value in print(Int(value == 1 ? "no number" : "1")!) }.check()
    }
    Self.expectReport(missing?.standardErrorContent, "SIG")
  }

  @Test func stackOverflows() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = try model { value in print(descend(value)) }.check()
    }
    Self.expectReport(result?.standardErrorContent, "its stack overflowed")
  }

  @Test func invariantsThatTrap() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let model = Model(name: "judged", summary: "", scenario: "", expectation: .holds) { _ in
        let scenario = Scenario()
        let x = scenario.word("x")
        scenario.cpu("a", CPUOperation("set") { cpu in try cpu.store(x, 1, .relaxed) })
        scenario.require(Falls(x: x))
        return scenario
      }
      _ = try model.check()
    }
    let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(text.contains("  model:     judged\n  invariant: falls\n"), "\(text)")
    #expect(text.contains("replay judged --schedule '0'"), "\(text)")
  }

  /// Threads of a team have their own stacks and handlers; a replay reports the same as a check.
  @Test func onEveryWay() async {
    let team = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var options = CheckOptions()
      options.jobs = 3
      _ = try model { value in print(descend(value)) }.check(options)
    }
    Self.expectReport(team?.standardErrorContent, "its stack overflowed")
    let replay = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = try model { _ in fatalError("on purpose") }.replay("0:1,0,1*2")
    }
    let text = Self.expectReport(replay?.standardErrorContent, "SIG")
    #expect(text.contains("--schedule '0:1,0,1*2'"))
  }

  /// The process dies of the original signal, and a previous handler is called.
  @Test func handlersAreLeftAsTheyWere() async {
    let result = await #expect(processExitsWith: .exitCode(7), observing: [\.standardErrorContent])
    {
      signal(SIGABRT) { _ in _exit(7) }
      _ = try model { _ in }.check()
      _ = try model { _ in abort() }.check()
    }
    Self.expectReport(result?.standardErrorContent, "SIGABRT")
    await #expect(processExitsWith: .signal(SIGABRT)) {
      _ = try model { _ in abort() }.check()
    }
    // Outside checks no handler is installed, and outside model code nothing is reported.
    let silent = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var before = sigaction()
      var after = sigaction()
      sigaction(SIGILL, nil, &before)
      _ = try model { _ in }.check()
      sigaction(SIGILL, nil, &after)
      let isSame = withUnsafeBytes(of: &before) { first in
        withUnsafeBytes(of: &after) { first.prefix(8).elementsEqual($0.prefix(8)) }
      }
      if isSame { fatalError("as before") }
    }
    let text = String(decoding: silent?.standardErrorContent ?? [], as: UTF8.self)
    #expect(text.contains("as before") && !text.contains("gracewalk:"))
  }
}

@Suite(.tags(.process), .unlessQuick) struct WatchTests {
  /// Ctrl-C and SIGTERM end a search between two steps; they also end code that never gets there.
  @Test func signalsEndCodeWithoutActions() async {
    let result = await #expect(
      processExitsWith: .signal(SIGTERM), observing: [\.standardErrorContent]
    ) {
      Machine.setPatience(milliseconds: 200)
      Machine.endWhereStuck(by: SIGTERM)
      _ = try model { _ in while true { usleep(1_000) } }.check()
    }
    let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(text.contains("s without an action; if it is in a loop"), "\(text)")
    #expect(text.contains("gracewalk: ended in the middle of it"), "\(text)")
  }

  /// Code that takes no action for a long time is reported once, and the check continues.
  @Test func codeWithoutActionsIsNoticed() async {
    let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
      Machine.setPatience(milliseconds: 200)
      let slow = model { _ in
        let end = ContinuousClock.now + .milliseconds(900)
        while ContinuousClock.now < end {}
      }
      let report = try slow.replay("0:1,0,1*2")
      if report.recording.end != .complete { exit(1) }
    }
    let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(text.split(separator: "gracewalk: model code has run for 0.2 s").count == 2, "\(text)")
    #expect(text.contains("  CPU:       b\n  operation: fall, after its action at "))
    #expect(text.contains("gracewalk replay falls --set most=3 --schedule '0:1,0,1*2'"))
    #expect(text.contains("use wait(until:)"))
  }
}

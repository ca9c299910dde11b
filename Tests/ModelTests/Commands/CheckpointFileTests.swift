// Saved checks as files: resumed if they fit, otherwise refused and left unchanged.

import Foundation
import GracewalkChecking
import GracewalkExploration
import GracewalkInvariants
import GracewalkMachine
import GracewalkModels
import GracewalkTraces
import TestExpectations
import Testing

/// A folder of its own for a test, removed with the object.
private final class Folder {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)

  init() throws {
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func path(_ name: String) -> String { url.appendingPathComponent(name).path }

  func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: url.path).sorted()
  }
}

@Suite(.tags(.long), .unlessQuick) struct CheckpointFileTests {
  private func model(_ name: String) throws -> Model {
    try #require(Catalogue.model(named: name))
  }

  /// Checks a model up to a number of executions, saving in the file.
  private func save(_ model: Model, at path: String, _ given: CheckOptions = .init()) throws {
    var options = given
    options.limits.executions = 3
    let file = CheckpointFile(path: path)
    options.checkpoints = file
    #expect(try model.check(options).verdict == .incomplete(.bound(.executions)))
    #expect(file.saves == 1)
  }

  /// The error with which resuming a check is refused; nil if it is resumed.
  private func refusal(
    of path: String, _ model: Model, _ given: CheckOptions = .init()
  ) throws -> String? {
    var options = given
    do throws(CheckError) {
      options.resume = try Checkpoint(path: path)
      options.checkpoints = CheckpointFile(path: path)
      options.limits.executions = 3
      _ = try model.check(options)
      return nil
    } catch {
      guard case .badCheckpoint(let text) = error else { throw error }
      return text
    }
  }

  @Test(arguments: Strategy.allCases, [false, true])
  func checksResume(strategy: Strategy, isExact: Bool) throws {
    let folder = try Folder()
    let path = folder.path("check")
    let model = try model("collapse-unlocked-descendants")
    var options = CheckOptions()
    options.strategy = strategy
    options.isExact = isExact
    options.invariants = ["no-use-after-free"]
    if !strategy.isComplete { options.limits.executions = 50 }
    let expected = try model.check(options)
    try save(model, at: path, options)
    #expect(try folder.names() == ["check"])

    options.resume = try Checkpoint(path: path)
    options.checkpoints = CheckpointFile(path: path)
    options.checkpointInterval = 0
    let report = try model.check(options)
    #expect(report.verdict == expected.verdict)
    #expect(report.statistics == expected.statistics)
    #expect(report.statistics.executions > 2)
    #expect(try folder.names() == ["check"])
  }

  /// Under Armv8 a check forgets what its code will not need, whether it is saved or not.
  @Test(arguments: [Strategy.stateful, .exhaustive])
  func savedChecksForgetTheSame(strategy: Strategy) throws {
    let folder = try Folder()
    let path = folder.path("check")
    let model = try model("collapse-in-rcu-callback")
    var options = CheckOptions()
    options.strategy = strategy
    options.memoryModel = .armv8
    options.minimises = false
    let expected = try model.check(options)
    try save(model, at: path, options)
    options.resume = try Checkpoint(path: path)
    options.checkpoints = CheckpointFile(path: path)
    let report = try model.check(options)
    #expect(report.verdict == .violated)
    #expect(report.statistics == expected.statistics)
    #expect(
      report.counterexample?.recording.schedule == expected.counterexample?.recording.schedule)
  }

  /// A search without states is divided by then, and goes on with another number of threads.
  @Test func dividedChecksResume() throws {
    let folder = try Folder()
    let path = folder.path("check")
    let model = try model("unmap-memslot")
    var options = CheckOptions()
    options.strategy = .source
    options.limits.executions = 60_000
    let expected = try model.check(options)
    #expect(expected.statistics.executionsBegun == 60_000)
    #expect(expected.statistics.transitions > 2 * ParallelSearch.Division().start)

    options.limits.executions = 45_001
    options.jobs = 2
    options.checkpoints = CheckpointFile(path: path)
    #expect(try model.check(options).statistics.executionsBegun == 45_001)
    options.limits.executions = 60_000
    options.jobs = 1
    options.resume = try Checkpoint(path: path)
    let report = try model.check(options)
    #expect(report.statistics == expected.statistics)
    #expect(report.explored == expected.explored)
  }

  @Test func counterexamplesAreTheSame() throws {
    let folder = try Folder()
    let model = try model("collapse-unlocked-descendants")
    let expected = try model.check()
    try save(model, at: folder.path("check"))
    var options = CheckOptions()
    options.resume = try Checkpoint(path: folder.path("check"))
    let report = try model.check(options)
    #expect(report.verdict == .violated)
    #expect(report.statistics == expected.statistics)
    #expect(
      report.counterexample?.recording.schedule == expected.counterexample?.recording.schedule)
  }

  @Test func otherChecksAreRefused() throws {
    let folder = try Folder()
    let path = folder.path("check")
    let name = "collapse-locked-descendants"
    let model = try model(name)
    try save(model, at: path)
    let bytes = FileManager.default.contents(atPath: path)
    var others: [(CheckOptions, String)] = []
    func add(_ text: String, _ change: (inout CheckOptions) -> Void) {
      var options = CheckOptions()
      change(&options)
      others.append((options, text))
    }
    add("expected parameters 'levels=2', found 'levels=3'; ask for") {
      $0.parameters = ["levels": 2]
    }
    add("expected invariants 'no-double-free operations-do-not-throw'") {
      $0.invariants = ["no-double-free"]
    }
    add("expected search 'source-DPOR with sleep sets'") { $0.strategy = .source }
    add("expected search 'sleep sets'") { $0.strategy = .sleep }
    add("expected search 'exhaustive search") { $0.strategy = .exhaustive }
    add("expected search 'random executions, seed 0'") { $0.strategy = .random }
    add("expected states 'compared in full', found 'compared by hash'") { $0.isExact = true }
    add("expected depth '500', found '10000'") { $0.limits.depth = 500 }
    for (options, text) in others {
      let refusal = try refusal(of: path, model, options)
      #expect(refusal?.contains(text) == true, "\(refusal ?? "went on")")
    }
    let other = try refusal(of: path, try self.model("collapse-in-rcu-callback"))
    #expect(other?.contains("expected model 'collapse-in-rcu-callback', found '\(name)'") == true)
    #expect(FileManager.default.contents(atPath: path) == bytes)
    #expect(try refusal(of: path, model) == nil)
  }

  /// How a search is divided decides what it counts.
  @Test func otherUnitsAreRefused() throws {
    let folder = try Folder()
    let path = folder.path("check")
    let model = try model("unmap-memslot")
    func units(_ count: Int, length: Int? = nil) -> CheckOptions {
      var options = CheckOptions()
      options.units = count
      options.search.unitLength = length
      return options
    }
    for (saved, other, text) in [
      (units(1), units(4), "expected units '4', found '1'"),
      (units(4), units(1), "expected units '1', found '4'"),
      (units(4), units(8), "expected units '8', found '4'"),
      (units(4), units(4, length: 500), "expected unit-length '500', found 'growing'"),
      (units(4, length: 900), units(4), "expected unit-length 'growing', found '900'"),
      (units(4, length: 900), units(4, length: 500), "expected unit-length '500', found '900'"),
    ] {
      try save(model, at: path, saved)
      let refusal = try refusal(of: path, model, other)
      #expect(refusal?.contains(text) == true, "\(refusal ?? "went on")")
      #expect(try self.refusal(of: path, model, saved) == nil)
    }
    // What is not divided has no units.
    var exhaustive = CheckOptions()
    exhaustive.strategy = .exhaustive
    try save(model, at: path, exhaustive)
    exhaustive.units = 4
    #expect(try refusal(of: path, model, exhaustive) == nil)
  }

  /// The same name and parameters, but one more access that few executions reach.
  @Test func changedCodeIsRefused() throws {
    func model(_ value: UInt64) -> Model {
      Model(name: "changing", summary: "", scenario: "", expectation: .holds) { _ in
        let scenario = Scenario()
        let word = scenario.word("word")
        for cpu in 0..<3 {
          scenario.cpu(
            "cpu \(cpu)",
            CPUOperation("add") { cpu in
              for _ in 0..<3 { _ = try cpu.fetchAdd(word, 1, .relaxed) }
              if try cpu.load(word, .relaxed) == 7 { try cpu.store(word, value, .relaxed) }
            })
        }
        return scenario
      }
    }
    let folder = try Folder()
    let path = folder.path("check")
    try save(model(20), at: path)
    #expect(try refusal(of: path, model(20)) == nil)
    #expect(
      try refusal(of: path, model(21))
        == "'\(path)' is out of date: the model's code has changed since; begin again without "
        + "--resume")
  }

  @Test func damageIsRefused() throws {
    let folder = try Folder()
    let path = folder.path("check")
    let model = try model("drop-last-reference-tested-later")
    var options = CheckOptions()
    options.invariants = ["no-leaked-table-page"]
    options.strategy = .source
    try save(model, at: path, options)
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    #expect(bytes.count > 500)
    func refusal(of bytes: [UInt8]) throws -> String {
      try Data(bytes).write(to: URL(fileURLWithPath: path))
      defer { #expect(FileManager.default.contents(atPath: path) == Data(bytes)) }
      return try #require(try self.refusal(of: path, model, options))
    }
    for index in bytes.indices {
      var changed = bytes
      changed[index] ^= 1 << UInt8(index % 7)
      let isMagic = index < "gracewalk checkpoint ".utf8.count
      let text = try refusal(of: changed)
      #expect(
        text.contains(isMagic ? "is not a checkpoint; name" : "is damaged or was cut short; begin")
          || text.contains("has format"), "\(index): \(text)")
      let cut = try refusal(of: Array(bytes[..<index]))
      #expect(cut.contains("is not a checkpoint;") || cut.contains("is damaged or was cut short;"))
    }
    #expect(try refusal(of: bytes + bytes).contains("is damaged or was cut short;"))
    let next = Checkpoint.version + 1
    let refused = try refusal(of: Array("gracewalk checkpoint \(next)\n".utf8))
    #expect(refused.contains("has format \(next), and this version reads format"))
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    #expect(try self.refusal(of: path, model, options) == nil)
  }

  @Test func unreadableFilesAreRefused() throws {
    let folder = try Folder()
    let model = try model("drop-last-reference")
    #expect(try refusal(of: folder.path("none"), model)?.hasPrefix("cannot read") == true)
    #expect(
      try refusal(of: folder.url.path, model)?.hasSuffix(
        "it is not a regular file; name a file that --checkpoint has written") == true)
  }

  /// If a check cannot be saved, it continues, and the previous file stays.
  @Test func failingToSaveIsSaid() throws {
    let folder = try Folder()
    var complaints: [String] = []
    var options = CheckOptions()
    options.checkpointInterval = 0
    let file = CheckpointFile(path: folder.path("no/folder")) { complaints.append($0) }
    options.checkpoints = file
    #expect(try model("drop-last-reference").check(options).verdict == .holds)
    #expect(file.saves == 0)
    #expect(!complaints.isEmpty)
    #expect(complaints.allSatisfy { $0.contains("cannot write '\(folder.path("no/folder"))") })
  }
}

// Pictures of the machine: one for each moment, with correct reachability and waits.

import GracewalkChecking
import GracewalkExploration
import GracewalkMachine
import GracewalkModels
import GracewalkTraces
import Testing

@Suite struct PictureTests {
  /// The counterexample of a model, with its pictures.
  static func trace(_ name: String, _ invariants: [String]? = nil) throws -> Trace {
    var options = CheckOptions()
    options.recordsPictures = true
    options.invariants = invariants
    let model = try #require(Catalogue.model(named: name))
    return try #require(try model.check(options).counterexample)
  }

  /// The picture after the step with a number from the trace.
  static func picture(after number: Int, _ trace: Trace) throws -> MachinePicture {
    let steps = trace.recording.steps
    let shown = steps.indices.filter { !steps[$0].isLocal && !steps[$0].isBoundary }
    return trace.recording.pictures[try #require(number == 0 ? -1 : shown[number - 1]) + 1]
  }

  static func page(_ name: String, _ picture: MachinePicture) throws -> MachinePicture.Page {
    try #require(picture.pages.first { $0.name == name })
  }

  @Test func thereAreNoneUnlessAskedFor() throws {
    let model = try #require(Catalogue.model(named: "collapse-unlocked-descendants"))
    let trace = try #require(try model.check().counterexample)
    #expect(trace.recording.pictures.isEmpty)
    let recording = try Recording(
      trace.recording.schedule, of: try model.scenario(), recordsPictures: true)
    #expect(recording.steps == trace.recording.steps)
    #expect(recording.pictures.count == recording.steps.count + 1)
  }

  @Test func theLeakIsDetachedStepByStep() throws {
    let trace = try Self.trace("collapse-unlocked-descendants")
    let start = try Self.picture(after: 0, trace)
    #expect(start.pages.map(\.name) == ["root", "boot.1", "boot.2"])
    #expect(start.pages.map(\.level) == [0, 1, 2])
    #expect(start.pages.allSatisfy { $0.isReachable && $0.isPublished && $0.lifetime == .inUse })
    #expect(start.pages[0].entries[0].target == 1)
    #expect(start.pages[1].entries.map(\.kind) == [.invalid, .table])

    let allocated = try Self.page("mapper.0", try Self.picture(after: 4, trace))
    #expect(!allocated.isReachable && !allocated.isPublished && allocated.level == nil)
    #expect(allocated.origin == "allocated by mapper in map 0x0")

    let unlinked = try Self.page("boot.1", try Self.picture(after: 8, trace))
    #expect(!unlinked.isReachable && unlinked.isPublished && unlinked.level == 1)
    #expect(unlinked.entries.map(\.kind) == [.locked, .table])

    let end = try #require(trace.recording.pictures.last)
    #expect(try Self.page("boot.2", end).lifetime == .freed)
    let leaked = try Self.page("mapper.0", end)
    #expect(!leaked.isReachable && leaked.isPublished && leaked.lifetime == .inUse)
    #expect(leaked.level == 2 && leaked.references == 2)
  }

  @Test func sectionsAndCallbacksShow() throws {
    let trace = try Self.trace("collapse-unlocked-descendants")
    let queued = try Self.picture(after: 18, trace)
    #expect(queued.cpus.map(\.isInSection) == [true, true, false, false])
    #expect(queued.cpus[0].callbacks.map(\.number) == [0])
    #expect(queued.cpus[0].callbacks.map(\.isRunning) == [false])
    #expect(queued.cpus[0].callbacks.map(\.awaits) == [[0, 1]])
    #expect(queued.cpus.map(\.role) == [.program, .program, .program, .callbacks])
    #expect(queued.cpus[3].owner == 0)
    let left = try Self.picture(after: 21, trace)
    #expect(left.cpus[0].callbacks.map(\.awaits) == [[1]])
    #expect(left.cpus[3].blockedAt == "callback: grace period over")
    #expect(try Self.picture(after: 31, trace).cpus[0].callbacks.map(\.isRunning) == [true])
    #expect(try Self.picture(after: 33, trace).cpus.allSatisfy(\.callbacks.isEmpty))
  }

  @Test func cachedEntriesShowWhetherTheyAreCurrent() throws {
    let trace = try Self.trace("unmap-without-tlbi")
    let unit = try #require(try Self.picture(after: 5, trace).units.first)
    #expect(unit.cpu == 0)
    #expect(unit.tables.map(\.text) == ["table boot.1"])
    #expect(unit.tables.map(\.addresses) == ["0x0–0x1"])
    #expect(unit.tables.map(\.isCurrent) == [true])
    #expect(unit.leaves.map(\.text) == ["page 0x0"])
    #expect(unit.leaves.map(\.isCurrent) == [false])
    #expect(unit.leaves.map(\.page) == unit.tables.map { _ in 1 })
    #expect(unit.leaves.map(\.entry) == [0])
    #expect(trace.recording.pictures[0].cpus.map(\.owner) == [nil, nil, nil, 0])
    let owner = try #require(
      trace.recording.pictures.last?.words.first { $0.name == "frame 0x0 owner" })
    #expect(owner.text == "nobody")
    #expect(try Self.picture(after: 2, trace).units[0].walking == [1])
  }

  @Test func locksNameTheirHolders() throws {
    let trace = try Self.trace("unmap-under-read-lock")
    let texts = trace.recording.pictures.compactMap { picture in
      picture.words.first { $0.isLock }?.text
    }
    #expect(texts.first == "free")
    #expect(texts.contains { $0.hasPrefix("read by ") && $0.contains(" and ") })
  }

  @Test func stuckCPUsNameTheirWait() throws {
    let trace = try Self.trace("collapse-waits-in-section", ["progress"])
    let cpus = try #require(trace.recording.pictures.last).cpus
    #expect(cpus.map(\.blockedAt) == ["synchronize: grace period over", nil, nil, nil])
    #expect(cpus.map(\.wait) == [.gracePeriod, nil, nil, nil])
    #expect(cpus.map(\.awaits) == [[0], [], [], []])
  }

  @Test func everyMomentHasOne() throws {
    for model in Catalogue.models {
      guard case .violates(let ids) = model.expectation else { continue }
      let recording = try Self.trace(model.name, [ids[0]]).recording
      #expect(recording.pictures.count == recording.steps.count + 1, "\(model.name)")
      for (step, pair) in zip(
        recording.steps, zip(recording.pictures, recording.pictures.dropFirst()))
      where step.tables != nil {
        #expect(pair.0 != pair.1, "\(model.name): \(step.action)")
      }
    }
  }
}

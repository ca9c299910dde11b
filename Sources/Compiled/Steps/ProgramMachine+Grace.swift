// RCU: read-side sections, grace periods and callbacks.
//
// Three hidden words of each thread say all: whether it is in a section, whose sections it still
// waits for, and (as a name for footprints only) that it has queued a callback. A grace period
// begins by noting who is in a section; each of them takes itself off the list at the end of its
// section; the grace period may end when nobody is left. A callback is a thread of its own that
// begins after a grace period.

import GracewalkExploration
import GracewalkLLVM
import GracewalkSupport

extension ProgramMachine {
  /// Offsets of a thread's hidden words.
  enum GraceWord {
    static let section = 0, pending = 8, queue = 16
    static let size = 24
  }

  func graceRecord(_ cpu: Int) -> Int {
    let address = Region.address(
      ofLocalAt: Region.address(ofGlobal: image.graceGlobal), thread: cpu)
    return Region.number(of: address).map { layout.record(ofRegion: $0) } ?? -1
  }

  private func graceCell(_ cpu: Int, _ word: Int) -> UInt32 {
    object(layout.cell(graceRecord(cpu), word, 8))
  }

  /// The threads whose sections a thread still waits for.
  func pendingSections(of cpu: Int) -> UInt64 { read(graceRecord(cpu), GraceWord.pending, 8) }

  func haveAllFinished(_ mask: UInt64) -> Bool {
    (0..<threadCount).allSatisfy { mask >> UInt64($0) & 1 == 0 || hasFinished($0) }
  }

  /// The threads that are in a section, without the one that asks.
  private func openSections(but cpu: Int) -> UInt64 {
    (0..<threadCount).reduce(0) { mask, other in
      other != cpu && read(graceRecord(other), GraceWord.section, 8) != 0
        ? mask | 1 << UInt64(other) : mask
    }
  }

  /// What happens in sections that were open at the start of a grace period happens before its end.
  func acquireSections(_ mask: UInt64, by cpu: Int) {
    for other in 0..<threadCount where mask >> UInt64(other) & 1 == 1 {
      acquire(graceRecord(other), GraceWord.section, .acquire, by: cpu)
    }
  }

  // MARK: Steps

  func performOnGrace(_ request: Request, by cpu: Int) throws(Finding) -> Effect {
    guard image.waitsForGrace else { return Effect() }
    let own = graceRecord(cpu)
    switch request.kind {
    case .openSection:
      // What happens before the start of a grace period happens before later sections.
      for other in 0..<threadCount {
        acquire(graceRecord(other), GraceWord.pending, .acquire, by: cpu)
      }
      write(own, GraceWord.section, 8, 1)
    case .closeSection:
      release(own, GraceWord.section, .release, by: cpu, continues: false)
      write(own, GraceWord.section, 8, 0)
      for other in 0..<threadCount {
        let pending = pendingSections(of: other)
        let rest = pending & ~(1 << UInt64(cpu))
        if rest != pending { write(graceRecord(other), GraceWord.pending, 8, rest) }
      }
    case .startGrace:
      release(own, GraceWord.pending, .release, by: cpu, continues: true)
      // Sections that have ended come before it.
      acquireSections(~0, by: cpu)
      let mask = openSections(but: cpu)
      write(own, GraceWord.pending, 8, mask)
      return Effect(result: mask, isVisible: true)
    case .passGrace: acquireSections(request.address, by: cpu)
    case .callLater: return callLater(request, by: cpu)
    case .startDrain:
      var mask: UInt64 = 0
      for other in 0..<threadCount where other != cpu {
        guard threads[word(other, ThreadWord.flags)] & Flag.callback != 0 else { continue }
        layout.noteJoined(other)
        mask |= 1 << UInt64(other)
      }
      return Effect(result: mask, isVisible: true)
    default:
      for other in 0..<threadCount where request.address >> UInt64(other) & 1 == 1 {
        joinClocks(of: other, by: cpu)
      }
    }
    return Effect(isVisible: true)
  }

  private func callLater(_ request: Request, by cpu: Int) -> Effect {
    let index = Int(graph.nodes[node(of: cpu)].state.childCount)
    guard let child = newChild(of: cpu, index) else { return Effect() }
    // A section of the caller's own must end, too.
    var mask = openSections(but: cpu)
    if read(graceRecord(cpu), GraceWord.section, 8) != 0 { mask |= 1 << UInt64(cpu) }
    release(graceRecord(cpu), GraceWord.pending, .release, by: cpu, continues: true)
    begin(child, request.address, request.a, after: mask)
    threads[word(child, ThreadWord.flags)] = Flag.callback
    write(graceRecord(child), GraceWord.pending, 8, mask)
    inherit(from: cpu, to: child)
    acquireSections(~0, by: child)
    return Effect(result: UInt64(child), isVisible: true)
  }

  // MARK: Footprints

  func addSections(_ mask: UInt64, to footprint: Footprint, _ role: TouchRole) {
    for other in 0..<threadCount where mask >> UInt64(other) & 1 == 1 {
      footprint.read(graceCell(other, GraceWord.section), role)
    }
  }

  func addGrace(_ request: Request, _ cpu: Int, to footprint: Footprint) {
    guard image.waitsForGrace else { return }
    switch request.kind {
    case .openSection: footprint.write(graceCell(cpu, GraceWord.section))
    // No release: a thread that waits may go on, and find the next section open, or closed.
    case .closeSection: footprint.write(graceCell(cpu, GraceWord.section))
    case .startGrace: addSections(~0, to: footprint, .plain)
    case .passGrace: addSections(request.address, to: footprint, .blocks)
    case .callLater:
      addSections(~0, to: footprint, .plain)
      footprint.write(graceCell(cpu, GraceWord.queue))
      let index = Int(graph.nodes[node(of: cpu)].state.childCount)
      if let child = layout.thread(parent: cpu, index: index) {
        footprint.write(created(child), .releases)
      }
    case .startDrain:
      for other in 0..<threadCount where other != cpu {
        footprint.read(graceCell(other, GraceWord.queue))
      }
    default:
      for other in 0..<threadCount where request.address >> UInt64(other) & 1 == 1 {
        footprint.read(finished(other), .blocks)
      }
    }
  }
}

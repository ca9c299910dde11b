// What the interpreter of plain values asks of a random program, and of the machine that runs it.

import GracewalkMachine
import GracewalkSupport

extension RandomProgram {
  /// True if the interpreter knows everything in it: it has neither guests nor loops that forget.
  var isPlain: Bool { !hasGuests && !hasRepeats }

  /// The numbers of the slab's pages: the last of those that exist from the start.
  var slabRange: Range<Int> {
    (PlainAddress.pagesPerOwner - slabPages)..<PlainAddress.pagesPerOwner
  }

  func isOfSlab(_ page: Int) -> Bool { slabRange.contains(page) }

  /// What code can see at an end: words, pages, what CPUs hold, and which are stuck.
  static func outcome(
    words: [UInt64], pages: [UInt64], holds: [UInt64], stuck: [UInt64]
  ) -> [UInt64] {
    words + pages + [.max] + holds.sorted() + [.max] + stuck
  }

  /// A scenario whose exhaustive search notes the whole outcome of each execution.
  func scenario(notingAll outcomes: Outcomes) -> Scenario {
    scenario { objects in [OutcomesNoted(outcomes) { Self.wholeOutcome(of: $0, objects) }] }
  }

  private static func wholeOutcome(of machine: Machine, _ objects: Objects) -> [UInt64] {
    let words = objects.words.map { machine.value(of: $0) }
    let kept = objects.kept.map { machine.value(of: $0) } ?? 0
    let count = objects.counter.map { machine.value(of: $0.count).word } ?? 0
    let pages = machine.pages.flatMap { page -> [UInt64] in
      [UInt64(page.page.id), page.isAllocated ? 1 : 0] + page.entries.map(\.bits)
    }
    let locks = machine.heldLocks.map { $0.mode.rawValue << 8 | UInt64($0.cpu) }
    let sections = machine.openSections.map { ($0.isMask ? 4 : 3) << 8 | UInt64($0.cpu) }
    return outcome(
      words: words + [kept, count], pages: pages, holds: locks + sections,
      stuck: machine.stuckCPUs.map { UInt64($0) })
  }
}

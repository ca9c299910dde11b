// Stepping through a trace in the terminal: keys, screens of any size, and the plain listing.

import GracewalkChecking
import GracewalkMachine
import GracewalkModels
import GracewalkReporting
import GracewalkTraces
import Testing

@Suite struct StepViewTests {
  private func keys(_ text: String) -> [StepKey] {
    var decoder = StepKeyDecoder()
    return text.utf8.compactMap { decoder.feed($0) }
  }

  @Test func lettersAreKeys() {
    #expect(keys("n l") == [.forward, .forward, .forward])
    #expect(keys("p\u{7F}") == [.back, .back])
    #expect(keys("gG?q\u{3}") == [.first, .last, .help, .quit, .quit])
    #expect(keys("xyz1\r\n\t") == [])
  }

  @Test func sequencesAreKeys() {
    #expect(keys("\u{1B}[C\u{1B}[D") == [.forward, .back])
    #expect(keys("\u{1B}OC\u{1B}OD") == [.forward, .back])
    #expect(keys("\u{1B}[H\u{1B}[F\u{1B}[1~\u{1B}[4~") == [.first, .last, .first, .last])
    #expect(keys("\u{1B}[6~\u{1B}[5~") == [.forward, .back])
  }

  @Test func unknownSequencesAreDropped() {
    #expect(keys("\u{1B}[15~n") == [.forward])
    #expect(keys("\u{1B}[1;5Cq") == [.quit])
    #expect(keys("\u{1B}xq") == [.quit])
    #expect(keys("\u{1B}\u{1B}[Cq") == [.forward, .quit])
    #expect(keys("\u{1B}[999999999999q").count <= 1)
  }

  @Test func theNavigatorStaysInside() {
    var navigator = StepNavigator(count: 3)
    let press = { (keys: [StepKey]) in
      keys.map { key in
        navigator.press(key)
        return navigator.position
      }
    }
    #expect(press([.back, .forward, .forward, .forward]) == [0, 1, 2, 2])
    #expect(press([.first, .last, .back, .first]) == [0, 2, 1, 0])
    #expect(!navigator.isDone)
  }

  @Test func helpIsLeftByAnyKeyAndQuitQuits() {
    var navigator = StepNavigator(count: 3)
    navigator.press(.help)
    #expect(navigator.showsHelp)
    navigator.press(.forward)
    #expect(!navigator.showsHelp && navigator.position == 0)
    navigator.press(.help)
    navigator.press(.quit)
    #expect(navigator.isDone)
  }

  @Test(arguments: [
    "collapse-unlocked-descendants", "unmap-without-tlbi", "fast-permission-fault-without-tlbi",
    "teardown-without-barrier", "unmap-under-read-lock",
  ])
  func screensFit(_ name: String) throws {
    let moments = TraceMoments(try PictureTests.trace(name))
    for (width, height) in [(200, 60), (120, 40), (80, 24), (60, 20), (40, 12), (20, 6), (1, 1)] {
      let screen = StepScreen(moments, width: width, height: height)
      for position in moments.moments.indices {
        let lines = screen.lines(at: position)
        #expect(lines.count <= max(height, 4), "\(name) \(width)×\(height) at \(position)")
        #expect(
          lines.allSatisfy { $0.count <= max(width, 10) && !$0.contains("\u{1B}") },
          "\(name) \(width)×\(height) at \(position)")
      }
      #expect(screen.help.count <= max(height, 4))
    }
  }

  @Test func theScreenShowsTheStepAndWhatItChanged() throws {
    let moments = TraceMoments(try PictureTests.trace("collapse-unlocked-descendants"))
    let position = try #require(moments.position(ofLabel: "22"))
    let lines = StepScreen(moments, width: 120, height: 34).lines(at: position)
    #expect(lines[0] == "collapse-unlocked-descendants, step 22 of 33")
    #expect(lines.filter { $0.hasPrefix("▶") } == [lines[12]])
    #expect(lines[12].contains("┃store boot.1[0] ← table m…"))
    #expect(
      lines.contains(
        "  boot.1[0]: LOCKED → table mapper.0, although boot.1 was unlinked by collapser in step 8"
      ))
    #expect(lines.contains("▸ unreachable: boot.1: [0] table mapper.0  [1] table boot.2"))
    #expect(lines.contains("  collapser: callback 0 waits for the section of mapper to end"))
    let narrow = StepScreen(moments, width: 60, height: 34).lines(at: position)
    #expect(narrow.contains("▶  22 ┃mapper: store boot.1[0] ← table mapper.0"))
  }

  @Test func coloursAreLeftOutWhereNotWanted() throws {
    let moments = TraceMoments(try PictureTests.trace("unmap-without-tlbi"))
    let plain = StepListing(moments, style: .plain).lines
    let coloured = StepListing(moments, style: Style(usesColour: true)).lines
    #expect(!plain.joined().contains("\u{1B}"))
    #expect(coloured.joined().contains("\u{1B}[1m"))
    #expect(plain.count == coloured.count)
  }

  @Test func theListingHasEveryStepWithItsChanges() throws {
    let moments = TraceMoments(try PictureTests.trace("unmap-without-tlbi"))
    let lines = StepListing(moments).lines
    #expect(
      Array(lines[0...4]) == [
        "initially", "    root: [0] table boot.1  [1] invalid",
        "    └ [0] boot.1: [0] page 0x0  [1] invalid", "",
        "1  vcpu 0/mmu, speculation 0: walk to 0x0: from root",
      ])
    let fifth = try #require(lines.firstIndex { $0.hasPrefix("5  ") })
    #expect(lines[fifth] == "5  host, unmap 0x0: store boot.1[0] ← invalid")
    #expect(lines[fifth + 1].hasPrefix("    GracewalkModels/Invalidation.swift:"))
    #expect(lines[fifth + 2] == "    boot.1[0]: page 0x0 → invalid")
    #expect(lines[fifth + 3] == "    the MMU of vcpu 0 still has 0x0 → page 0x0 cached")
    #expect(
      lines.contains("    vcpu 0, TLB: 0x0 → page 0x0  (stale: boot.1[0] is invalid now)"))
    #expect(lines.contains("✗ no-reuse-while-cached"))
  }

  @Test func aLivelockSaysWhereItBegins() throws {
    let moments = TraceMoments(try PictureTests.trace("fast-permission-fault-without-tlbi"))
    let lines = StepListing(moments).lines
    let loop = try #require(lines.firstIndex { $0.hasPrefix("↺ from here on") })
    #expect(lines[loop + 1].hasPrefix("15  vcpu 0, write 0x0"))
  }
}

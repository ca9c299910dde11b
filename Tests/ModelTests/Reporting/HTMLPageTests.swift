// The page of a trace: self-contained, safe for all names, small, reproducible.

import Foundation
import GracewalkChecking
import GracewalkExploration
import GracewalkMachine
import GracewalkModels
import GracewalkReporting
import GracewalkTraces
import Testing

@Suite struct HTMLPageTests {
  static func page(_ name: String, _ invariants: [String]? = nil) throws -> String {
    HTMLPage(try PictureTests.trace(name, invariants), of: Catalogue.model(named: name)).text
  }

  private func count(_ part: String, in text: String) -> Int {
    text.components(separatedBy: part).count - 1
  }

  /// The data in the page for its script.
  private func data(_ page: String) throws -> [String: Any] {
    let start = try #require(page.range(of: "id=\"data\">"))
    let end = try #require(page.range(of: "</script>", range: start.upperBound..<page.endIndex))
    let json = Data(page[start.upperBound..<end.lowerBound].utf8)
    return try #require(try JSONSerialization.jsonObject(with: json) as? [String: Any])
  }

  @Test func everyCounterexampleMakesASmallPageThatLoadsNothing() throws {
    for model in Catalogue.models {
      guard case .violates(let ids) = model.expectation else { continue }
      for id in ids {
        let trace = try PictureTests.trace(model.name, [id])
        let page = HTMLPage(trace, of: model).text
        #expect(page.utf8.count < 500_000, "\(model.name) \(id): \(page.utf8.count) bytes")
        for part in ["http:", "https:", "//www", "url(", "@import", "<link", "<img", " src="] {
          #expect(!page.contains(part), "\(model.name) \(id) contains \(part)")
        }
        #expect(page.contains("content=\"default-src 'none'; style-src 'unsafe-inline'; "))
        #expect(page.contains("✗ \(id)"))
        let shown = trace.recording.steps.count { !$0.isBoundary }
        #expect(count("class=\"row step", in: page) == shown, "\(model.name) \(id)")
        let moments = try #require(try data(page)["moments"] as? [[String: Any]])
        #expect(moments.count == shown + 1, "\(model.name) \(id)")
      }
    }
  }

  @Test(arguments: ["collapse-unlocked-descendants", "fast-permission-fault-without-tlbi"])
  func theSameTraceGivesTheSameBytes(_ name: String) throws {
    #expect(try Self.page(name) == Self.page(name))
  }

  @Test func thePageNamesCPUsAndSteps() throws {
    let page = try Self.page("collapse-unlocked-descendants")
    for part in [
      "table page mapper.0, allocated by mapper in map 0x0, is leaked",
      "boot.1[0]: LOCKED → table mapper.0, although boot.1 was unlinked by collapser in step 8",
      "mapper is preempted after <code>add boot.1.references +1: now 3</code>: it could continue",
      "gracewalk replay collapse-unlocked-descendants --set levels=3 --schedule "
        + "1*6,0*18,1*7,2*5,3*3</code>",
      "GracewalkModels/Stage2Table.swift:", "waits for collapser and mapper",
      "locking the descendants", "Oliver Upton",
    ] { #expect(page.contains(part), "\(part)") }
  }

  @Test(arguments: [
    (
      "collapse-unlocked-descendants", ["3.1", "6", "8", "18", "22", "24", "26", "32", "33"],
      "22", "although boot.1 was unlinked by collapser in step 8"
    ),
    ("unmap-without-tlbi", ["3", "5", "7"], "5", "the MMU of vcpu 0 still has 0x0 → page 0x0"),
    (
      "fast-permission-fault-without-tlbi", ["3", "8", "10", "15", "19"], "8",
      "the MMU of vcpu 0 still has 0x0 → page 0x0 read-only cached"
    ),
    (
      "ipi-before-free-without-waiting", ["1", "2", "4", "13"], "1",
      "collapser masks its interrupts"
    ),
    (
      "reverse-map-without-level",
      ["4", "6", "11", "13", "15", "16", "17", "18", "19", "35", "40"], "35",
      "shadow page.0[0]: table shadow page.1 writable → table shadow page.1"
    ),
    ("teardown-without-barrier", ["4", "6", "22", "24", "26"], "6", "callback 0 of collapser"),
  ])
  func theStoryHasTheStepsThatMatter(
    name: String, labels: [String], label: String, change: String
  ) throws {
    let keys = TraceMoments(try PictureTests.trace(name)).moments.filter(\.isKey)
    #expect(keys.map(\.label) == labels)
    let moment = try #require(keys.first { $0.label == label })
    #expect(moment.changes.contains { $0.isNotable && $0.text.contains(change) })
  }

  @Test func theLastMomentIsThereWithoutAScript() throws {
    let page = try Self.page("collapse-unlocked-descendants")
    let script = try #require(page.range(of: "<script"))
    let markup = page[..<script.lowerBound]
    #expect(count(">✗ leaked<", in: String(markup)) == 2)
    #expect(markup.contains("class=\"pg freed\""))
    #expect(markup.contains("<output id=\"status\" for=\"slider\">Step 33 of 33</output>"))
  }

  @Test func aLivelockShowsItsRound() throws {
    let page = try Self.page("fast-permission-fault-without-tlbi")
    #expect(count("class=\"row note loop\"", in: page) == 2)
    #expect(page.contains("From here on the steps down to the end repeat forever."))
    #expect(page.contains("--schedule &#39;0*9,1*4,2,(0*5)&#39;"))
    #expect(page.contains("stale: boot.1[0] is page 0x0 now"))
  }

  @Test func everyPartIsKeptOnce() throws {
    let data = try data(try Self.page("collapse-unlocked-descendants"))
    let parts = try #require(data["parts"] as? [String])
    #expect(Set(parts).count == parts.count)
    let moments = try #require(data["moments"] as? [[String: Any]])
    let used = try moments.flatMap { moment in
      try [#require(moment["now"] as? Int)] + #require(moment["tree"] as? [Int])
        + #require(moment["state"] as? [Int])
    }
    #expect(Set(used) == Set(parts.indices))
    #expect(moments.map { $0["label"] as? String }.prefix(6) == ["0", "1", "2", "3", "3.1", "4"])
  }

  @Test func namesAreEscaped() throws {
    let evil = "</script><b onclick=x>\"'&\u{2028}-->"
    let model = Model(
      name: evil, summary: evil, scenario: evil, omission: evil, expectation: .holds
    ) { _ in
      let scenario = Scenario(geometry: Geometry(levels: 2, entries: 2))
      let root = scenario.rootTable(evil)
      let word = scenario.word(evil)
      scenario.cpu(
        evil,
        CPUOperation(evil) { cpu in
          try cpu.store(word, 1, .relaxed)
          try cpu.store(root[0], Descriptor.block(0).bits, .release)
        })
      return scenario
    }
    let schedule = try #require(Schedule(text: "0*2"))
    let recording = try Recording(schedule, of: try model.scenario(), recordsPictures: true)
    let trace = Trace(
      model: evil, parameters: [(evil, 1)], features: Features(), memoryModel: evil,
      invariants: [evil], foundBy: evil, isMinimal: false, recording: recording)
    let page = HTMLPage(trace, of: model).text
    #expect(count("</script>", in: page) == 2)
    #expect(!page.contains("<b onclick"))
    #expect(count("&lt;/script&gt;&lt;b onclick=x&gt;&quot;&#39;&amp;", in: page) > 10)
    let start = try #require(page.range(of: "id=\"data\">")).upperBound
    let end = try #require(page.range(of: "</script>", range: start..<page.endIndex)).lowerBound
    #expect(!page[start..<end].contains { "<>&\u{2028}\u{2029}".contains($0) })
    #expect(try data(page)["parts"] != nil)
    #expect(page.contains("Nothing is wrong here."))
  }
}

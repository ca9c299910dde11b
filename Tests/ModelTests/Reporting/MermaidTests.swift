// Sequence diagrams: every line is a statement of Mermaid, and blocks are opened and closed.

import GracewalkChecking
import GracewalkMachine
import GracewalkModels
import GracewalkReporting
import GracewalkTraces
import Testing

@Suite struct MermaidTests {
  /// Checks the structure of a diagram; returns the statements after the first line.
  private func statements(_ trace: Trace) throws -> [String] {
    let text = MermaidText(trace).text
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    #expect(lines.first == "sequenceDiagram")
    #expect(lines.last == "")
    let statements = lines.dropFirst().dropLast().map { String($0.drop { $0 == " " }) }
    var participants: Set<String> = []
    var active: Set<String> = []
    var loops = 0
    for line in statements {
      let words = line.split(separator: " ", maxSplits: 3).map(String.init)
      // Unescaped text could end a statement or begin a comment.
      let rest = line.split(separator: ":", maxSplits: 1).last.map(String.init) ?? ""
      #expect(!rest.replacing(/#\d+;/, with: "").contains { "#;&$%".contains($0) }, "\(line)")
      #expect(!rest.replacing("<br/>", with: "").contains("<"))
      #expect(!line.unicodeScalars.contains { $0.value < 0x20 })
      switch words[0] {
      case "participant":
        #expect(words[2] == "as" && participants.insert(words[1]).inserted)
      case "activate": #expect(active.insert(words[1]).inserted)
      case "deactivate": #expect(active.remove(words[1]) != nil)
      case "loop": loops += 1
      case "end": loops -= 1
      case "Note":
        let names = words[2].dropLast().split(separator: ",").map(String.init)
        #expect(words[1] == "over" && words[2].last == ":" && (1...2).contains(names.count))
        #expect(participants.isSuperset(of: names))
      default:
        let match = try #require(line.wholeMatch(of: /(c\d+)--?>>([cm]\d+): .+/), "\(line)")
        #expect(participants.contains(String(match.1)) && active.contains(String(match.1)))
        #expect(participants.contains(String(match.2)))
      }
    }
    #expect(active.isEmpty && loops == 0)
    return statements
  }

  @Test func everyCounterexample() throws {
    for item in CatalogueCase.onePerModel where item.violated != nil {
      let trace = try #require(try item.model.check(item.options).counterexample)
      let lines = try statements(trace)
      let steps = lines.count { $0.contains(/^c\d+--?>>/) }
      #expect(steps == trace.recording.steps.count { !$0.isBoundary })
      #expect(
        lines.count { $0.contains(": preemption: ") } == trace.recording.preemptions.count)
      #expect(lines.contains { $0.contains(": ✗ \(item.violated ?? "")<br/>") })
      #expect(lines.count { $0 == "loop forever" } == (trace.recording.loop == nil ? 0 : 1))
    }
  }

  @Test func theRaceForACache() throws {
    let model = try #require(Catalogue.model(named: "shared-memcache-without-exchange"))
    let lines = try statements(try #require(try model.check().counterexample))
    #expect(
      lines.prefix(8) == [
        "participant c0 as vcpu 0", "participant c1 as vcpu 1", "participant m0 as root",
        "participant m1 as memory", "Note over c0: ▶ fault 0", "activate c0",
        "c0->>m1: 1 load memcache: is table boot.1",
        "Note over c0,c1: preemption: vcpu 0 could continue, vcpu 1 runs",
      ])
    #expect(lines.suffix(4).first == "c0->>m0: 8 store root[0] ← table boot.1")
  }

  @Test func hostileNames() throws {
    let trace = try #require(try Hostile.model.check().counterexample)
    let lines = try statements(trace)
    #expect(
      lines[0]
        == "participant c0 as a #60;b#62; #38; #34;c#34;#59;#35;d\\u{a}#37;#37;{e}#37;#37; ]]#62;"
        + "\\u{1b}[31m\\u{0}#36;#36;x#36;#36; é🙂\\u{d}0")
  }
}

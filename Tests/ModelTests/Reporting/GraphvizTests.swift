// The tables of a moment as a dot digraph: its contents, and that no name can break it.

import GracewalkChecking
import GracewalkMachine
import GracewalkModels
import GracewalkReporting
import GracewalkTraces
import Testing

@Suite struct GraphvizTests {
  @Test func theLeakAtTheStepThatMakesIt() throws {
    let trace = try PictureTests.trace("collapse-unlocked-descendants")
    let lines = try #require(GraphvizText(trace, step: "22")).lines
    #expect(
      lines[2] == "  label=\"collapse-unlocked-descendants, step 22: mapper: "
        + "store boot.1[0] ← table mapper.0\";")
    let arrows = lines.filter { $0.contains("->") }
    #expect(
      arrows == [
        "  p1:e0 -> p32 [style=dashed];", "  p1:e1 -> p2 [style=dashed];",
      ])
    let boxes = lines.filter { $0.contains("[label=<<table") }
    #expect(boxes.count == 4)
    #expect(boxes[0].contains("STYLE") == false && boxes[0].contains("style=\"SOLID\""))
    #expect(boxes[1].contains("<b>boot.1</b> (unreachable)"))
    #expect(boxes[1].contains("<b>▸ [0] table mapper.0</b>"))
    #expect(boxes[3].contains("style=\"DASHED\""))
  }

  @Test func freedPagesAndCaches() throws {
    let leak = try PictureTests.trace("collapse-unlocked-descendants")
    let end = try #require(GraphvizText(leak, step: "33")).lines
    #expect(end.contains { $0.contains("<b>boot.2</b> (freed)") && $0.contains("DOTTED") })
    let stale = try #require(
      GraphvizText(try PictureTests.trace("unmap-without-tlbi"), step: "5")
    ).lines
    #expect(
      stale.contains {
        $0.contains("MMU of CPU 0")
          && $0.contains("0x0 → page 0x0 (stale: boot.1[0] is invalid now)")
      })
  }

  @Test func thereIsNoStepThatTheTraceHasNot() throws {
    let trace = try PictureTests.trace("collapse-unlocked-descendants")
    #expect(GraphvizText(trace, step: "34") == nil)
    #expect(GraphvizText(trace, step: "-1") == nil)
    #expect(GraphvizText(trace, step: "0")?.lines.filter { $0.contains("->") }.count == 2)
    #expect(GraphvizText(trace, step: "3.1") != nil)
  }

  @Test func namesAreQuoted() throws {
    let trace = try PictureTests.trace("shared-memcache-without-exchange")
    var picture = try #require(trace.recording.pictures.last)
    picture.pages[0].name = "</b>\"]; <script>\n&"
    let text = GraphvizText(picture, title: "a \"b\"\\\nc").text
    #expect(text.contains("  label=\"a \\\"b\\\"\\\\ c\";"))
    #expect(text.contains("<b>&lt;/b&gt;&quot;]; &lt;script&gt;\n&amp;</b>"))
    #expect(!text.contains("<script>"))
  }
}

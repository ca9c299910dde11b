// One self-contained page for one trace: the violation, the story, and every moment.

import GracewalkChecking
import GracewalkInvariants
import GracewalkMachine
import GracewalkTraces

/// A counterexample for readers who have never seen the model.
///
/// The page loads nothing, and the same trace gives the same bytes. The parts that the script shows
/// at each moment are drawn here, and parts that recur are stored once. Without the script, the
/// page still shows the steps and the last moment.
public struct HTMLPage {
  private let moments: TraceMoments
  private let model: Model?
  private let panel: MomentPanel
  private let tree: TreeDrawing
  private let lanes: LaneList

  /// - Parameters:
  ///   - trace: recorded with pictures.
  ///   - model: the model of the trace, for its description.
  public init(_ trace: Trace, of model: Model?) {
    moments = TraceMoments(trace)
    self.model = model
    panel = MomentPanel(moments)
    tree = TreeDrawing(moments)
    lanes = LaneList(moments)
  }

  private var trace: Trace { moments.trace }
  private var header: PageHeader { PageHeader(moments, model) }
  private var last: Int { moments.moments.count - 1 }

  public var text: String {
    let title = HTMLText.escaped("\(trace.model): \(moments.violation?.id ?? "nothing is wrong")")
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; \
      style-src 'unsafe-inline'; script-src 'unsafe-inline'">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <title>\(title)</title>
      <style>\(PageStyle.text)\(trace.program == nil ? "" : PageStyle.code)</style>
      </head>
      <body>
      \(header.html)
      <div class="top">
      \(header.verdict)
      \(PageStory(moments).html)
      </div>
      \(player)
      \(header.facts)
      <script type="application/json" id="data">\(HTMLText.json(PageData(moments, panel, tree)))\
      </script>
      <script>\(PageScript.text)</script>
      </body>
      </html>

      """
  }

  private var player: String {
    """
    <main id="player">
    <nav aria-label="Steps">
    <button id="first" title="First (Home)" aria-label="First step">⇤</button>
    <button id="back" title="Back (←)" aria-label="Previous step">←</button>
    <input id="slider" type="range" min="0" max="\(last)" value="\(last)" aria-label="Step">
    <button id="next" title="Forward (→)" aria-label="Next step">→</button>
    <button id="end" title="Last (End)" aria-label="Last step">⇥</button>
    <output id="status" for="slider">\(panel.title(last))</output>
    </nav>
    <div class="view">
    <div class="side">
    <section id="now" aria-live="polite">\(panel.step(last))</section>
    \(drawing)
    <div id="state" class="state">\(panel.state(last).joined())</div>
    \(legend)
    </div>
    <div class="steps" tabindex="-1">
    <h2>Every step, one lane per \(trace.program == nil ? "CPU" : "thread")</h2>
    \(lanes.html)
    </div>
    </div>
    </main>
    """
  }

  private var drawing: String {
    guard !tree.isEmpty else { return "<svg id=\"tree\" hidden></svg>" }
    let parts = PageData.drawing(last, moments, tree)
    return "<div class=\"tree\"><svg id=\"tree\" role=\"img\" aria-label=\"The page tables\""
      + " viewBox=\"0 0 \(tree.width) \(tree.height)\" style=\"--w:\(tree.width)px\">"
      + parts.joined() + "</svg></div>"
  }

  private var legend: String {
    let states = moments.moments.flatMap { $0.picture.pages.map(PageState.init) }
    var items =
      trace.program == nil ? ["<li><b class=\"k-ch\">▸</b> changed by this step</li>"] : []
    let kinds: [(PageState, String, String)] = [
      (.unreachable, "k-lost", "unreachable: no root leads there"),
      (.own, "k-own", "not linked yet: only its owner has it"), (.freed, "k-freed", "freed"),
    ]
    for (state, className, text) in kinds where states.contains(state) {
      items.append("<li><s class=\"\(className)\"></s> \(text)</li>")
    }
    items += lanes.legend.map { "<li><u class=\"\($0.className)\"></u> \($0.text)</li>" }
    if items.isEmpty { return "" }
    return "<ul class=\"legend\" aria-label=\"Legend\">\(items.joined())</ul>"
  }
}

/// The script's data: every part once, and for each moment the parts that it shows.
struct PageData: Encodable {
  struct Shown: Encodable {
    /// The moment's label in the page's address, and its title.
    var label: String
    var title: String
    /// Numbers of parts.
    var now: Int
    var tree: [Int]
    var state: [Int]
  }

  private(set) var parts: [String] = []
  private(set) var moments: [Shown] = []

  init(_ moments: TraceMoments, _ panel: MomentPanel, _ tree: TreeDrawing) {
    var numbers: [String: Int] = [:]
    for (index, moment) in moments.moments.enumerated() {
      let now = number(panel.step(index), &numbers)
      let drawn = Self.drawing(index, moments, tree).map { number($0, &numbers) }
      let state = panel.state(index).map { number($0, &numbers) }
      self.moments.append(
        Shown(
          label: moment.label, title: panel.title(index), now: now, tree: drawn, state: state))
    }
  }

  private mutating func number(_ part: String, _ numbers: inout [String: Int]) -> Int {
    if let known = numbers[part] { return known }
    numbers[part] = parts.count
    parts.append(part)
    return parts.count - 1
  }

  static func drawing(_ index: Int, _ moments: TraceMoments, _ tree: TreeDrawing) -> [String] {
    tree.parts(
      moments.moments[index].picture,
      before: index > 0 ? moments.moments[index - 1].picture : nil,
      isEnd: index == moments.moments.count - 1 && moments.violation != nil)
  }
}

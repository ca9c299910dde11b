// The story of a trace: the few steps that matter, in order, with their effects.

import GracewalkMachine
import GracewalkTraces

struct PageStory {
  private let moments: TraceMoments

  init(_ moments: TraceMoments) { self.moments = moments }

  var html: String {
    let items = moments.moments.indices.filter { moments.moments[$0].isKey }.map(item)
    guard !items.isEmpty else { return "" }
    return """
      <section class="story">
      <h2>How it happens</h2>
      <ol>
      \(items.joined(separator: "\n"))
      </ol>
      </section>
      """
  }

  private func item(_ index: Int) -> String {
    let moment = moments.moments[index]
    guard let step = moment.step else { return "" }
    let names = moments.recording.cpus
    let isLast = index == moments.moments.count - 1
    var text = isLast && moments.violation != nil ? "<li class=\"wrong\">" : "<li>"
    if moment.beginsLoop {
      text += "<p class=\"aside\">↺ From here on the steps down to the end repeat forever.</p>"
    }
    if let (left, goesOn) = moment.preemption {
      text +=
        "<p class=\"aside\">⤷ \(HTMLText.escaped(names[left])) is preempted"
        + "\(lastStep(left, index)): "
        + "it could continue, but \(HTMLText.escaped(names[goesOn])) runs.</p>"
    }
    text +=
      "<a href=\"#step=\(moment.label)\" data-i=\"\(index)\">"
      + "<span class=\"no\">\(step.isLocal ? "·" : moment.label)</span> "
      + "<b>\(HTMLText.escaped(names[step.cpu]))</b> "
      + "<code>\(HTMLText.escaped(step.action))</code>"
      + (step.outcome.isEmpty ? "" : " <i>\(HTMLText.escaped(step.outcome))</i>") + "</a>"
    for change in moment.changes where change.isNotable {
      text += "<p>\(HTMLText.escaped(change.text))</p>"
    }
    if isLast, let (_, report) = moments.violation {
      text += "<p class=\"so\">✗ \(HTMLText.escaped(report.message))</p>"
    }
    return text + "</li>"
  }

  /// The last step of a CPU: it may act on what it learned then.
  private func lastStep(_ cpu: Int, _ index: Int) -> String {
    guard let moment = moments.moments[..<index].last(where: { $0.step?.cpu == cpu }) else {
      return ""
    }
    return " after <code>\(HTMLText.escaped(moment.actionText))</code>"
  }
}

// The panel next to the tables at one moment: the step, its changes, each CPU and its caches.

import GracewalkMachine
import GracewalkTraces

/// The parts of the page that depend on the moment.
struct MomentPanel {
  private let moments: TraceMoments

  /// Names of the words worth showing: locks, and words that change at some moment.
  private let shownWords: Set<String>

  init(_ moments: TraceMoments) {
    self.moments = moments
    var texts: [String: Set<String>] = [:]
    for word in moments.moments.flatMap(\.picture.words) {
      texts[word.name, default: []].insert(word.text)
    }
    let locks = moments.moments[0].picture.words.filter(\.isLock).map(\.name)
    shownWords = Set(texts.filter { $0.value.count > 1 }.map(\.key) + locks)
  }

  private var last: Int { moments.moments.count - 1 }

  /// The label of a moment in words: `Step 22 of 33`.
  func title(_ index: Int) -> String {
    let label = moments.moments[index].label
    guard index > 0 else { return "Before the first step" }
    let part = label.split(separator: ".")
    let steps = moments.recording.visibleSteps
    return part.count == 1 ? "Step \(label) of \(steps)" : "After step \(part[0]) of \(steps)"
  }

  /// The step, its place in the code, and its changes.
  func step(_ index: Int) -> String {
    let moment = moments.moments[index]
    var lines: [String] = []
    if let step = moment.step {
      let cpu = moments.recording.cpus[step.cpu]
      let operation = moments.recording.operations[step.cpu][step.operation]
      let place = ([operation] + step.scopes).joined(separator: " › ")
      lines.append(
        "<p class=\"by\"><b>\(HTMLText.escaped(cpu))</b> in \(HTMLText.escaped(place))"
          + "\(source(step))</p>")
      let outcome = step.outcome.isEmpty ? "" : " <i>\(HTMLText.escaped(step.outcome))</i>"
      lines.append(
        "<p class=\"do\"><code>\(HTMLText.escaped(step.action))</code>\(outcome)</p>")
      lines.append(excerpt(step))
    } else {
      lines.append("<p class=\"by\">What the CPUs start from.</p>")
    }
    lines.append(changes(moment.changes))
    if index == last, let (id, report) = moments.violation {
      lines.append(
        "<div class=\"wrong\"><b>✗ \(HTMLText.escaped(id))</b> "
          + "\(HTMLText.escaped(report.message))</div>")
    }
    return lines.joined()
  }

  private func source(_ step: RecordedStep) -> String {
    guard !step.site.file.isEmpty else { return "" }
    return
      "<span class=\"src\">\(HTMLText.escaped(step.site.text))</span>"
  }

  /// The lines around the step's place in the source, if the source is known.
  private func excerpt(_ step: RecordedStep) -> String {
    guard let lines = moments.trace.program?.lines[step.site.file],
      lines.indices.contains(step.site.line - 1)
    else { return "" }
    let first = max(1, step.site.line - 3)
    let last = min(lines.count, step.site.line + 3)
    let width = "\(last)".count
    let shown = (first...last).map { number in
      let label = String(repeating: " ", count: width - "\(number)".count) + "\(number)"
      let text = "\(label)  \(HTMLText.escaped(String(lines[number - 1].prefix(160))))"
      return number == step.site.line ? "<b>\(text)</b>" : text
    }
    return "<pre class=\"code\">\(shown.joined(separator: "\n"))</pre>"
  }

  private func changes(_ changes: [PictureChange]) -> String {
    guard !changes.isEmpty else { return "" }
    let items = changes.map { change in
      "<li\(change.isNotable ? " class=\"key\"" : "")>\(HTMLText.escaped(change.text))</li>"
    }
    return "<ul class=\"changes\">\(items.joined())</ul>"
  }

  // MARK: CPUs, caches and words

  /// One part for each CPU with an activity or a cached entry, and one for words.
  func state(_ index: Int) -> [String] {
    let picture = moments.moments[index].picture
    let before = index > 0 ? moments.moments[index - 1].picture : nil
    var parts = picture.cpus.indices.compactMap { cpu in self.cpu(cpu, picture, before) }
    if !shownWords.isEmpty { parts.append(words(picture, before)) }
    return parts
  }

  private func cpu(
    _ cpu: Int, _ picture: MachinePicture, _ before: MachinePicture?
  ) -> String? {
    let state = picture.cpus[cpu]
    let unit = picture.units.first { $0.cpu == cpu }
    guard moments.lanes.contains(cpu) || unit != nil, state.role == .program else { return nil }
    var items = activities(of: cpu, in: picture).map { "<li>\(HTMLText.escaped($0))</li>" }
    if let unit {
      let old = before?.units.first { $0.cpu == cpu }
      let isKnown = before != nil
      items += unit.tables.map { cached($0, "walk cache", old?.tables, picture, isKnown) }
      items += unit.leaves.map { cached($0, "TLB", old?.leaves, picture, isKnown) }
      items += unit.walking.compactMap { picture.page($0) }
        .map { "<li>a walk is in \(HTMLText.escaped($0.name))</li>" }
      if unit.tables.isEmpty, unit.leaves.isEmpty {
        items.append("<li class=\"none\">TLB and walk cache are empty</li>")
      }
    }
    if items.isEmpty {
      if moments.trace.program != nil { return nil }
      items.append("<li class=\"none\">\(state.isFinished ? "done" : "running")</li>")
    }
    return "<section><h3>\(HTMLText.escaped(moments.recording.cpus[cpu]))</h3>"
      + "<ul>\(items.joined())</ul></section>"
  }

  /// A CPU's sections, waits and queued callbacks.
  private func activities(of cpu: Int, in picture: MachinePicture) -> [String] {
    CPUState.texts(of: cpu, in: picture, names: moments.recording.cpus)
  }

  private func cached(
    _ entry: MachinePicture.CachedEntry, _ kind: String, _ old: [MachinePicture.CachedEntry]?,
    _ picture: MachinePicture, _ isKnown: Bool
  ) -> String {
    let isNew = isKnown && !(old ?? []).contains { $0.isSameEntry(as: entry) }
    var classes = isNew ? ["ch"] : []
    if !entry.isCurrent { classes.append("stale") }
    let attribute = classes.isEmpty ? "" : " class=\"\(classes.joined(separator: " "))\""
    let stale = picture.staleness(of: entry).map { " <em>⚠ \(HTMLText.escaped($0))</em>" } ?? ""
    return "<li\(attribute)><small>\(kind)</small> "
      + "<code>\(HTMLText.escaped("\(entry.addresses) → \(entry.text)"))</code>\(stale)</li>"
  }

  private func words(_ picture: MachinePicture, _ before: MachinePicture?) -> String {
    let pairs = zip(picture.words, before?.words ?? picture.words)
    let items = pairs.filter { shownWords.contains($0.0.name) }.map { word, old in
      let isChanged = word.text != old.text
      return "<li\(isChanged ? " class=\"ch\"" : "")>\(HTMLText.escaped(word.name)) "
        + "<code>\(HTMLText.escaped(word.text))</code></li>"
    }
    return "<section><h3>Words and locks</h3><ul>\(items.joined())</ul></section>"
  }
}

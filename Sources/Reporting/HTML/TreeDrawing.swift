// The page tables of one moment as parts of an SVG drawing: a part for each page and each arrow.

import GracewalkMachine
import GracewalkTraces

/// Draws pictures of one trace.
///
/// Parts that do not change between moments are equal strings, which the page stores once.
struct TreeDrawing {
  private let layout: TreeLayout
  /// Pages that the violation names, marked at the moment of the violation.
  private let suspects: [Int]
  /// Whether pages that are unreachable at the end are leaked.
  private let isLeak: Bool

  init(_ moments: TraceMoments) {
    layout = TreeLayout(moments.recording.pictures)
    suspects = moments.suspects
    isLeak = moments.violation?.id == "no-leaked-table-page"
  }

  var width: Int { layout.width }
  var height: Int { layout.height }
  var isEmpty: Bool { layout.places.isEmpty }

  /// The parts of a drawing: arrows first, so that boxes cover their ends.
  ///
  /// - Parameter isEnd: whether the invariant is violated here.
  func parts(
    _ picture: MachinePicture, before: MachinePicture?, isEnd: Bool
  ) -> [String] {
    let arrows = picture.pages.flatMap { page in
      page.entries.indices.compactMap { arrow(from: page, $0, in: picture, before) }
    }
    return arrows
      + picture.pages.compactMap {
        box($0, in: picture, before, isEnd: isEnd)
      }
  }

  private func arrow(
    from page: MachinePicture.Page, _ index: Int, in picture: MachinePicture,
    _ before: MachinePicture?
  ) -> String? {
    guard let target = page.entries[index].target, let child = picture.page(target),
      let start = layout.places[page.id], let end = layout.places[target]
    else { return nil }
    let isNew = before != nil && before?.page(page.id)?.entries[index].target != target
    let isLive = page.isReachable && page.lifetime == .inUse
    let kind = child.lifetime == .freed ? "e dead" : isLive ? "e" : "e off"
    let (x, y) = (
      start.x + layout.boxWidth,
      start.y + TreeLayout.headHeight + index * TreeLayout.rowHeight + TreeLayout.rowHeight / 2
    )
    let (toX, toY) = (end.x, end.y + 18)
    let bend = max((toX - x) / 2, 18)
    return "<path class=\"\(kind)\(isNew ? " ch" : "")\" "
      + "d=\"M\(x) \(y)C\(x + bend) \(y) \(toX - bend) \(toY) \(toX - 7) \(toY)\"/>"
      + "<path class=\"tip\(isNew ? " ch" : "")\" d=\"M\(toX) \(toY)l-8-4v8z\"/>"
  }

  private func box(
    _ page: MachinePicture.Page, in picture: MachinePicture, _ before: MachinePicture?, isEnd: Bool
  ) -> String? {
    guard let place = layout.places[page.id] else { return nil }
    let width = layout.boxWidth
    let height = TreeLayout.boxHeight(entries: page.entries.count)
    let old = before?.page(page.id)
    let state = PageState(page)
    let isSuspect = isEnd && suspects.contains(page.id)
    let isLeaked = isEnd && isLeak && state == .unreachable
    let changed = before != nil && (old == nil || old.map(PageState.init) != state)
    var classes = ["pg", Self.name(of: state)]
    if isSuspect || isLeaked { classes.append("bad") }
    let isLinked = !picture.links(to: page.id).isEmpty
    let label = label(page, state, isLinked: isLinked, isLeaked, isSuspect)
    var text =
      "<g class=\"\(classes.joined(separator: " "))\""
      + " transform=\"translate(\(place.x) \(place.y))\">"
      + "<title>\(HTMLText.escaped("\(page.name), \(page.origin)"))</title>"
      + "<rect class=\"bx\" width=\"\(width)\" height=\"\(height)\" rx=\"6\"/>"
      + "<text class=\"nm\" x=\"10\" y=\"18\">\(HTMLText.escaped(page.name))</text>"
      + references(page, old, hasMoment: before != nil)
      + "<text class=\"st\(changed ? " ch" : "")\" x=\"10\" y=\"34\">\(label)</text>"
    for (index, entry) in page.entries.enumerated() {
      let isChanged = before != nil && (old == nil || old?.entries[index] != entry)
      text += row(TreeLayout.text(of: entry), entry.kind, index, isChanged)
    }
    return text + "</g>"
  }

  private func references(
    _ page: MachinePicture.Page, _ old: MachinePicture.Page?, hasMoment: Bool
  ) -> String {
    guard !page.isObject else { return "" }
    let isChanged = hasMoment && old.map { $0.references != page.references } ?? false
    let noun = page.references == 1 ? "ref" : "refs"
    return "<text class=\"rf\(isChanged ? " ch" : "")\" x=\"\(layout.boxWidth - 10)\" y=\"18\">"
      + "\(page.references) \(noun)</text>"
  }

  private func row(
    _ text: String, _ kind: MachinePicture.EntryLook, _ index: Int, _ isChanged: Bool
  ) -> String {
    let top = TreeLayout.headHeight + index * TreeLayout.rowHeight
    let base = top + 14
    return "<g class=\"en \(kind.rawValue)\(isChanged ? " ch" : "")\">"
      + "<rect x=\"4\" y=\"\(top)\" width=\"\(layout.boxWidth - 8)\""
      + " height=\"\(TreeLayout.rowHeight - 1)\" rx=\"3\"/>"
      + (isChanged ? "<path d=\"M-2 \(top + 4)l7 5-7 5z\"/>" : "")
      + "<text class=\"ix\" x=\"10\" y=\"\(base)\">\(index)</text>"
      + "<text x=\"26\" y=\"\(base)\">\(HTMLText.escaped(text))</text></g>"
  }

  private func label(
    _ page: MachinePicture.Page, _ state: PageState, isLinked: Bool, _ isLeaked: Bool,
    _ isSuspect: Bool
  ) -> String {
    if isLeaked { return "✗ leaked" }
    let mark = isSuspect ? "✗ " : ""
    switch state {
    case .reachable where page.isRoot: return mark + "root"
    case .reachable: return mark + (page.level.map { "level \($0)" } ?? "table")
    case .object: return mark + "object"
    case .own: return mark + "not linked yet"
    case .unreachable: return mark + (isSuspect ? "unreachable" : "⚠ unreachable")
    case .freed: return mark + "freed" + (isLinked ? ", still linked" : "")
    case .inSlab: return mark + "free, in its slab"
    }
  }

  private static func name(of state: PageState) -> String {
    switch state {
    case .reachable, .object: "ok"
    case .own: "own"
    case .unreachable: "lost"
    case .freed: "freed"
    case .inSlab: "slab"
    }
  }
}

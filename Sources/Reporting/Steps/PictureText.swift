// A picture of the machine as lines of text: the tree, the caches and the states of CPUs.

import GracewalkMachine

struct PictureText {
  private let picture: MachinePicture
  private let before: MachinePicture?
  private let names: [String]

  /// A line, and whether it differs from the previous moment.
  struct Line: Equatable {
    var text: String
    var isChanged: Bool
  }

  init(_ picture: MachinePicture, before: MachinePicture?, cpus: [String]) {
    self.picture = picture
    self.before = before
    names = cpus
  }

  /// Tables, then cached entries, then CPUs in sections or waiting.
  var lines: [Line] {
    let old = before.map { PictureText($0, before: nil, cpus: names).texts } ?? []
    return texts.map { text in
      Line(text: text, isChanged: before != nil && !old.contains(text))
    }
  }

  private var texts: [String] {
    var shown: Set<Int> = []
    var lines: [String] = []
    for page in picture.pages where page.isRoot { add(page, "", depth: 0, &lines, &shown) }
    for page in picture.pages where shown.insert(page.id).inserted {
      let state = PageState(page).text
      lines.append((state.isEmpty ? "" : "\(state): ") + line(for: page))
    }
    return lines + cacheTexts + cpuTexts + wordTexts
  }

  private func add(
    _ page: MachinePicture.Page, _ label: String, depth: Int, _ lines: inout [String],
    _ shown: inout Set<Int>
  ) {
    let indent = String(repeating: "   ", count: max(depth - 1, 0)) + (depth > 0 ? "└ " : "")
    guard shown.insert(page.id).inserted else {
      lines.append("\(indent)\(label)\(page.name) (shown above)")
      return
    }
    let freed = page.lifetime == .freed ? "  (freed)" : ""
    lines.append("\(indent)\(label)\(line(for: page))\(freed)")
    for (index, entry) in page.entries.enumerated() {
      guard let child = entry.target.flatMap({ picture.page($0) }) else { continue }
      add(child, "[\(index)] ", depth: depth + 1, &lines, &shown)
    }
  }

  private func line(for page: MachinePicture.Page) -> String {
    let entries = page.entries.enumerated().map { "[\($0)] \($1.text)" }
    return "\(page.name): \(entries.joined(separator: "  "))"
  }

  private var cacheTexts: [String] {
    picture.units.flatMap { unit in
      let name = names[unit.cpu]
      let entries = unit.tables.map { ("walk cache", $0) } + unit.leaves.map { ("TLB", $0) }
      return entries.map { kind, entry in
        let stale = picture.staleness(of: entry).map { "  (\($0))" } ?? ""
        return "\(name), \(kind): \(entry.addresses) → \(entry.text)\(stale)"
      }
    }
  }

  private var cpuTexts: [String] {
    picture.cpus.indices.flatMap { cpu in
      CPUState.texts(of: cpu, in: picture, names: names).map { "\(names[cpu]): \($0)" }
    }
  }

  private var wordTexts: [String] {
    picture.words.filter { word in
      word.isLock && word.text != "free" || isChanged(word)
    }.map { "\($0.name): \($0.text)" }
  }

  private func isChanged(_ word: MachinePicture.Word) -> Bool {
    guard let old = before?.words.first(where: { $0.name == word.name }) else { return false }
    return old.text != word.text
  }
}

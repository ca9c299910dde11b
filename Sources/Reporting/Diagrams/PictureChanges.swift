// The differences between two pictures of a machine, as sentences.

import GracewalkMachine

/// One difference between a moment and the previous one.
public struct PictureChange: Equatable, Sendable {
  public var text: String
  /// True for changes that explain races.
  ///
  /// These are: a table is unlinked, a page is freed, an entry is made in an unreachable page, or a
  /// cached entry no longer matches the table.
  public var isNotable: Bool
  /// Ids of the pages that changed.
  public var pages: [Int]
}

/// Finds the differences between two pictures, in a fixed order.
struct PictureComparison {
  private let old: MachinePicture
  private let new: MachinePicture
  private let cpus: [String]
  private let history: PictureHistory
  private var changes: [PictureChange] = []

  /// - Parameter cpus: the names of the CPUs.
  static func changes(
    from old: MachinePicture, to new: MachinePicture, cpus: [String],
    _ history: PictureHistory
  ) -> [PictureChange] {
    var comparison = PictureComparison(old: old, new: new, cpus: cpus, history)
    comparison.comparePages()
    comparison.compareReachability()
    for (was, now) in zip(old.words, new.words) where was != now {
      comparison.add("\(now.name): \(was.text) → \(now.text)")
    }
    for (was, now) in zip(old.units, new.units) { comparison.compare(was, now) }
    for cpu in new.cpus.indices { comparison.compareCPU(cpu) }
    return comparison.changes
  }

  private init(
    old: MachinePicture, new: MachinePicture, cpus: [String],
    _ history: PictureHistory
  ) {
    self.history = history
    self.old = old
    self.new = new
    self.cpus = cpus
  }

  private mutating func add(_ text: String, isNotable: Bool = false, _ pages: [Int] = []) {
    changes.append(PictureChange(text: text, isNotable: isNotable, pages: pages))
  }

  // MARK: Pages

  private mutating func comparePages() {
    for page in new.pages {
      guard let before = old.page(page.id) else {
        add("\(page.name) is \(page.origin); no other CPU can reach it yet", [page.id])
        continue
      }
      compareLifetime(before, page)
      compareEntries(before, page)
      if before.references != page.references {
        add("\(page.name): references \(before.references) → \(page.references)", [page.id])
      }
    }
  }

  private mutating func compareLifetime(_ was: MachinePicture.Page, _ now: MachinePicture.Page) {
    guard was.lifetime != now.lifetime else { return }
    switch now.lifetime {
    case .freed:
      let links = list(new.links(to: now.id))
      let although = links.isEmpty ? "" : ", although \(links) still leads to it"
      add("\(now.name) is freed\(although)", isNotable: true, [now.id])
    case .inSlab: add("\(now.name) is free again, in its slab", isNotable: true, [now.id])
    case .inUse: add("\(now.name) is handed out by its slab", isNotable: true, [now.id])
    }
  }

  private mutating func compareEntries(_ was: MachinePicture.Page, _ now: MachinePicture.Page) {
    let page = now
    for (index, (before, entry)) in zip(was.entries, page.entries).enumerated()
    where before != entry {
      let change = "\(page.name)[\(index)]: \(before.text) → \(entry.text)"
      let pages = [page.id] + (entry.target.map { [$0] } ?? [])
      let isMade = entry.kind == .table || entry.kind == .leaf
      if page.lifetime == .freed {
        add("\(change), in a page that was freed", isNotable: true, pages)
      } else if isMade, page.isPublished, !page.isReachable, !page.isObject,
        page.lifetime == .inUse, !history.isFresh(page.id)
      {
        let how = history.unlinked[page.id].map { "although \(page.name) was \($0)" }
        add("\(change), \(how ?? "in a table that no root leads to")", isNotable: true, pages)
      } else {
        add(change, pages)
      }
    }
  }

  private mutating func compareReachability() {
    let known = new.pages.filter { page in old.page(page.id) != nil && !page.isObject }
    let lost = known.filter { !$0.isReachable && old.page($0.id)?.isReachable == true }
    let found = known.filter { $0.isReachable && old.page($0.id)?.isReachable == false }
    if !lost.isEmpty {
      let verb = lost.count == 1 ? "is" : "are"
      add(
        "\(list(lost.map(\.name))) \(verb) unlinked: no root leads there any more",
        isNotable: true, lost.map(\.id))
    }
    if !found.isEmpty {
      let verb = found.count == 1 ? "is" : "are"
      add("\(list(found.map(\.name))) \(verb) linked into the tree", found.map(\.id))
    }
  }

  // MARK: Caches

  private mutating func compare(_ was: MachinePicture.Unit, _ now: MachinePicture.Unit) {
    let name = cpus[now.cpu]
    let kinds = [(was.tables, now.tables, true), (was.leaves, now.leaves, false)]
    for (before, after, isTable) in kinds {
      let what = { (entry: MachinePicture.CachedEntry) in
        isTable
          ? "the pointer to \(entry.text) for \(entry.addresses)"
          : "\(entry.addresses) → \(entry.text)"
      }
      for entry in after {
        let pages = entry.page.map { [$0] } ?? []
        let same = before.first { $0.isSameEntry(as: entry) }
        if same == nil {
          add("the MMU of \(name) caches \(what(entry))", isNotable: !entry.isCurrent, pages)
        } else if same?.isCurrent == true, !entry.isCurrent {
          add(
            "the MMU of \(name) still has \(what(entry)) cached", isNotable: true, pages)
        }
      }
      for entry in before where !after.contains(where: { $0.isSameEntry(as: entry) }) {
        add("the MMU of \(name) drops \(what(entry))", entry.page.map { [$0] } ?? [])
      }
    }
  }

  // MARK: CPUs

  /// The sentences for a CPU that enters a section, or masks its interrupts.
  static func entering(_ name: String) -> [String] {
    ["\(name) enters a read-side section", "\(name) masks its interrupts"]
  }

  private mutating func compareCPU(_ cpu: Int) {
    guard cpu < old.cpus.count else { return }
    let (was, now, name) = (old.cpus[cpu], new.cpus[cpu], cpus[cpu])
    let entering = Self.entering(name)
    if was.isInSection != now.isInSection {
      add(now.isInSection ? entering[0] : "\(name) leaves the read-side section")
    }
    if was.hasInterruptsMasked != now.hasInterruptsMasked {
      add(now.hasInterruptsMasked ? entering[1] : "\(name) unmasks its interrupts")
    }
    if let wait = now.wait, was.wait == nil || was.awaits != now.awaits {
      let whom = now.awaits.isEmpty ? "no CPU any more" : list(now.awaits.map { cpus[$0] })
      add("\(name) waits for \(whom) (\(wait.rawValue))")
    } else if was.wait != nil, now.wait == nil {
      add("\(name)continues (\(was.wait?.rawValue ?? ""))")
    }
    for callback in now.callbacks where callback != was.callbacks.matching(callback) {
      let text = "callback \(callback.number) of \(name)"
      if callback.isRunning {
        add("\(text) runs")
      } else if was.callbacks.matching(callback) == nil {
        add(
          "\(text) is queued; \(awaited(callback.awaits))",
          isNotable: true)
      } else if callback.awaits.isEmpty {
        add("\(text) may run: its grace period can end")
      }
    }
    for callback in was.callbacks where now.callbacks.matching(callback) == nil {
      add("callback \(callback.number) of \(name) is done")
    }
    if let place = now.blockedAt, now.wait == nil, was.blockedAt != place, now.role == .program {
      add("\(name) cannot continue: it is at '\(place)'")
    }
  }

  private func awaited(_ numbers: [Int]) -> String {
    guard !numbers.isEmpty else { return "no CPU is in a section" }
    let sections = numbers.count == 1 ? "the section" : "the sections"
    return "it waits for \(sections) of \(list(numbers.map { cpus[$0] })) to end"
  }
}

/// Facts about pages from earlier pictures.
struct PictureHistory {
  /// How unreachable pages were unlinked, by page id.
  private(set) var unlinked: [Int: String] = [:]
  /// Pages that a slab has handed out and that have not been linked since.
  private var fresh: Set<Int> = []

  func isFresh(_ page: Int) -> Bool { fresh.contains(page) }

  /// - Parameter how: says which step unlinked pages between the two pictures.
  mutating func note(_ old: MachinePicture, _ new: MachinePicture, _ how: String) {
    for page in new.pages {
      let before = old.page(page.id)
      if page.lifetime == .inUse, before?.lifetime == .inSlab { fresh.insert(page.id) }
      if page.isReachable || page.lifetime != .inUse {
        unlinked[page.id] = nil
      } else if before?.isReachable == true {
        unlinked[page.id] = how
      }
      if page.isReachable { fresh.remove(page.id) }
    }
  }
}

/// Names as part of a sentence.
func list(_ names: [String]) -> String {
  guard let last = names.last, names.count > 1 else { return names.first ?? "" }
  return names.dropLast().joined(separator: ", ") + " and " + last
}

extension MachinePicture {
  func page(_ id: Int) -> Page? { pages.first { $0.id == id } }

  /// The entries of reachable pages in use that lead to a page.
  func links(to id: Int) -> [String] {
    pages.filter { $0.isReachable && $0.lifetime == .inUse }.flatMap { page in
      page.entries.indices.filter { page.entries[$0].target == id }.map { "\(page.name)[\($0)]" }
    }
  }
}

extension MachinePicture.CachedEntry {
  /// True if it is the same cached entry, although the table may have changed.
  func isSameEntry(as other: MachinePicture.CachedEntry) -> Bool {
    addresses == other.addresses && text == other.text && page == other.page
      && entry == other.entry
  }
}

extension [MachinePicture.Callback] {
  fileprivate func matching(_ callback: MachinePicture.Callback) -> MachinePicture.Callback? {
    first { $0.number == callback.number }
  }
}

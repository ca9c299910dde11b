// The position of each page in the drawing: the same at every moment, so that nothing jumps.

import GracewalkMachine

/// A column for each level, the children of a page to its right, in the order of its entries.
///
/// An unlinked page keeps its place, so the reader sees that no arrow leads there any more.
struct TreeLayout {
  struct Place: Equatable {
    var x: Int
    var y: Int
  }

  static let rowHeight = 19
  static let headHeight = 42
  private static let gap = 18
  private static let columnGap = 32
  private static let margin = 8

  private(set) var places: [Int: Place] = [:]
  let boxWidth: Int
  private(set) var width = 0
  private(set) var height = 0

  private var children: [Int: [Int]] = [:]
  private var levels: [Int: Int] = [:]
  /// The first free place of each column.
  private var free: [Int] = []
  private var bottoms: [Int: Int] = [:]

  init(_ pictures: [MachinePicture]) {
    let pages = pictures.last?.pages ?? []
    boxWidth = Self.boxWidth(pictures)
    var parents: Set<Int> = []
    for picture in pictures {
      for page in picture.pages {
        if let level = page.level { levels[page.id] = level }
        for target in page.entries.compactMap(\.target)
        where target != page.id && parents.insert(target).inserted {
          children[page.id, default: []].append(target)
        }
      }
    }
    let tops = pages.filter(\.isRoot) + pages.filter { !$0.isRoot && !parents.contains($0.id) }
    let entries = Dictionary(pages.map { ($0.id, $0.entries.count) }) { first, _ in first }
    for page in tops + pages {
      place(page.id, column: levels[page.id] ?? 0, below: 0, entries)
    }
    width = (places.values.map(\.x).max() ?? 0) + boxWidth + Self.margin
    height = (bottoms.values.max() ?? 0) + Self.margin
  }

  /// An entry that leads to a table is an arrow; its name is enough.
  static func text(of entry: MachinePicture.Entry) -> String {
    entry.kind == .table && entry.text.hasPrefix("table ")
      ? "→ " + entry.text.dropFirst("table ".count) : entry.text
  }

  static func boxHeight(entries: Int) -> Int { headHeight + entries * rowHeight + 5 }

  private mutating func place(
    _ page: Int, column: Int, below top: Int, _ entries: [Int: Int]
  ) {
    guard places[page] == nil, let count = entries[page] else { return }
    while free.count <= column { free.append(Self.margin) }
    let y = max(free[column], top)
    places[page] = Place(
      x: Self.margin + column * (boxWidth + Self.columnGap), y: y)
    bottoms[page] = y + Self.boxHeight(entries: count)
    free[column] = y + Self.boxHeight(entries: count) + Self.gap
    for child in children[page] ?? [] {
      place(child, column: max(levels[child] ?? 0, column + 1), below: y, entries)
    }
  }

  /// Wide enough for every text of every moment.
  private static func boxWidth(_ pictures: [MachinePicture]) -> Int {
    var longest = 16
    for picture in pictures {
      for page in picture.pages {
        longest = max(longest, page.name.count + 8)
        for entry in page.entries {
          longest = max(longest, Self.text(of: entry).count + 5)
        }
      }
    }
    return min(longest, 60) * 7 + 20
  }
}

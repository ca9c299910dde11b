// What boot code of several systems does: tables with something mapped, before anybody runs.

import Gracewalk

extension VirtualCPU {
  /// Fills an empty entry, which then holds a reference on its table.
  func fill(_ table: TablePage, _ index: Int, _ entry: Descriptor) throws {
    try store(table.entry(index), entry, .relaxed)
    try getPage(table)
  }

  /// Makes the root's first entry lead to a new table whose first entry is this one.
  func mapFirst(_ root: TablePage, _ leaf: Descriptor) throws {
    guard let table = try allocateTable() else { return }
    try fill(table, 0, leaf)
    try fill(root, 0, .table(table))
  }
}

extension Stage2Table {
  /// Maps pages below the root's first entry, read-only as dirty logging leaves them.
  func mapReadOnly(_ cpu: VirtualCPU, _ pages: Range<Int>) throws {
    for page in pages { _ = try map(cpu, page) }
    guard let leaves = cpu.table(at: try cpu.load(root.entry(0), .relaxed)) else { return }
    for page in pages { try cpu.store(leaves.entry(page), .page(page).readOnly, .relaxed) }
  }
}

// Random programs with tables of three levels: the same instructions, a level further down.

import GracewalkMachine

extension RandomProgram {
  /// The same program with tables of three levels.
  ///
  /// From the start there is a table between the root and the last level. Some instructions go
  /// through it, and others on the same entry of the root remove it, with whatever is below it.
  public var deeper: RandomProgram {
    var program = self
    program.levels = 3
    return program
  }

  var isDeep: Bool { levels > 2 }

  static func bootMiddle(_ root: TablePage, _ scenario: Scenario) {
    scenario.boot { cpu in
      guard let middle = try cpu.allocateTable() else { return }
      let table = Descriptor.table(middle, writable: true)
      try cpu.store(root.entry(0), cpu.format == .armStage2 ? .table(middle) : table, .release)
    }
  }

  /// The entry that an instruction is about: one of the root, or of a table that one leads to.
  static func slot(
    of step: Step, _ objects: Objects, _ cpu: VirtualCPU
  ) throws -> Location {
    let entry = objects.root[Int(step.old) % 2]
    guard objects.isDeep, step.new == 1 else { return entry }
    let middle = cpu.table(at: Descriptor(bits: try cpu.load(entry, .acquire)))
    return middle.map { $0[step.word % 2] } ?? entry
  }

  /// The entry above the last level for an address, or the root's if no table is there.
  static func top(
    of root: TablePage, _ address: Int, _ objects: Objects, _ cpu: VirtualCPU
  ) throws -> Location {
    guard objects.isDeep else { return root[address / 2] }
    let middle = cpu.table(at: Descriptor(bits: try cpu.load(root[0], .acquire)))
    return middle.map { $0[address / 2] } ?? root[0]
  }
}

extension RandomProgram.Objects {
  /// A word of a page for counting: an entry, unless it may lead to a table.
  func number(in page: TablePage, _ index: Int) -> Location {
    isDeep ? page.privateWord : page[index]
  }
}

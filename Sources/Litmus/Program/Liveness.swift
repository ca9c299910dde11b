// Which registers still matter where: those that do not are no part of a process's state.

extension Process {
  /// Per instruction, and at the end, the registers whose values may still be read, in order.
  ///
  /// Two states of a process that differ in others alone do the same from there on, so they are
  /// taken for one.
  ///
  /// - Parameter observed: registers that are looked at when the process has ended.
  func liveRegisters(observed: Set<Int>) -> [[Int]] {
    let count = instructions.count
    var live = Array(repeating: Array(repeating: false, count: registers.count), count: count + 1)
    for register in observed { live[count][register] = true }
    var changes = true
    while changes {
      changes = false
      for index in stride(from: count - 1, through: 0, by: -1) {
        let now = registersRead(from: index, live)
        if now != live[index] {
          live[index] = now
          changes = true
        }
      }
    }
    return live.map { row in row.indices.filter { row[$0] } }
  }

  private func registersRead(from index: Int, _ live: [[Bool]]) -> [Bool] {
    let instruction = instructions[index]
    let count = instructions.count
    var row = instruction.goesOn ? live[index + 1] : Array(repeating: false, count: registers.count)
    if let target = instruction.target {
      for (register, isLive) in live[min(target, count)].enumerated() where isLive {
        row[register] = true
      }
    }
    if let result = instruction.result { row[result] = false }
    for case .register(let register) in instruction.operands { row[register] = true }
    return row
  }
}

// Atomic accesses of 16 bytes: what is given and what is read is in memory of the thread's own.

import GracewalkExploration
import GracewalkLLVM
import GracewalkSupport

extension ProgramMachine {
  private static let half = 8, size = 16

  /// A thread's area has the value that is expected, or given, and then the one that replaces it;
  /// what was read is put in the place of the first.
  func performWide(_ request: Request, by cpu: Int) throws(Finding) -> Effect {
    let kind = request.wide
    let writesAlways = kind == .store || kind == .exchange
    let (record, offset) = try locate(request.address, Self.size, writes: writesAlways)
    let (area, start) = try locate(request.a, 2 * Self.size, writes: true)
    guard offset % Self.size == 0 else {
      throw Finding(.misaligned, "an atomic access of 16 bytes at \(name(of: request.address))")
    }
    guard kind == .store || isInitialised(record, offset, Self.size) else {
      throw Finding(.uninitialised, "\(name(of: request.address)) is read before it is written")
    }
    let matches = kind == .compare && equalsExpected(request)
    if matches, layout.records[record].isConstant {
      throw Finding(.constantWrite, "\(name(of: request.address)) is written, which is constant")
    }
    let writes = writesAlways || matches
    let ordering = kind == .compare && !matches ? request.failure : request.ordering
    for part in [offset, offset + Self.half] where kind != .store {
      acquire(record, part, ordering, by: cpu)
    }
    try touch(record, offset, Self.size, by: cpu, request, writes: writes)
    for part in [offset, offset + Self.half] where writes {
      release(record, part, ordering, by: cpu, continues: kind != .store)
    }
    let new = kind == .compare ? start + Self.size : start
    for part in [0, Self.half] {
      let old = read(record, offset + part, Self.half)
      if writes { write(record, offset + part, Self.half, read(area, new + part, Self.half)) }
      if kind == .store { continue }
      // By how much the area changes is noted, so it is read.
      _ = read(area, start + part, Self.half)
      write(area, start + part, Self.half, old)
    }
    return Effect(
      result: matches ? 1 : 0, isVisible: writes, address: request.address, size: Self.size)
  }

  private func equalsExpected(_ request: Request) -> Bool {
    guard let (record, offset) = try? locate(request.address, Self.size, writes: false),
      let (area, start) = try? locate(request.a, Self.size, writes: false)
    else { return true }
    return [0, Self.half].allSatisfy {
      read(record, offset + $0, Self.half) == read(area, start + $0, Self.half)
    }
  }

  func addWide(_ request: Request, to footprint: Footprint, isPotential: Bool) {
    let writes =
      switch request.wide {
      case .load: false
      case .store, .exchange: true
      case .compare: isPotential || equalsExpected(request)
      }
    addCells(request.address, Self.size, writes: writes, .plain, to: footprint)
  }
}

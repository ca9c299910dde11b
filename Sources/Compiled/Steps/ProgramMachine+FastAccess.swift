// Atomic accesses to one word of a global that several threads access: most steps are.
//
// Where such an access goes is the same in all executions of an attempt at a search, so it is
// worked out once for each local state. It does what `perform` would do, in fewer words.

import GracewalkExploration
import GracewalkLLVM
import GracewalkSupport

extension ProgramMachine {
  /// Prepares a local state whose step is not local, if its step is such an access.
  func makeFast(_ node: Int) {
    if weak != nil { return }
    let request = graph.points.pointer(to: node).pointee.request
    switch request.kind {
    case .load, .store: if !request.isAtomic { return }
    case .compareExchange, .update: break
    default: return
    }
    guard let region = Region.number(of: request.address), Region.kind(of: region) == .global
    else { return }
    let record = layout.record(ofRegion: region)
    let offset = Region.offset(of: request.address)
    guard record >= 0, !layout.records[record].isConstant, request.size <= 8,
      offset % request.size == 0, offset + request.size <= layout.records[record].capacity
    else { return }
    let cell = layout.cell(record, offset, request.size)
    guard cell >= 0, layout.isShared(cell) else { return }
    let point = graph.points.pointer(to: node)
    point.pointee.object = object(cell)
    point.pointee.index = Int32(base(of: record) + 1 + (offset >> 3))
    point.pointee.shift = UInt8(offset & 7) * 8
    point.pointee.coverage = UInt8(coverage(record, offset, request.size))
    point.pointee.isFast = true
  }

  @inline(__always)
  private func fastRead(_ point: ThreadGraph.Point) -> UInt64 {
    reads.noteRead(Int(point.index) &* 8 &+ Int(point.shift) >> 3, point.request.size)
    return data[Int(point.index)] >> UInt64(point.shift) & mask(point.request.size * 8)
  }

  @inline(__always)
  private func fastWrite(_ point: ThreadGraph.Point, _ value: UInt64) {
    let bits = mask(point.request.size * 8)
    let index = Int(point.index)
    let start = index &* 8 &+ Int(point.shift) >> 3
    reads.noteWrite(start, start &+ Int(point.coverage))
    data[index] =
      data[index] & ~(bits << UInt64(point.shift)) | (value & bits) << UInt64(point.shift)
  }

  func fastAccess(_ point: ThreadGraph.Point) -> Effect {
    let request = point.request
    if request.kind == .store {
      fastWrite(point, request.a)
      return Effect(isVisible: true)
    }
    let old = fastRead(point)
    var effect = Effect(
      result: old & mask(request.bits), address: request.address, size: request.size)
    if request.kind == .compareExchange {
      if old == request.a {
        fastWrite(point, request.b)
        effect.isVisible = request.b != old
      }
    } else if request.kind == .update {
      let new = Arithmetic.updated(request.update, bits: request.bits, old, request.a)
      fastWrite(point, new)
      effect.isVisible = new & mask(request.size * 8) != old
    }
    return effect
  }

  /// The result of a step now, if it would change nothing.
  func fastResultWithoutChange(_ point: ThreadGraph.Point) -> UInt64? {
    let request = point.request
    let old = fastRead(point)
    switch request.kind {
    case .load: return old & mask(request.bits)
    case .compareExchange: return old != request.a || request.b == old ? old : nil
    case .update:
      let new = Arithmetic.updated(request.update, bits: request.bits, old, request.a)
      return new & mask(request.size * 8) == old ? old : nil
    default: return nil
    }
  }

  func addFast(
    _ point: UnsafeMutablePointer<ThreadGraph.Point>, to footprint: Footprint, isPotential: Bool
  ) {
    let request = point.pointee.request
    let writes =
      switch request.kind {
      case .load: false
      case .compareExchange where !isPotential: fastRead(point.pointee) == request.a
      default: true
      }
    if writes {
      footprint.write(point.pointee.object)
    } else {
      footprint.read(point.pointee.object)
    }
  }
}

// What a table is for: a map from addresses to pages, one operation at a time.

import Gracewalk

/// The sequential meaning of a stage-2 table's operations.
struct AddressMap: SequentialSpecification {
  enum Call: Int, CaseIterable {
    case map, unmap, lookUp, collapse

    var name: String { self == .lookUp ? "look up" : "\(self)" }
  }

  let geometry: Geometry
  /// Addresses mapped from the start.
  let mapped: [Int]

  var initial: [UInt64] {
    (0..<geometry.addressCount).map { mapped.contains($0) ? 1 : 0 }
  }

  static func call(_ call: Call, _ address: Int) -> SpecificationCall {
    SpecificationCall(operation: call.rawValue, argument: address)
  }

  func apply(_ call: SpecificationCall, returning result: UInt64, to state: [UInt64]) -> [UInt64]? {
    guard let result = Stage2Result(rawValue: result), let what = Call(rawValue: call.operation)
    else { return nil }
    // Giving up is always allowed and changes nothing.
    if result == .retry || result == .outOfMemory { return state }
    let address = call.argument
    let isMapped = state[address] == 1
    var next = state
    switch (what, result) {
    case (.map, .already): return isMapped ? state : nil
    case (.map, .done):
      guard !isMapped else { return nil }
      next[address] = 1
      return next
    case (.unmap, .already): return isMapped ? nil : state
    case (.unmap, .done):
      guard isMapped else { return nil }
      next[address] = 0
      return next
    case (.lookUp, .mapped): return isMapped ? state : nil
    case (.lookUp, .notMapped): return isMapped ? nil : state
    case (.collapse, .already): return state
    case (.collapse, .done):
      let span = geometry.span(ofEntryAt: 0)
      let first = address / span * span
      for covered in first..<first + span { next[covered] = 1 }
      return next
    default: return nil
    }
  }

  func text(of call: SpecificationCall) -> String {
    let name = Call(rawValue: call.operation)?.name ?? "?"
    return "\(name) 0x\(String(call.argument, radix: 16))"
  }

  func text(ofResult result: UInt64) -> String {
    Stage2Result(rawValue: result).map { String(describing: $0) } ?? "?"
  }
}

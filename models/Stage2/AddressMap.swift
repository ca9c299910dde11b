// The specification of a table: a map from addresses to pages, one operation at a time.

import Gracewalk

enum MapCall: String, CaseIterable {
  case map, unmap, lookUp = "look up", collapse
}

extension OperationsLinearise {
  /// To a map from addresses to pages, of which some are mapped from the start.
  init(toMap geometry: Geometry, mapped: [Int]) {
    let initial: [UInt64] = (0..<geometry.addressCount).map { mapped.contains($0) ? 1 : 0 }
    self.init(
      to: Specification(initial: initial) { (call: MapCall, address, result: Stage2Result, state) in
        let isMapped = state[address] == 1
        switch (call, result) {
        // Giving up is always allowed and changes nothing.
        case (_, .retry), (_, .outOfMemory), (.collapse, .already): return true
        case (.map, .already), (.lookUp, .mapped): return isMapped
        case (.unmap, .already), (.lookUp, .notMapped): return !isMapped
        case (.map, .done), (.unmap, .done):
          state[address] = isMapped ? 0 : 1
          return isMapped == (call == .unmap)
        case (.collapse, .done):
          for page in geometry.addresses(sharingEntryWith: address, at: 0) { state[page] = 1 }
          return true
        default: return false
        }
      })
  }
}

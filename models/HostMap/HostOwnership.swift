// The specification of donating and reclaiming: each page always has one owner that can reach it.

import Gracewalk

enum HostCall: String, CaseIterable {
  case hostRead = "host reads"
  case guestWrite = "guest writes"
  case donate, reclaim
}

/// The result of an operation on the host's table.
enum HostResult: UInt64, OperationResult {
  case done
  /// An access reached its frame, or was not allowed.
  case reached, refused
  /// An access that is allowed faulted again and again.
  case faultedForEver
}

extension OperationsLinearise {
  /// To a map from pages to owners, in which some are the guest's from the start.
  init(toOwners geometry: Geometry, donated: [Int]) {
    let initial: [UInt64] = (0..<geometry.addressCount).map { donated.contains($0) ? 1 : 0 }
    self.init(
      to: Specification(initial: initial) { (call: HostCall, page, result: HostResult, owners) in
        let isGuests = owners[page] == 1
        switch (call, result) {
        case (.hostRead, .reached), (.guestWrite, .refused): return !isGuests
        case (.hostRead, .refused), (.guestWrite, .reached): return isGuests
        case (.donate, .done), (.reclaim, .done):
          owners[page] = isGuests ? 0 : 1
          return isGuests == (call == .reclaim)
        default: return false
        }
      })
  }
}

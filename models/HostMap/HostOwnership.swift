// What donating and reclaiming are for: at any time a page belongs to one who can reach it.

import Gracewalk

/// What an operation on the host's table came to.
enum HostResult: UInt64, OperationResult {
  case done
  /// An access reached its frame.
  case reached
  /// An access was not allowed.
  case refused
  /// An access that is allowed faulted again and again.
  case faultedForEver
}

/// A map from pages to owners, one operation at a time.
struct HostOwnership: SequentialSpecification {
  enum Call: Int {
    case hostRead, guestWrite, donate, reclaim

    var name: String {
      switch self {
      case .hostRead: "host reads"
      case .guestWrite: "guest writes"
      case .donate, .reclaim: "\(self)"
      }
    }
  }

  let pageCount: Int
  /// Pages that belong to the guest from the start.
  let donated: [Int]

  /// 0 where the page is the host's, 1 where it is the guest's.
  var initial: [UInt64] { (0..<pageCount).map { donated.contains($0) ? 1 : 0 } }

  func apply(_ call: SpecificationCall, returning result: UInt64, to state: [UInt64]) -> [UInt64]? {
    let isGuests = state[call.argument] == 1
    var next = state
    switch (Call(rawValue: call.operation), HostResult(rawValue: result)) {
    case (.hostRead, .reached), (.guestWrite, .refused): return isGuests ? nil : state
    case (.hostRead, .refused), (.guestWrite, .reached): return isGuests ? state : nil
    case (.donate, .done):
      next[call.argument] = 1
      return isGuests ? nil : next
    case (.reclaim, .done):
      next[call.argument] = 0
      return isGuests ? next : nil
    default: return nil
    }
  }

  func text(of call: SpecificationCall) -> String {
    "\(Call(rawValue: call.operation)?.name ?? "?") 0x\(String(call.argument, radix: 16))"
  }

  func text(ofResult result: UInt64) -> String {
    HostResult(rawValue: result).map { String(describing: $0) } ?? "?"
  }
}

// What the code of a random program asks for: one indivisible step.

/// One step of a CPU, as code asks for it.
///
/// Code is a function of the results of its steps: it is run from the start of an instruction with
/// the results that are known, and throws the first step whose result is not.
enum PlainStep: Error, Hashable {
  case load(Place)
  case dereference(Place)
  case store(Place, UInt64)
  case compareExchange(Place, UInt64, UInt64)
  case exchange(Place, UInt64)
  case add(Place, UInt64)
  case incrementUnlessZero(Place)
  case and(Place, UInt64)
  case or(Place, UInt64)
  case xor(Place, UInt64)
  case wait(Place, mask: UInt64, UInt64)
  case choose(Int)

  case lock(Lock), tryLock(Lock), unlock(Lock)
  case readLock, tryReadLock, readUnlock
  case writeLock, tryWriteLock, writeUnlock, downgrade

  case enterSection, leaveSection, mask, unmask
  case beginGracePeriod, endGracePeriod, sendInterrupt, interruptTaken
  case queue(PlainCallback), startCallback, endCallback
  case beginBarrier, endBarrier

  case allocate, free(page: Int)
  case allocateFromSlab, freeToSlab(page: Int), shrink
  case use, release
  case cutOff

  enum Place: Hashable {
    case word(Int)
    case entry(page: Int, Int)
    case privateWord(page: Int)

    var page: Int? {
      switch self {
      case .word: nil
      case .entry(let page, _), .privateWord(let page): page
      }
    }
  }

  enum Lock: Hashable {
    case spin(Int)
    case page(Int)
  }

  /// The page whose use it is.
  var page: Int? {
    switch self {
    case .load(let place), .dereference(let place), .store(let place, _),
      .compareExchange(let place, _, _), .exchange(let place, _), .add(let place, _),
      .incrementUnlessZero(let place), .and(let place, _), .or(let place, _), .xor(let place, _),
      .wait(let place, _, _):
      return place.page
    case .lock(.page(let page)), .tryLock(.page(let page)), .unlock(.page(let page)): return page
    default: return nil
    }
  }
}

/// The numbers by which code refers to pages, as the documentation of memory states them.
enum PlainAddress {
  /// Pages of each CPU, and pages that exist from the start.
  static let pagesPerOwner = 16
  static let entries = 2
  static let validBit: UInt64 = 1
  static let tableBit: UInt64 = 1 << 1
  static let writeBit: UInt64 = 1 << 7

  static func number(ofPage index: Int, allocatedBy cpu: Int) -> Int {
    (cpu + 1) * pagesPerOwner + index
  }

  static func address(ofPage number: Int) -> UInt64 { UInt64(number + 1) << 12 }

  /// An entry that points to a table.
  static func entry(to page: Int) -> UInt64 { address(ofPage: page) | tableBit | validBit }

  static func isValid(_ entry: UInt64) -> Bool { entry & validBit != 0 }

  /// The table that an entry points to.
  static func table(_ entry: UInt64) -> Int? {
    guard entry & validBit != 0, entry & tableBit != 0 else { return nil }
    return page(above: entry & 0xFFFF_FFFF_F000)
  }

  /// The page that a word holds the address of, or of one of whose entries.
  static func page(at address: UInt64) -> Int? {
    guard address & 3 == 0, (address & 0xFFF) >> 2 < UInt64(entries) else { return nil }
    return page(above: address)
  }

  private static func page(above address: UInt64) -> Int? {
    let number = address >> 12
    return number > 0 && number < 0x10000 ? Int(number) - 1 : nil
  }
}

// What an access, or a walk, may read.

/// What a load, or a read-modify-write, may do.
enum Reading: Equatable {
  /// It reads the visible store at a place of the word's list.
  case visible(Int)
  /// It reads the newest pending store of its own CPU.
  case own
  /// A read-modify-write reads the newest store, and changes the word.
  case update
}

/// Which of them an access has to choose from, the newest value first.
struct Readings: BitwiseCopyable {
  private var isUpdate = false
  private var isOwn = false
  /// Places of visible stores, as a set: a word with more than there is room for ends the check.
  private var places: UInt64 = 0

  var isEmpty: Bool { count == 0 }
  var count: Int { places.nonzeroBitCount + (isUpdate ? 1 : 0) + (isOwn ? 1 : 0) }

  mutating func insert(_ reading: Reading) {
    switch reading {
    case .update: isUpdate = true
    case .own: isOwn = true
    case .visible(let place):
      precondition(place < 64, "[internal] a word has too many visible stores")
      places |= 1 << UInt64(place)
    }
  }

  /// The reading of a choice.
  subscript(choice: Int) -> Reading {
    var choice = choice
    if isUpdate {
      if choice == 0 { return .update }
      choice -= 1
    }
    if isOwn {
      if choice == 0 { return .own }
      choice -= 1
    }
    var left = places
    for _ in 0..<choice { left &= ~(1 << UInt64(63 - left.leadingZeroBitCount)) }
    precondition(left != 0, "[internal] there is no such choice")
    return .visible(63 - left.leadingZeroBitCount)
  }

  /// The place of the visible store of a choice; nil if there is no such choice.
  func place(_ choice: Int) -> Int? {
    guard choice < count, case .visible(let place) = self[choice] else { return nil }
    return place
  }
}

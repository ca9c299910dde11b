// Invariants of states stored in full: their bytes decode to the words that were written.

import GracewalkSupport

extension ExactStates {
  /// Checks the latest state, whose words are still in `words`.
  func checkInvariants() {
    #if CHECKS_INVARIANTS
      mustHold(numbers.count == starts.count, "a key for each state")
      var byte = starts.last
      for index in 0..<words.count {
        var word: UInt64 = 0
        var shift: UInt64 = 0
        while byte < store.count {
          word |= UInt64(store[byte] & 0x7F) << shift
          shift += 7
          byte += 1
          if store[byte - 1] < 0x80 { break }
        }
        mustHold(word == words[index], "word \(index) of a state reads \(word)")
      }
      mustHold(byte == store.count, "a state has more bytes than words")
    #endif
  }
}

// Invariants of states stored in full: their bytes decode to the words that were written.

import GracewalkSupport

extension ExactPart {
  /// Checks the latest state, whose words are given.
  @inline(__always)
  func checkLatest(_ words: GrowableBuffer<UInt64>) {
    #if CHECKS_INVARIANTS
      mustHold(numbers.count == starts.count, "a key for each state")
      var byte = starts.last
      for index in 0..<words.count {
        var word: UInt64 = 0
        var shift: UInt64 = 0
        while byte < bytesStored.count {
          word |= UInt64(bytesStored[byte] & 0x7F) << shift
          shift += 7
          byte += 1
          if bytesStored[byte - 1] < 0x80 { break }
        }
        mustHold(word == words[index], "word \(index) of a state reads \(word)")
      }
      mustHold(byte == bytesStored.count, "a state has more bytes than words")
    #endif
  }
}

// When a stateful search matches states on what is read below them, and when it stops to do so.

extension StatefulSearch {
  /// Stops to match states where that has found too little, or cannot go on.
  ///
  /// Summaries keep the sets of words that were read, which nobody asks for any more.
  @inline(__always)
  func stopMatchingIfUseless() {
    guard let matching else { return }
    if matching.readsMore || !isInTeam && !matching.isWorthwhile { stopMatching() }
  }

  /// The summary of a finished state that the current one matches, if any.
  @inline(__always)
  func findMatch() -> Int? {
    switch matching?.find() {
    case .own(let set): set
    case .shared(let number): adopt(UInt32(truncatingIfNeeded: number))
    case nil: nil
    }
  }

  /// Rows in use no longer say all that is read below their nodes, so there is no way back.
  func stopMatching() { matching = nil }
}

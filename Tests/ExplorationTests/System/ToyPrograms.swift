// Random toy programs.

import GracewalkSupport

extension ToySystem {
  /// - Parameter waitsForAll: whether one instruction in five waits for several words at once.
  convenience init(seed: UInt64, waitsForAll: Bool = false) {
    var random = SplitMix64(seed: seed)
    func number(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }
    let (words, values) = ((waitsForAll ? 2 : 1) + number(3), 2 + number(2))
    func instruction(_ held: inout [Int]) -> ToyInstruction {
      if waitsForAll, number(5) == 0 {
        return .waitForAll(
          (0..<2 + number(2)).map { _ in
            ToyCondition(word: number(words), value: number(values))
          })
      }
      let word = number(words)
      switch number(20) {
      case 0..<4: return .load(word: word)
      case 4..<9: return .store(word: word, value: number(values))
      case 9..<10: return .copy(word: word)
      case 10..<11: return .add(word: word)
      case 11..<13: return .exchange(word: word, expected: number(values), value: number(values))
      case 13..<16: return .skip(word: word, value: number(values), count: 1 + number(2))
      case 16..<17: return .wait(word: word, value: number(values))
      case 17..<18: return .choose
      default:
        if let lock = held.popLast() { return .unlock(lock) }
        held.append(number(2))
        return .lock(held[0])
      }
    }
    let programs = (0..<2 + number(4)).map { _ in
      var held: [Int] = []
      return (0..<1 + number(4)).map { _ in instruction(&held) }
    }
    self.init(programs, wordCount: words)
  }
}

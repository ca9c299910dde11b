// Toy programs of pairs of CPUs that run the same, and can be exchanged.

import GracewalkExploration
import GracewalkSupport

/// A toy system of identical pairs, the two CPUs of which share a word of their own.
///
/// They run different programs. After the first of each pair come the second of each, then any
/// others.
final class IdenticalToys: ToySystem {
  private let pairCount: Int
  /// Per permutation, the place of each CPU.
  private let images: [[Int]]
  /// Per permutation, which CPU is in each place.
  private let orders: [[Int]]

  init(
    pairs pairCount: Int, _ first: [ToyInstruction], _ second: [ToyInstruction],
    others: [[ToyInstruction]]
  ) {
    self.pairCount = pairCount
    images = Self.orders(of: Array(0..<pairCount)).map { order in
      order + order.map { $0 + pairCount } + others.indices.map { $0 + 2 * pairCount }
    }
    orders = images.map { image in
      image.indices.map { place in image.firstIndex(of: place) ?? place }
    }
    let programs =
      Array(repeating: first, count: pairCount) + Array(repeating: second, count: pairCount)
    super.init(programs + others, wordCount: 1, lockCount: 1)
  }

  convenience init(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    func number(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }
    func instruction() -> ToyInstruction {
      switch number(12) {
      case 0..<3: .look
      case 3..<6: .mark(value: 1 + number(2))
      case 6..<7: .load(word: 0)
      case 7..<10: .store(word: 0, value: number(2))
      default: .skip(word: 0, value: number(2), count: 1)
      }
    }
    func program() -> [ToyInstruction] { (0..<1 + number(3)).map { _ in instruction() } }
    let (pairs, others) = (2 + number(8) / 7, number(2))
    self.init(
      pairs: pairs, program(), program(), others: (0..<others).map { _ in program() })
  }

  /// Every order of some CPUs, the given one first.
  private static func orders(of cpus: [Int]) -> [[Int]] {
    guard cpus.count > 1 else { return [cpus] }
    return cpus.indices.flatMap { index -> [[Int]] in
      var rest = cpus
      let first = rest.remove(at: index)
      return orders(of: rest).map { [first] + $0 }
    }
  }

  override func ownWord(_ cpu: Int) -> Int {
    super.ownWord(cpu < 2 * pairCount ? cpu % pairCount : cpu)
  }

  override var permutationCount: Int { images.count }

  override func inverse(of permutation: Int) -> Int {
    images.firstIndex { $0 == orders[permutation] } ?? 0
  }

  override func permutedKeys(_ keys: GrowableBuffer<UInt64>) -> Bool {
    keys.removeAll()
    for permutation in images.indices {
      keys.append(key(of: orders[permutation]) { images[permutation][$0] })
    }
    return true
  }

  override func image(ofCPU cpu: Int, under permutation: Int) -> Int { images[permutation][cpu] }

  override func image(ofObject object: UInt32, under permutation: Int) -> UInt32 {
    let pair = Int(object) - super.ownWord(0)
    guard (0..<pairCount).contains(pair) else { return object }
    return UInt32(super.ownWord(images[permutation][pair]))
  }
}

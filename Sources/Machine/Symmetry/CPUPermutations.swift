// In which ways identical CPUs can be exchanged.

import GracewalkSupport

/// A group of permutations of CPUs: every order of each class of identical ones.
///
/// CPUs that run callbacks go with those that queue them. As the group's size is the factor by
/// which naming a state takes longer, it is limited; then not all of a class are exchanged.
struct CPUPermutations {
  static let countMax = 120

  let count: Int
  /// How many CPUs are declared identical to others, and how many of them are exchanged.
  let declaredCount: Int
  let exchangedCount: Int
  private let cpuCount: Int
  private let images: [Int]
  private let inverses: [Int]
  private let moved: CPUSet

  /// - Parameters:
  ///   - classes: the identical CPUs.
  ///   - callers: CPUs that queue callbacks; those that run them follow all others, in this order.
  ///   - cpuCount: of all CPUs.
  init(of classes: [[Int]], callers: [Int], _ cpuCount: Int) {
    let exchanged = Self.exchanged(of: classes)
    var orders = [Array(0..<(cpuCount - callers.count))]
    for members in exchanged {
      let permuted = Self.orders(of: members)
      orders = orders.flatMap { base in
        permuted.map { order in
          var next = base
          for (member, image) in zip(members, order) { next[member] = image }
          return next
        }
      }
    }
    let first = cpuCount - callers.count
    let all = orders.map { order in
      order
        + callers.map { caller in first + (callers.firstIndex(of: order[caller]) ?? 0) }
    }
    self.cpuCount = cpuCount
    count = all.count
    images = all.flatMap { $0 }
    inverses = all.map { order in
      all.firstIndex { other in order.indices.allSatisfy { other[order[$0]] == $0 } } ?? 0
    }
    moved = all.reduce(into: CPUSet()) { moved, order in
      for cpu in order.indices where order[cpu] != cpu { moved.insert(cpu) }
    }
    declaredCount = classes.joined().count
    exchangedCount = exchanged.joined().count
  }

  func image(of cpu: Int, under permutation: Int) -> Int {
    // What ran before the CPUs has a number of its own.
    cpu < cpuCount ? images[permutation * cpuCount + cpu] : cpu
  }

  func inverse(of permutation: Int) -> Int { inverses[permutation] }

  /// True if some permutation gives the CPU another place.
  func moves(_ cpu: Int) -> Bool { moved.contains(cpu) }

  /// As many of each class, in order, as the limit on the group's size allows.
  private static func exchanged(of classes: [[Int]]) -> [[Int]] {
    var size = 1
    return classes.map { members in
      var taken = 1
      while taken < members.count && size * (taken + 1) <= countMax {
        taken += 1
        size *= taken
      }
      return Array(members[..<taken])
    }
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
}

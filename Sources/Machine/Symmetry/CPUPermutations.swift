// The permutations of identical CPUs.

import GracewalkSupport

/// A group of permutations of CPUs: every order of each class of identical ones.
///
/// CPUs that run callbacks move with those that queue them, and those that make stores visible with
/// those that store. Naming a state takes time proportional to the group's size, so it is limited;
/// beyond the limit, only some CPUs of a class are exchanged.
struct CPUPermutations {
  static let countMax = 120

  let count: Int
  /// The number of CPUs declared identical to others, and the number of those exchanged.
  let declaredCount: Int
  let exchangedCount: Int
  private let cpuCount: Int
  private let images: [Int]
  private let inverses: [Int]
  private let moved: CPUSet

  /// - Parameters:
  ///   - classes: the identical CPUs.
  ///   - callers: CPUs that queue callbacks; those that run them follow all others, in this order.
  ///   - cpuCount: the number of all CPUs but those that make stores visible.
  ///   - hasBuffers: whether there are such CPUs, behind all others and in their order.
  init(of classes: [[Int]], callers: [Int], _ cpuCount: Int, hasBuffers: Bool = false) {
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
      let storing =
        order + callers.map { caller in first + (callers.firstIndex(of: order[caller]) ?? 0) }
      return hasBuffers ? storing + storing.map { cpuCount + $0 } : storing
    }
    self.cpuCount = all[0].count
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
    // Boot code has a number beyond those of the CPUs.
    cpu < cpuCount ? images[permutation * cpuCount + cpu] : cpu
  }

  func inverse(of permutation: Int) -> Int { inverses[permutation] }

  /// True if some permutation moves the CPU.
  func moves(_ cpu: Int) -> Bool { moved.contains(cpu) }

  /// The first CPUs of each class, as many as the limit on the group's size allows.
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

  /// Every order of the given CPUs, the given one first.
  private static func orders(of cpus: [Int]) -> [[Int]] {
    guard cpus.count > 1 else { return [cpus] }
    return cpus.indices.flatMap { index -> [[Int]] in
      var rest = cpus
      let first = rest.remove(at: index)
      return orders(of: rest).map { [first] + $0 }
    }
  }
}

// Invariants of the keys of exchanged CPUs: a row for each queried depth, and none beyond the
// present.

import GracewalkSupport

extension Symmetry {
  /// There is a row for each depth, with a key for each permutation, and depths only grow.
  @inline(__always)
  func checkRows() {
    #if CHECKS_INVARIANTS
      mustHold(
        rows.count == depths.count * count,
        "\(rows.count) keys for \(depths.count) depths and \(count) permutations")
      mustHold(depths.isEmpty || depths[0] == 0, "the first row is not that of the start")
      mustHold(
        depths.isEmpty || depths.last <= machine.depth,
        "a row for depth \(depths.isEmpty ? 0 : depths.last), and only \(machine.depth) steps")
      let count = depths.count
      mustHold(
        count < 2 || depths[count - 2] < depths[count - 1], "two rows that are not in order")
    #endif
  }

  /// The latest row belongs to the present state, and its first key, for the identity, equals the
  /// state key.
  @inline(__always)
  func checkLatestRow() {
    #if CHECKS_INVARIANTS
      mustHold(depths.last == machine.depth, "no row for the present state")
      mustHold(
        rows[rows.count - count] == machine.stateKey,
        "the key without any exchange is not that of the state")
    #endif
  }

  /// A node is its own image under the identity, an image is a node of the image CPU, and the
  /// inverse leads back.
  @inline(__always)
  func checkImages(of node: LocalStates.Index) {
    #if CHECKS_INVARIANTS
      mustHold(nodeImages[Int(node) * count] == node, "a node is not its own image")
      let cpu = Int(machine.localStates[node].pointee.cpu)
      for permutation in 1..<count {
        let image = nodeImages[Int(node) * count + permutation]
        let twin = Int(machine.localStates[image].pointee.cpu)
        mustHold(
          twin == permutations.image(of: cpu, under: permutation),
          "an image is not of the CPU that takes the place")
        guard hasImages(image) else { continue }
        let back = permutations.inverse(of: permutation)
        mustHold(
          nodeImages[Int(image) * count + back] == node, "exchanging back does not lead back")
      }
    #endif
  }
}

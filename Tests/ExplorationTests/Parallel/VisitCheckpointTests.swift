// Saved searches that visit each state once: files that were changed or cut short.

import GracewalkExploration
import GracewalkFuzzing
import GracewalkMachine
import GracewalkModels
import GracewalkSupport
import TestSupport
import Testing

struct VisitCheckpointTests {
  private static let ways = [false, true]

  /// - Parameter keepsGraph: whether livelocks are looked for.
  private static func run(
    _ options: SearchOptions, keepsGraph: Bool, on make: @escaping () -> TransitionSystem
  ) -> SearchResult {
    keepsGraph
      ? ParallelSearch.runRepeating(
        jobs: 1, options, .fine, looksForLivelocks: true, makeSystem: make)
      : ParallelSearch.runExhaustive(jobs: 1, options, .fine, makeSystem: make)
  }

  /// The last file of a search that a bound stops.
  private static func saved(
    keepsGraph: Bool, on make: @escaping () -> TransitionSystem
  ) -> [UInt8] {
    var options = SearchOptions()
    var saved: [UInt8] = []
    options.checkpoints = Checkpoints(interval: 1e9) { body in
      let writer = CheckpointWriter { saved.append(contentsOf: $0) }
      body(writer)
      writer.finish()
    }
    options.limits.states = 60
    _ = run(options, keepsGraph: keepsGraph, on: make)
    return saved
  }

  private static func resumed(
    _ bytes: some Sequence<UInt8>, keepsGraph: Bool, on make: @escaping () -> TransitionSystem
  ) -> Ending {
    var sealed: [UInt8] = []
    let writer = CheckpointWriter { sealed.append(contentsOf: $0) }
    Array(bytes).withUnsafeBytes { writer.write($0) }
    writer.finish()
    var options = SearchOptions()
    options.limits.states = 5_000
    options.resume = CheckpointReader(sealed)
    return run(options, keepsGraph: keepsGraph, on: make).ending
  }

  @Test(arguments: ways) func truncatedFilesAreRefused(keepsGraph: Bool) {
    let make = { Machine(Textbook.lastzero(3)) }
    let bytes = Self.saved(keepsGraph: keepsGraph, on: make).dropLast(8)
    #expect(Self.resumed(bytes, keepsGraph: keepsGraph, on: make) != .refused(.malformed))
    for length in stride(from: 0, to: bytes.count, by: 4) {
      let ending = Self.resumed(bytes[..<length], keepsGraph: keepsGraph, on: make)
      #expect(ending == .refused(.malformed), "\(length)")
    }
  }

  /// Whatever is changed, the search is refused or goes on.
  @Test(arguments: ways) func changedFilesAreRefused(keepsGraph: Bool) {
    var (changes, refused) = (0, 0)
    var random = SplitMix64(seed: 3)
    for seed in 0..<40 as Range<UInt64> {
      let make = { ToySystem(seed: seed) }
      let bytes = Self.saved(keepsGraph: keepsGraph, on: make).dropLast(8)
      if bytes.isEmpty { continue }
      for _ in 0..<100 {
        var changed = bytes
        changed[random.below(bytes.count)] ^= UInt8(1 << random.below(8))
        changes += 1
        if case .refused = Self.resumed(changed, keepsGraph: keepsGraph, on: make) { refused += 1 }
      }
    }
    #expect(changes >= 1_000)
    #expect(refused * 4 > changes)
  }
}

// Searches that are saved, and resumed from files that were changed or cut short.

import GracewalkExploration
import GracewalkFuzzing
import GracewalkMachine
import GracewalkSupport
import Testing

/// Keeps what a search has saved last.
final class LastFile {
  private(set) var bytes: [UInt8] = []

  var checkpoints: Checkpoints {
    Checkpoints(interval: 1e9) { [self] body in
      bytes = []
      let writer = CheckpointWriter { [self] in bytes.append(contentsOf: $0) }
      body(writer)
      writer.finish()
    }
  }
}

/// A search that a bound stops, and that goes on up to another one.
struct SavedSearch {
  var options = SearchOptions()
  let bound: Limits
  let laterBound: Limits
  let run: (SearchOptions, @escaping () -> TransitionSystem) -> SearchResult

  /// Its file; empty if it ended before.
  func saved(on make: @escaping () -> TransitionSystem) -> [UInt8] {
    var options = options
    let file = LastFile()
    options.checkpoints = file.checkpoints
    options.limits = bound
    _ = run(options, make)
    return file.bytes
  }

  /// The end of the search that goes on from a file without its checksum.
  private func resumed(
    _ bytes: some Sequence<UInt8>, on make: @escaping () -> TransitionSystem
  ) -> Ending {
    var sealed: [UInt8] = []
    let writer = CheckpointWriter { sealed.append(contentsOf: $0) }
    Array(bytes).withUnsafeBytes { writer.write($0) }
    writer.finish()
    var options = options
    options.limits = laterBound
    options.resume = CheckpointReader(sealed)
    return run(options, make).ending
  }

  func expectTruncatedFilesAreRefused(on make: @escaping () -> TransitionSystem) {
    let bytes = saved(on: make).dropLast(8)
    #expect(resumed(bytes, on: make) != .refused(.malformed))
    for length in stride(from: 0, to: bytes.count, by: 4) {
      #expect(resumed(bytes[..<length], on: make) == .refused(.malformed), "\(length)")
    }
    #expect(resumed(bytes + [0, 0, 0, 0], on: make) == .refused(.malformed))
  }

  /// Changes bits in the files of toy programs: how many, and how many times that was refused.
  func changeFiles() -> (changes: Int, refused: Int) {
    var (changes, refused) = (0, 0)
    var random = SplitMix64(seed: 3)
    for seed in 0..<40 as Range<UInt64> {
      let make = { ToySystem(seed: seed) }
      let bytes = saved(on: make).dropLast(8)
      if bytes.isEmpty { continue }
      for _ in 0..<100 {
        var changed = bytes
        changed[random.below(bytes.count)] ^= UInt8(1 << random.below(8))
        changes += 1
        if case .refused = resumed(changed, on: make) { refused += 1 }
      }
    }
    return (changes, refused)
  }
}

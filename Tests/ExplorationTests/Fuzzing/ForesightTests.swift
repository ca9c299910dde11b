// Machines that forget what their code will not need, compared with one that forgets nothing.

import GracewalkExploration
import GracewalkFuzzing
import GracewalkMachine
import TestExpectations
import TestSupport
import Testing

@Suite(.tags(.fuzz, .long), .unlessQuick) struct ForesightTests {
  private func mismatches(
    _ seeds: Range<UInt64>, _ mix: RandomProgram.Mix = [], without omitted: Foresight.Omission = []
  ) -> [UInt64] {
    seeds.filter { seed in
      let program = RandomProgram(mix, seed: seed, size: .small)
      let found = Fuzzer.foresightMismatch(executions: 1, without: omitted) {
        program.scenario(under: .armv8)
      }
      return found != nil
    }
  }

  /// Most of these searches begin again at least once, since a single execution teaches little.
  @Test(arguments: [RandomProgram.Mix(), .interrupts, .loops, .slabs])
  func nothingIsLost(mix: RandomProgram.Mix) {
    #expect(mismatches(0..<60, mix) == [])
  }

  /// Relying on what was not seen would show views that are wrong.
  @Test func withoutTheCheckItIsCaught() {
    #expect(mismatches(0..<60, without: .check) != [])
  }
}

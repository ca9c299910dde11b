// Exclusivity checking is on in debug and release builds, and a thread has one record of open
// accesses for all of its fibers: code that suspends between accesses must not confuse it.

import GracewalkFibers
import Testing

private final class Shared {
  var count = 0
  var names: [String] = []
  var fibers: [Fiber] = []
}

struct ExclusivityTests {
  @Test func twoFibersModifyTheSamePropertiesInTurn() {
    let shared = Shared()
    for number in 0..<2 {
      shared.fibers.append(
        Fiber {
          for round in 0..<100 {
            shared.count += 1
            shared.fibers[number].suspend()
            shared.names.append("\(number).\(round)")
            shared.count += shared.names.count > 0 ? 1 : 0
            shared.fibers[number].suspend()
          }
        })
    }
    for _ in 0..<201 { for number in 0..<2 { shared.fibers[number].resume() } }
    #expect(shared.count == 400)
    #expect(shared.names.count == 200)
    #expect(shared.fibers.allSatisfy { $0.isIdle })
    shared.fibers = []
  }
}

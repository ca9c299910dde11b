// Switching: resuming, suspending, returning and running again.

import GracewalkFibers
import Testing

/// The events, in order.
private final class Log {
  var entries: [String] = []
  func note(_ entry: String) { entries.append(entry) }
}

/// A fiber that its own body can suspend.
private final class Holder {
  var fiber: Fiber?
  func suspend() { fiber?.suspend() }
}

struct SwitchingTests {
  @Test func controlGoesBackAndForth() {
    let log = Log()
    let holder = Holder()
    let fiber = Fiber {
      log.note("in 1")
      holder.suspend()
      log.note("in 2")
      holder.suspend()
      log.note("in 3")
    }
    holder.fiber = fiber
    #expect(fiber.isIdle)
    for number in 1...3 {
      log.note("out \(number)")
      fiber.resume()
    }
    #expect(log.entries == ["out 1", "in 1", "out 2", "in 2", "out 3", "in 3"])
    #expect(fiber.isIdle)
    holder.fiber = nil
  }

  @Test func isIdleOnlyBeforeTheStartAndAfterTheReturn() {
    let holder = Holder()
    let fiber = Fiber { holder.suspend() }
    holder.fiber = fiber
    var idle = [fiber.isIdle]
    for _ in 0..<4 {
      fiber.resume()
      idle.append(fiber.isIdle)
    }
    #expect(idle == [true, false, true, false, true])
    holder.fiber = nil
  }

  @Test func anIdleFiberRunsItsBodyAgain() {
    let log = Log()
    let fiber = Fiber { log.note("run") }
    for _ in 0..<1_000 { fiber.resume() }
    #expect(log.entries.count == 1_000)
  }

  @Test func localsSurviveSuspension() {
    let holder = Holder()
    let log = Log()
    let fiber = Fiber {
      var fibonacci = [1, 1]
      var sum = 0.0
      for _ in 0..<20 {
        fibonacci.append(fibonacci[fibonacci.count - 1] + fibonacci[fibonacci.count - 2])
        sum += 0.5
        holder.suspend()
      }
      log.note("\(fibonacci[21]) \(sum)")
    }
    holder.fiber = fiber
    for _ in 0..<21 { fiber.resume() }
    #expect(log.entries == ["17711 10.0"])
    holder.fiber = nil
  }

  @Test func fibersAreIndependent() {
    let log = Log()
    let holders = (0..<10).map { _ in Holder() }
    for (number, holder) in holders.enumerated() {
      holder.fiber = Fiber {
        for round in 0..<3 {
          log.note("\(number).\(round)")
          holder.suspend()
        }
      }
    }
    for _ in 0..<4 { for holder in holders { holder.fiber?.resume() } }
    let expected = (0..<3).flatMap { round in (0..<10).map { "\($0).\(round)" } }
    #expect(log.entries == expected)
    #expect(holders.allSatisfy { $0.fiber?.isIdle == true })
    for holder in holders { holder.fiber = nil }
  }

  @Test func aFiberCanResumeAnother() {
    let log = Log()
    let inner = Fiber { log.note("inner") }
    let outer = Fiber {
      log.note("before")
      inner.resume()
      log.note("after")
    }
    outer.resume()
    #expect(log.entries == ["before", "inner", "after"])
  }

  @Test func errorsAreCaughtOnTheFiber() {
    struct Unwind: Error {}
    let log = Log()
    let holder = Holder()
    let fiber = Fiber {
      do {
        defer { log.note("unwound") }
        holder.suspend()
        throw Unwind()
      } catch { log.note("caught") }
    }
    holder.fiber = fiber
    fiber.resume()
    fiber.resume()
    #expect(log.entries == ["unwound", "caught"])
    holder.fiber = nil
  }
}

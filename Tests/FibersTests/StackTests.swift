// The stack of a fiber: aligned as the ABI requires, deep enough, guarded, and returned.

import Foundation
import GracewalkFibers
import TestSupport
import Testing

/// A fiber's observations of its stack.
private final class Findings: @unchecked Sendable {
  var text = ""
  var address: UInt = 0
  var depth = 0
}

/// Recurses until a number of bytes of the stack are used; returns the number of calls.
@inline(never)
private func descend(_ bytes: UInt, from top: UInt) -> Int {
  var local = 1
  return withUnsafeMutablePointer(to: &local) { pointer in
    let here = UInt(bitPattern: pointer)
    if top &- here < bytes { pointer.pointee += descend(bytes, from: top) }
    return pointer.pointee
  }
}

@inline(never)
private func descendFromHere(_ bytes: UInt) -> Int {
  var local = 0
  return withUnsafeMutablePointer(to: &local) { descend(bytes, from: UInt(bitPattern: $0)) }
}

struct StackTests {
  @Test func formattingNumbersFindsTheStackAligned() {
    let findings = Findings()
    let fiber = Fiber {
      findings.text = String(format: "%.3f %d %.1e", 3.14159, 42, 6.02e23)
    }
    fiber.resume()
    #expect(findings.text == "3.142 42 6.0e+23")
  }

  @Test func vectorsFindTheStackAligned() {
    let findings = Findings()
    let fiber = Fiber {
      var vector = SIMD4<Float>(1, 2, 3, 4)
      withUnsafeMutablePointer(to: &vector) {
        findings.address = UInt(bitPattern: $0)
        $0.pointee *= 2
      }
      findings.text = "\(vector.sum())"
    }
    fiber.resume()
    #expect(findings.address % 16 == 0)
    #expect(findings.text == "20.0")
  }

  @Test func recursionOf240KiBFits() {
    let findings = Findings()
    let fiber = Fiber { findings.depth = descendFromHere(240 * 1024) }
    fiber.resume()
    #expect(findings.depth > 100)
    #expect(fiber.isIdle)
  }

  @Test func anOverflowFaults() async {
    let result = await #expect(processExitsWith: .failure) {
      let fiber = Fiber { _ = descendFromHere(1 << 20) }
      fiber.resume()
    }
    #if os(Linux)
      #expect(result?.exitStatus == .signal(SIGSEGV))
    #endif
  }

  @Test func droppingASuspendedFiberTraps() async {
    await #expect(processExitsWith: .failure) {
      // Unmanaged: a reference on the suspended stack would keep the fiber alive.
      final class Holder { var fiber: Unmanaged<Fiber>? }
      let holder = Holder()
      let fiber = Fiber { holder.fiber?._withUnsafeGuaranteedRef { $0.suspend() } }
      holder.fiber = .passUnretained(fiber)
      fiber.resume()
    }
  }

  @Test func stacksAreGivenBack() async {
    await #expect(processExitsWith: .success) {
      func make(_ count: Int) {
        for _ in 0..<count { Fiber { _ = descendFromHere(64 * 1024) }.resume() }
      }
      make(500)
      guard let before = residentBytes() else { return }
      make(5_000)
      let after = try #require(residentBytes())
      #expect(after - before < 4 << 20)
    }
  }
}

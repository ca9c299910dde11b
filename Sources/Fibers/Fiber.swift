// Stackful coroutines, which let a search suspend and resume plain synchronous code.

import CGracewalkFiber

/// A body of code with a stack of its own, which runs until it suspends and continues when resumed.
///
/// When the body returns the fiber is *idle*, and the next `resume` runs the body again on the
/// same stack. A fiber belongs to the thread that resumes it.
///
/// A suspended fiber must not be dropped: references in its frames would never be released, and the
/// Swift runtime keeps a record of accesses that are open on its stack. So the owner makes the body
/// return first (a virtual CPU does it by throwing `Abandoned` from its next action).
public final class Fiber {
  /// Saved stack pointers.
  ///
  /// They live behind a pointer because a switch happens in the middle of what would otherwise be
  /// an access to a stored property.
  private struct Contexts {
    var fiber: UnsafeMutableRawPointer?
    var resumer: UnsafeMutableRawPointer?
    var isIdle = true
  }

  private let stack = FiberStack.take()
  private let contexts: UnsafeMutablePointer<Contexts>
  private let body: () -> Void

  /// Creates an idle fiber; nothing runs until the first `resume`.
  public init(body: @escaping () -> Void) {
    self.body = body
    contexts = .allocate(capacity: 1)
    contexts.initialize(to: Contexts())
    let argument = Unmanaged.passUnretained(self).toOpaque()
    contexts.pointee.fiber = gracewalk_prepare(stack.top, fiberEntry, argument)
  }

  deinit {
    if !isIdle { fatalError("[internal] a suspended fiber was dropped") }
    contexts.deallocate()
    stack.giveBack()
  }

  /// True before the first `resume` and whenever the body has returned.
  public var isIdle: Bool { contexts.pointee.isIdle }

  /// The pages that fault when the stack overflows.
  var guardPages: UnsafeRawBufferPointer { stack.guardPages }

  /// Leaks a fiber whose body will never return, with its stack.
  public func leave() { _ = Unmanaged.passRetained(self) }

  /// Runs the body until it suspends or returns.
  ///
  /// Called from outside the fiber.
  public func resume() {
    let contexts = contexts
    contexts.pointee.isIdle = false
    gracewalk_switch(&contexts.pointee.resumer, contexts.pointee.fiber)
  }

  /// Returns control to the code that resumed the fiber.
  ///
  /// Called from inside the body.
  public func suspend() {
    let contexts = contexts
    gracewalk_switch(&contexts.pointee.fiber, contexts.pointee.resumer)
  }

  /// A hash of the return addresses on the stack: equal for equal call paths, 0 if unknown.
  ///
  /// - Parameter base: an address in the frame where the path begins, on the stack that calls this.
  public static func callPath(from base: UnsafeRawPointer) -> UInt64 { gracewalk_call_path(base) }

  fileprivate func runBodyForever() -> Never {
    while true {
      body()
      contexts.pointee.isIdle = true
      suspend()
    }
  }
}

private func fiberEntry(_ argument: UnsafeMutableRawPointer?) {
  guard let argument else { fatalError("[internal] a fiber started without itself") }
  // Unretained: the frame below never returns, so a reference held here would never be released.
  Unmanaged<Fiber>.fromOpaque(argument)._withUnsafeGuaranteedRef { $0.runBodyForever() }
}

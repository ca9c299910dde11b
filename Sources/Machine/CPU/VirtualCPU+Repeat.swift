// Loops whose turns are forgotten, so that a livelock is a cycle in the graph of states.

extension VirtualCPU {
  /// Runs a piece of code until it returns a value, and returns that.
  ///
  /// A turn that returns nil is forgotten: the CPU's local state is that before the loop. So a turn
  /// that changed nothing leads back to the state in which it began, and the search finds
  /// executions that loop forever. The turn that returns a value is remembered like any other code.
  ///
  /// A scenario that uses it sets `Scenario.mayRepeat`. A turn must take at least one action, leave
  /// the read-side sections it enters, and keep nothing in variables for later turns; the machine
  /// detects and reports violations.
  @discardableResult
  public func repeatUntilDone<R>(_ turn: () throws -> R?) throws -> R { try forget(turn) }

  /// The same for code that throws only `Abandoned`.
  @discardableResult
  public func repeatUntilDone<R>(
    _ turn: () throws(Abandoned) -> R?
  ) throws(Abandoned) -> R {
    do { return try forget(turn) } catch { throw error as? Abandoned ?? Abandoned() }
  }

  private func forget<R, E>(_ turn: () throws(E) -> R?) throws -> R {
    if isAbandoned { throw refused() }
    guard machine.scenario.mayRepeat else {
      throw refuse("repeats; set mayRepeat of the scenario, which the search must know beforehand")
    }
    let head = observations
    let known = weakened
    let depths = self.depths
    while true {
      let before = actionCount
      if let result = try turn() { return result }
      // Code that catches `Abandoned` would loop forever.
      if isAbandoned { throw Abandoned() }
      if case .boot = role { throw refuse("repeats before anybody runs who could change anything") }
      guard actionCount > before else { throw refuse("repeats a turn that takes no action") }
      guard self.depths == depths else {
        throw refuse(
          "repeats after a turn that entered a read-side section, or masked interrupts, and did "
            + "not leave it")
      }
      observations = head
      weakened = known
      beginsAgain = true
    }
  }

  private func refuse(_ text: String) -> Abandoned {
    machine.fail(.badLoop(cpu: index, text))
    isAbandoned = true
    return Abandoned()
  }
}

// A loop that forgets: what makes a livelock a cycle in the graph of states.

extension VirtualCPU {
  /// Carries out a piece of code until it returns something, and returns that.
  ///
  /// A turn that returns nil is over and done with: the CPU knows no more than it did before the
  /// loop, so a turn that changed nothing leads back to the state it began in, and the search sees
  /// executions that loop forever. The turn that returns something is remembered, as any code
  /// is.
  ///
  /// A scenario that uses it sets `Scenario.mayRepeat`. A turn must take at least one action, leave
  /// the read-side sections it enters, and keep nothing in variables for the turns after it: where
  /// it does, the machine finds out and says so.
  @discardableResult
  public func repeatUntilDone<R>(_ turn: () throws -> R?) throws -> R { try forget(turn) }

  /// The same for code that throws nothing else than that it is abandoned.
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
      // Code that catches what it is told to let pass would go on forever.
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

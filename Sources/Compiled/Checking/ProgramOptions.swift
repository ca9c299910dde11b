// How a program is run, and how its executions ended.

import GracewalkMachine

/// How a program is run.
package struct ProgramOptions: Codable, Hashable, Sendable {
  package var memoryModel = MemoryModel.standard
  /// Turns of a loop after which a thread is cut; 0 for no limit.
  package var unroll = 0
  /// How many values a number has that the environment gives: 0, 1, 2 and so on.
  package var choices = 4
  package var findsRaces = true
  package var findsDeadlocks = true
  package var findsLivelocks = true
  package var findsLeaks = false
  /// Whether a read that leads straight into a false assumption waits for another value.
  package var awaitsAssumptions = true
  /// Whether a turn of a loop that only reads is a wait.
  package var waitsInLoops = true
  /// Whether a failed `trylock` conflicts with other attempts, as a write does.
  package var failedTriesWrite = false
  package var mergesStates = true
  /// Whether executions are told apart by what reads read from.
  package var countsReadsFrom = false
  /// The function that the first thread runs.
  package var entry = "main"
  /// Whether local requests are steps of their own, as in recorded schedules.
  var stepsSingly = false
  /// Whether contents of memory at the ends of complete executions are collected.
  package var collectsMemories = false
  /// Globals whose contents at the ends of executions are collected, and which threads cannot go
  /// on.
  package var outcomeGlobals: [String] = []

  package init() {}
}

/// How executions ended.
package struct Endings: Equatable {
  /// All threads finished, or were cut by the bound on turns of loops.
  package var complete = 0
  /// An assumption does not hold.
  package var assumed = 0
  /// A thread waits in a loop for what will not happen in this execution, and another execution
  /// shows the same without that turn.
  package var spinning = 0
  /// A thread waits for a lock, a barrier or a thread.
  package var deadlocked = 0

  package init() {}

  package var all: Int { complete + assumed + spinning + deadlocked }
}

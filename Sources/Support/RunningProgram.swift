// The name of the running program, and how to run it again: for help, errors and replay lines.

/// The program whose commands are run: `gracewalk`, or a user's program.
package struct RunningProgram: Sendable {
  /// The last component of the path with which it was started.
  package var name: String
  /// The command line that runs it again, such as `swift run -c release NAME`.
  package var invocation: String

  package init(name: String, invocation: String? = nil) {
    self.name = name
    self.invocation = invocation ?? name
  }

  /// The current program: the bound one if there is one, otherwise that of the process.
  package static var current: RunningProgram { bound ?? process.withLock { $0 } }

  /// The name of the current one.
  package static var name: String { current.name }

  /// The command line that runs the current one again.
  package static var invocation: String { current.invocation }

  /// A different program while a closure runs, for tests.
  @TaskLocal package static var bound: RunningProgram?

  /// Known to all threads once a command line has been read.
  private static let process = Locked(RunningProgram(name: "gracewalk"))

  package static func setProcess(_ program: RunningProgram) {
    process.withLock { $0 = program }
  }
}

extension String {
  /// The same as one word for a shell.
  package var quotedForShell: String {
    let isPlain = !isEmpty && allSatisfy { $0.isLetter || $0.isNumber || "/._-+@:=,".contains($0) }
    if isPlain { return self }
    let parts = split(separator: "'", omittingEmptySubsequences: false)
    return "'\(parts.joined(separator: "'\\''"))'"
  }
}

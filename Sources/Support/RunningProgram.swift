// What the running program is called, and how to run it again: for help, errors, replay lines.

/// The program whose commands are run: `gracewalk`, or one that somebody made of it.
package struct RunningProgram: Sendable {
  /// The last component of what it was started as.
  package var name: String
  /// What to type to run it again, from where it was run: `swift run -c release NAME`, say.
  package var invocation: String

  package init(name: String, invocation: String? = nil) {
    self.name = name
    self.invocation = invocation ?? name
  }

  /// The program that this is: what is bound here, or else what the process was made of.
  package static var current: RunningProgram { bound ?? process.withLock { $0 } }

  /// The name of the current one.
  package static var name: String { current.name }

  /// What to type to run the current one again.
  package static var invocation: String { current.invocation }

  /// Another program for as long as a closure runs, as tests need it.
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

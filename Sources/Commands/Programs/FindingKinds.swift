// The rules that findings about C programs break.

import GracewalkCompiled
import GracewalkInvariants
import GracewalkMachine

extension Finding.Kind {
  /// The rule that it breaks.
  var statement: String {
    switch self {
    case .assertion: "Assertions hold."
    case .race: "Conflicting accesses of which one is plain are ordered by happens-before."
    case .deadlock: "No thread waits forever for a lock, a barrier or another thread."
    case .livelock: "No thread waits in a loop for something that never happens."
    case .abort: "The program does not abort."
    case .nullPointer, .wildPointer, .outOfBounds: "Accesses are to objects, and within them."
    case .useAfterFree, .useAfterReturn: "Objects are accessed only while they exist."
    case .doubleFree, .badFree: "What is freed was allocated, and is freed once."
    case .uninitialised: "What is read was written before."
    case .misaligned: "Atomic accesses are aligned."
    case .constantWrite: "Constants are not written."
    case .undefined: "Behaviour is defined."
    case .misuse: "Threads, locks and barriers are used as their interface says."
    case .endless: "What a thread does by itself ends."
    case .leak: "Allocated memory is freed, or something leads to it."
    case .invariant: "What the program states holds."
    case .unsupported: "Everything that is reached is supported."
    }
  }
}

extension Finding {
  /// The rule that it breaks, in words.
  var requirement: InvariantText {
    guard kind == .invariant else { return kind.requirement }
    if let known = InvariantCatalogue.described.first(where: { $0.id == name }) {
      return InvariantText(known)
    }
    return InvariantText(
      id: name, statement: kind.statement, rationale: "The program says so itself.",
      source: "the program")
  }
}

extension Finding.Kind {
  /// The rule in words.
  var requirement: InvariantText {
    InvariantText(
      id: rawValue, statement: statement,
      rationale: "C leaves open what a program does otherwise, or the program says so itself.",
      source: "the C standard (ISO/IEC 9899)")
  }

  /// All that a check looks for.
  static func lookedFor(_ options: ProgramOptions) -> [Finding.Kind] {
    allCases.filter { kind in
      switch kind {
      case .unsupported, .invariant: false
      case .race: options.findsRaces
      case .leak: options.findsLeaks
      default: true
      }
    }
  }
}

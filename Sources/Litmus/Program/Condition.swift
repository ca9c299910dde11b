// What a test asks about its final states.

/// Something that a final state gives a value: a register of a process, or a word.
package enum Observable: Hashable, Sendable {
  case register(process: Int, register: Int, name: String)
  case word(Int, name: String)
  /// 1 if an access to a page faulted, of the instruction with a name, or of any.
  case fault(process: Int, label: String?, instruction: Int?, page: Int, name: String)

  /// As lists of states name it.
  package var text: String {
    switch self {
    case .register(let process, _, let name): "\(process):\(name)"
    case .word(_, let name): "[\(name)]"
    case .fault(let process, let label, _, _, let name):
      "Fault(P\(process)\(label.map { ":" + $0 } ?? ""),\(name))"
    }
  }

  /// True if it is the same place, whatever it was called.
  func isSame(as other: Observable) -> Bool {
    switch (self, other) {
    case (.register(let a, let b, _), .register(let c, let d, _)): a == c && b == d
    case (.word(let a, _), .word(let b, _)): a == b
    case (.fault(let a, _, let b, let c, _), .fault(let d, _, let e, let f, _)):
      a == d && b == e && c == f
    default: false
    }
  }
}

/// A side of a comparison.
package enum Term: Hashable, Sendable {
  /// The number of an observable.
  case observed(Int)
  case constant(UInt64)
}

package enum Relation: String, Sendable {
  case equal = "="
  case unequal = "!="
  case less = "<"
  case lessOrEqual = "<="
  case greater = ">"
  case greaterOrEqual = ">="

  func holds(_ a: UInt64, _ b: UInt64) -> Bool {
    let (left, right) = (Int64(bitPattern: a), Int64(bitPattern: b))
    return switch self {
    case .equal: left == right
    case .unequal: left != right
    case .less: left < right
    case .lessOrEqual: left <= right
    case .greater: left > right
    case .greaterOrEqual: left >= right
    }
  }
}

/// A proposition about a final state.
package indirect enum Proposition: Hashable, Sendable {
  case always
  case compare(Term, Relation, Term)
  case not(Proposition)
  case and(Proposition, Proposition)
  case or(Proposition, Proposition)
  case implies(Proposition, Proposition)

  /// Whether it holds where the observables have these values.
  package func holds(_ values: [UInt64]) -> Bool {
    func value(_ term: Term) -> UInt64 {
      switch term {
      case .observed(let number): values[number]
      case .constant(let value): value
      }
    }
    return switch self {
    case .always: true
    case .compare(let a, let relation, let b): relation.holds(value(a), value(b))
    case .not(let other): !other.holds(values)
    case .and(let a, let b): a.holds(values) && b.holds(values)
    case .or(let a, let b): a.holds(values) || b.holds(values)
    case .implies(let a, let b): !a.holds(values) || b.holds(values)
    }
  }
}

package enum Quantifier: String, Sendable {
  case exists
  case notExists = "~exists"
  case forall

  /// What the test expects of its proposition, in herd's words.
  package var expectation: String {
    switch self {
    case .exists: "Allowed"
    case .notExists: "Forbidden"
    case .forall: "Required"
    }
  }
}

/// A test's question.
package struct Condition: Sendable {
  package var quantifier = Quantifier.forall
  package var proposition = Proposition.always
  /// Final states of which this does not hold do not count.
  package var filter = Proposition.always
  /// What is shown of final states, in the order in which the test names it.
  package var observables: [Observable] = []
  /// The question as it is written, on one line.
  package var text = ""

  /// The number of an observable, which is added if it is new.
  mutating func number(of observable: Observable) -> Int {
    if let known = observables.firstIndex(where: { $0.isSame(as: observable) }) { return known }
    observables.append(observable)
    return observables.count - 1
  }
}

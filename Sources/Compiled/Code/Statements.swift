// What a program says to the checker, rather than does: gw_require and gw_must_happen.

import GracewalkLLVM

/// What a program asks of a check.
package struct Statements: Equatable {
  /// Invariants that it requires, as it names them.
  package var required: [String] = []
  /// What must happen in some execution, with the places that say so.
  package var outcomes: [(text: String, place: Int32)] = []

  /// Invariants that its code judges: with `gw_invariant`, or in functions of `gracewalk.h`.
  package var judged: [String] = []

  /// The invariant that objects are freed, or something leads to them.
  package static let leak = "no-leaked-table-page"
  /// Invariants of which all but the first are judged in every program.
  private static let known = [
    leak, "no-use-after-free", "no-double-free", "progress", "operations-do-not-throw",
  ]

  /// What it requires that cannot be required of a program; nil if all can.
  package var problem: String? {
    let all = Self.known + judged
    guard let other = required.first(where: { !all.contains($0) }) else { return nil }
    return "gw_require(\"\(other)\"): nothing in the program judges it; what it does judge is "
      + "\(all.joined(separator: ", ")), and gw_invariant(\"\(other)\", condition) would judge it"
  }

  /// What must happen and did not; none are reached without a place.
  package func missing(_ reached: Set<Int32>) -> [String] {
    var missing: [String] = []
    for outcome in outcomes
    where !outcomes.contains(where: { $0.text == outcome.text && reached.contains($0.place) }) {
      if !missing.contains(outcome.text) { missing.append(outcome.text) }
    }
    return missing
  }

  package static func == (a: Statements, b: Statements) -> Bool {
    a.required == b.required && a.judged == b.judged
      && a.outcomes.elementsEqual(b.outcomes) { $0 == $1 }
  }
}

extension Lowering {
  /// Lowers a call that is a statement; false if it is none.
  func lowerStatement(_ name: String, _ values: [Operand]) -> Bool {
    guard ["gw_require", "gw_must_happen", "gw_violate", "gw_requires"].contains(name),
      let operand = values.first
    else { return false }
    guard operand.slot < 0, let text = image.text(at: operand.bits) else {
      emit(.unsupported("\(name) of something that is no text between quotation marks"))
      return true
    }
    switch name {
    case "gw_require":
      if !image.statements.required.contains(text) { image.statements.required.append(text) }
      emit(.nothing)
    case "gw_violate":
      if !image.statements.judged.contains(text) { image.statements.judged.append(text) }
      return false
    case "gw_requires": return false
    default:
      image.statements.outcomes.append((text, place))
      emit(.builtin(.print, values, to: -1, bits: 0))
    }
    return true
  }
}

extension Image {
  /// A text in a constant.
  func text(at address: UInt64) -> String? {
    guard let number = Region.global(at: address), number < globals.count else { return nil }
    let bytes = globals[number].bytes.dropFirst(Region.offset(of: address))
    return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }
}

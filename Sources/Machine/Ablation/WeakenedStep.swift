// How a step that is left out or weakened is named: by operation, function and number, by no line.

/// A step of the code, weakened: in one kind of operation, and in one function that it runs.
///
/// As text: `unmap/flush/no-dsb`. Where the function has several such steps, `unmap/flush/no-dsb.2`
/// is the second of them in the source, and without a number all are meant; where several calls
/// lead to it, `unmap/flush/no-dsb.2#3` is the third of these. A step of the operation's own
/// closure, or of a function with the operation's name, is `unmap/no-dsb`. No line is part of it,
/// so a line that is added somewhere changes no name.
public struct WeakenedStep: Hashable, Codable, Sendable {
  public var weakening: Weakening
  /// The operation's name without its addresses; code that operations share is several steps.
  public let operation: String
  /// The function, or the label that the step was given; nil where that is the operation's own.
  public let label: String?
  /// Which of the places in the source that are called so, counted from 1 in their order there;
  /// nil for all.
  public var ordinal: Int?
  /// Which of the calls that lead to it, counted from 1; nil for all.
  public var path: Int?

  /// A step; `label` is a function as `#function` names it, or a label.
  public init(
    _ weakening: Weakening, in operation: String, label: String? = nil, ordinal: Int? = nil,
    path: Int? = nil
  ) {
    self.weakening = weakening
    self.operation = operation
    let name = label.map(Self.label(of:))
    self.label = name == operation ? nil : name
    self.ordinal = ordinal
    self.path = path
  }

  public init(_ weakening: Weakening, in operation: String, at site: SourceSite, path: Int? = nil) {
    self.init(
      weakening, in: operation, label: site.label.isEmpty ? nil : site.label, path: path)
  }

  /// The step in words: which operation does what, and where.
  public var sentence: String { "\(subject), \(weakening.text)" }

  /// The operation, and how it gets there.
  public var subject: String {
    let numbers = [ordinal.map { "place \($0)" }, path.map { "call path \($0)" }].compactMap { $0 }
    let place = label.map { "\(operation) in \($0)" } ?? operation
    return numbers.isEmpty ? place : "\(place) (\(numbers.joined(separator: ", ")))"
  }

  public var text: String {
    let name = operation.split(separator: " ").joined(separator: "-")
    let parts = [name, label, weakening.rawValue].compactMap { $0 }.joined(separator: "/")
    return parts + (ordinal.map { ".\($0)" } ?? "") + (path.map { "#\($0)" } ?? "")
  }

  /// Reads what `text` writes; nil for anything else.
  public init?(text: String) {
    var parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard 2...3 ~= parts.count, let last = parts.popLast() else { return nil }
    let sides = last.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
    let names = sides[0].split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard let weakening = Weakening(rawValue: String(names[0])), !parts[0].isEmpty else {
      return nil
    }
    self.init(
      weakening, in: parts[0].replacing("-", with: " "), label: parts.count == 2 ? parts[1] : nil,
      ordinal: names.count == 2 ? Int(names[1]) : nil, path: sides.count == 2 ? Int(sides[1]) : nil)
    guard self.text == text, ordinal ?? 1 > 0, path ?? 1 > 0 else { return nil }
  }

  /// A name, for messages.
  package static let example = "unmap/flush/no-tlbi"

  /// True of a name as it once was, by file and line.
  package static func isFormerName(_ text: String) -> Bool {
    text.contains(":") && text.contains("@")
  }

  /// The same, by whichever calls it is, at whichever of the places that are called so.
  var unnumbered: WeakenedStep { numbered() }

  /// The same with other numbers.
  func numbered(_ ordinal: Int? = nil, path: Int? = nil) -> WeakenedStep {
    var step = self
    step.ordinal = ordinal
    step.path = path
    return step
  }

  /// The name of an operation without the addresses and numbers at its end, and without what joins
  /// them: `map 0x2` is a `map`, and `move 0x0 to 0x1` is a `move`.
  static func family(of operation: String) -> String {
    func isNumber(_ word: Substring) -> Bool { word.first?.isNumber ?? false }
    var words = operation.split(separator: " ")
    let endsWithNumber = words.last.map(isNumber) ?? false
    while words.count > 1, let last = words.last, isNumber(last) { words.removeLast() }
    if endsWithNumber, let first = words.dropFirst().firstIndex(where: isNumber) {
      words.removeSubrange(first...)
    }
    // What stands between the parts of a step's name is in none of them.
    return words.joined(separator: " ").replacing("-", with: " ").replacing("/", with: " ")
  }

  /// A function's name without its parameters, or a label, as part of a step's name.
  static func label(of function: String) -> String {
    let name = function.prefix { $0 != "(" }
    let text = String(
      (name.isEmpty ? function[...] : name).map { character in
        character.isLetter || character.isNumber || character == "_" ? character : "-"
      })
    return text.isEmpty ? "-" : text
  }
}

extension WeakenedStep: Comparable {
  /// By operation and function, then in the order of weakenings.
  public static func < (a: WeakenedStep, b: WeakenedStep) -> Bool {
    func rank(_ weakening: Weakening) -> Int { Weakening.allCases.firstIndex(of: weakening) ?? 0 }
    func key(_ step: WeakenedStep) -> (String, String, Int, Int, Int) {
      (
        step.operation, step.label ?? "", rank(step.weakening), step.ordinal ?? 0, step.path ?? 0
      )
    }
    return key(a) < key(b)
  }
}

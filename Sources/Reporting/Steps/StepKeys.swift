// Stepping through a trace by keys: from bytes to keys, and from keys to the shown moment.

/// A key with a function.
public enum StepKey: Equatable, Sendable {
  case forward, back, first, last, help, quit
}

/// Turns the bytes that a terminal sends into keys.
///
/// Arrow keys send several bytes that begin with an escape; unknown sequences are dropped.
public struct StepKeyDecoder: Sendable {
  private var sequence: [UInt8] = []

  private static let escape: UInt8 = 0x1B
  private static let longest = 8

  public init() {}

  /// The key that a byte completes, if it does.
  public mutating func feed(_ byte: UInt8) -> StepKey? {
    if byte == Self.escape {
      sequence = [byte]
      return nil
    }
    guard !sequence.isEmpty else { return Self.plain(byte) }
    sequence.append(byte)
    // "ESC [" or "ESC O", then numbers, then one byte that ends it.
    if sequence.count == 2 {
      if byte == UInt8(ascii: "[") || byte == UInt8(ascii: "O") { return nil }
      sequence = []
      return nil
    }
    guard (0x40...0x7E).contains(byte) || sequence.count >= Self.longest else { return nil }
    let whole = sequence.dropFirst(2)
    sequence = []
    return Self.key(String(decoding: whole, as: UTF8.self))
  }

  private static func plain(_ byte: UInt8) -> StepKey? {
    switch Character(UnicodeScalar(byte)) {
    case "n", " ", "l", "j": .forward
    case "p", "h", "k", "\u{7F}": .back
    case "g": .first
    case "G": .last
    case "?": .help
    case "q", "\u{3}", "\u{4}": .quit
    default: nil
    }
  }

  private static func key(_ sequence: String) -> StepKey? {
    switch sequence {
    case "C", "B", "6~": .forward
    case "D", "A", "5~": .back
    case "H", "1~", "7~": .first
    case "F", "4~", "8~": .last
    default: nil
    }
  }
}

/// The shown moment, and whether the help is shown.
public struct StepNavigator: Equatable, Sendable {
  public private(set) var position: Int
  public private(set) var showsHelp = false
  public private(set) var isDone = false
  private let last: Int

  /// - Parameter count: the number of moments; the first is shown first.
  public init(count: Int) {
    last = max(count - 1, 0)
    position = 0
  }

  /// Any key leaves the help.
  public mutating func press(_ key: StepKey) {
    if showsHelp, key != .quit {
      showsHelp = false
      return
    }
    switch key {
    case .forward: position = min(position + 1, last)
    case .back: position = max(position - 1, 0)
    case .first: position = 0
    case .last: position = last
    case .help: showsHelp = true
    case .quit: isDone = true
    }
  }
}

// Requests and reports as files for other processes: one way to write a value down, and no other
// is read.

import Foundation
import GracewalkSupport

/// A value that processes give to each other in a file.
public protocol StoredValue: Codable, Sendable {
  /// What the first line of its files calls it.
  static var storedName: String { get }
  /// Raised with every change of what is written.
  static var storedVersion: Int { get }
}

/// Why a file holds no such value, or a value cannot be written down; in one line.
public struct StoredFileError: Error, Equatable, CustomStringConvertible {
  public let description: String

  init(_ text: String) { description = text }
}

/// The file of a value: a line that says what it is, with a checksum, and a line of JSON.
///
///     gracewalk report 1 0123456789abcdef
///     {"callPaths":[],…
///
/// Keys are sorted and nothing is optional in how it is written, so equal values have equal bytes
/// wherever they are written, and the checksum names what is in the file. A file comes from
/// anywhere: what is read is held against how it would be written, byte for byte.
public struct StoredFile<Value: StoredValue> {
  public let value: Value
  public let bytes: [UInt8]
  /// Sixteen digits that follow from the bytes.
  public let name: String

  /// Longer files are not ours.
  public static var bytesMax: Int { 256 << 20 }

  private static var magic: String { "gracewalk \(Value.storedName) " }

  /// Writes a value down.
  ///
  /// - Throws: `StoredFileError` for what a file cannot hold: a number that is none, or a text with
  ///   characters that a terminal would obey.
  public init(_ value: Value) throws(StoredFileError) {
    let json = try Self.json(value)
    try Self.refuseInvisible(json)
    self.value = value
    name = Self.checksum(json)
    bytes = Self.bytes(of: json)
  }

  /// Reads a file.
  public init(bytes: some Collection<UInt8>) throws(StoredFileError) {
    guard bytes.count <= Self.bytesMax else { throw Self.error("is too large for one") }
    guard bytes.starts(with: Self.magic.utf8) else { throw Self.error("is none") }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw Self.error("is not text in UTF-8")
    }
    let lines = text.utf8.split(separator: 10, omittingEmptySubsequences: false)
    let words = String(lines[0].dropFirst(Self.magic.utf8.count)) ?? ""
    let parts = words.split(separator: " ", omittingEmptySubsequences: false)
    guard let version = parts.first, version == "\(Value.storedVersion)" else {
      throw Self.error(
        "has version '\(parts.first?.excerpt(20) ?? "")'; this program reads version "
          + "\(Value.storedVersion)")
    }
    guard lines.count == 3, lines[2].isEmpty, parts.count == 2, let json = String(lines[1]) else {
      throw Self.error("is cut off, or has lines that do not belong there")
    }
    guard parts[1] == Self.checksum(json) else { throw Self.error("does not fit its checksum") }
    try Self.refuseInvisible(json)
    let value: Value
    do {
      value = try JSONDecoder().decode(Value.self, from: Data(json.utf8))
    } catch {
      throw Self.error("makes no sense: \(Self.reason(error))")
    }
    guard try Self.json(value).utf8.elementsEqual(json.utf8) else {
      throw Self.error("is written in another way than this program does")
    }
    self.value = value
    self.bytes = Array(bytes)
    name = String(parts[1])
  }

  private static func json(_ value: Value) throws(StoredFileError) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do {
      return String(decoding: try encoder.encode(value), as: UTF8.self)
    } catch {
      throw Self.error("cannot be written: \(reason(error))")
    }
  }

  private static func checksum(_ json: String) -> String {
    let digits = String(StableHash.of("\(magic)\(Value.storedVersion)\n\(json)"), radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// What it says is shown in terminals: line breaks and tabs are all that is allowed besides what
  /// can be seen.
  private static func refuseInvisible(_ json: String) throws(StoredFileError) {
    var isEscaped = false
    for scalar in json.unicodeScalars {
      if isEscaped {
        isEscaped = false
        if "\"\\/nt".unicodeScalars.contains(scalar) { continue }
        throw error("has a control character")
      }
      if scalar.isInvisible { throw error("has a control character") }
      isEscaped = scalar == "\\"
    }
  }

  /// A file of any JSON whose checksum fits: what it takes to get a changed file read.
  package static func bytes(of json: String) -> [UInt8] {
    Array("\(magic)\(Value.storedVersion) \(checksum(json))\n\(json)\n".utf8)
  }

  private static func error(_ text: String) -> StoredFileError {
    StoredFileError("the \(Value.storedName) \(text)")
  }

  /// What a coder says, and where.
  private static func reason(_ error: any Error) -> String {
    let (path, text): ([any CodingKey], String) =
      switch error {
      case DecodingError.keyNotFound(let key, let context):
        (context.codingPath, "\(key.stringValue) is missing")
      case DecodingError.typeMismatch(_, let context),
        DecodingError.valueNotFound(_, let context), DecodingError.dataCorrupted(let context):
        (context.codingPath, context.debugDescription)
      case EncodingError.invalidValue(_, let context):
        (context.codingPath, context.debugDescription)
      default: ([], "it is no JSON")
      }
    let place = path.map(\.stringValue).joined(separator: ".")
    return (place.isEmpty ? text : "\(place): \(text)").excerpt(160)
  }
}

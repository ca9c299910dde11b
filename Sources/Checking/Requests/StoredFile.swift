// Requests and reports as files for other processes: each value has exactly one accepted encoding.

import Foundation
import GracewalkSupport

/// A value that processes exchange in files.
public protocol StoredValue: Codable, Sendable {
  /// Its name in the first line of its files.
  static var storedName: String { get }
  /// Incremented with every change of the format.
  static var storedVersion: Int { get }
}

/// Why a file has no such value, or a value cannot be encoded; in one line.
public struct StoredFileError: Error, Equatable, CustomStringConvertible {
  public let description: String

  init(_ text: String) { description = text }
}

/// The file of a value: a line with its kind, version and checksum, and a line of JSON.
///
///     gracewalk report 1 0123456789abcdef
///     {"callPaths":[],…
///
/// Invariant: equal values have equal bytes, since keys are sorted and each value has one encoding;
/// so the checksum identifies the contents. A file may come from anywhere, so a value is accepted
/// only if encoding it again gives the same bytes.
public struct StoredFile<Value: StoredValue> {
  public let value: Value
  public let bytes: [UInt8]
  /// Sixteen digits computed from the bytes.
  public let name: String

  /// Larger files are refused.
  public static var bytesMax: Int { 256 << 20 }

  private static var magic: String { "gracewalk \(Value.storedName) " }

  /// Encodes a value.
  ///
  /// - Throws: `StoredFileError` if a file cannot represent it: NaN, or text with control
  ///   characters.
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
    do {
      return String(decoding: try JSONEncoder.canonical.encode(value), as: UTF8.self)
    } catch {
      throw Self.error("cannot be written: \(reason(error))")
    }
  }

  private static func checksum(_ json: String) -> String {
    StableHash.digits(StableHash.of("\(magic)\(Value.storedVersion)\n\(json)"))
  }

  /// Its text may be shown in terminals, so only visible characters, line breaks and tabs are
  /// allowed.
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

  /// A file with any JSON and a matching checksum, so that tests can make changed files.
  package static func bytes(of json: String) -> [UInt8] {
    Array("\(magic)\(Value.storedVersion) \(checksum(json))\n\(json)\n".utf8)
  }

  private static func error(_ text: String) -> StoredFileError {
    StoredFileError("the \(Value.storedName) \(text)")
  }

  /// A coder's error message, with its place.
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
      default: ([], "it is not JSON")
      }
    let place = path.map(\.stringValue).joined(separator: ".")
    return (place.isEmpty ? text : "\(place): \(text)").excerpt(160)
  }
}

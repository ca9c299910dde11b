// Files of answers: each record says which unit it answers, and has a checksum of its own.

import Foundation
import GracewalkSupport

/// The answer to a unit, as bytes.
struct StoredAnswer {
  /// The name of the unit.
  var name: String
  /// Where and when the unit ran, in seconds since 1970.
  var host = Host.name
  var start: Double
  var end: Double
  var json: [UInt8]
  /// Whether later runs may use it.
  var isFinal = true
}

/// What a file of answers says about itself.
struct AnswerAbout: Codable, Equatable {
  /// The command line of a shard, without the program's name.
  var command: [String]?
  /// The number of a shard, from 1, and how many there are.
  var shard: Int?
  var shards: Int?
  /// The list and the bundle that a job worked on.
  var list: String?
  var bundle: Int?
  /// Units of the bundle that are not answered.
  var left: [String]?
  /// Why they are not.
  var reason: String?
  /// Whether nothing was done, and the next job has to begin where this one did.
  var isLost: Bool?
}

/// A file of answers.
///
///     gracewalk answers 2 PROGRAM
///     {…}
///     NAME CHECKSUM BYTES HOST START END final|once
///     {…}
///     gracewalk end COUNT
struct AnswerFile {
  /// Where a file has the answer to a unit.
  struct Record {
    var name: String
    var checksum: String
    var host: String
    var start: Double
    var end: Double
    var isFinal: Bool
    /// The place of its JSON in the file.
    var bytes: Range<Int>
  }

  var program: String
  var about: AnswerAbout
  var records: [Record]

  private static let magic = "gracewalk answers 2 "

  /// The bytes of a file.
  static func bytes(_ about: AnswerAbout, _ answers: [StoredAnswer]) -> [UInt8] {
    var bytes = Array("\(magic)\(ProgramVersion.current)\n".utf8)
    bytes += json(about) + [10]
    for answer in answers {
      let words = [
        answer.name, checksum(answer.name, answer.json), "\(answer.json.count)", answer.host,
        "\(answer.start)", "\(answer.end)", answer.isFinal ? "final" : "once",
      ]
      bytes += Array("\(words.joined(separator: " "))\n".utf8) + answer.json + [10]
    }
    return bytes + Array("gracewalk end \(answers.count)\n".utf8)
  }

  /// Reads where the records of a file are.
  ///
  /// - Throws: what is wrong, as words that follow the name of the file.
  init(_ bytes: [UInt8]) throws(FolderError) {
    var next = 0
    func line() throws(FolderError) -> String {
      guard let end = bytes[next...].firstIndex(of: 10),
        let text = String(validating: bytes[next..<end], as: UTF8.self)
      else { throw FolderError("is cut off") }
      next = end + 1
      return text
    }
    let first = try line()
    guard first.hasPrefix(Self.magic) else { throw FolderError("is no file of answers") }
    program = String(first.dropFirst(Self.magic.count))
    guard let about = try? JSONDecoder().decode(AnswerAbout.self, from: Data(try line().utf8))
    else { throw FolderError("makes no sense") }
    self.about = about
    records = []
    while true {
      let words = try line().split(separator: " ").map(String.init)
      if words.count == 3, words[0] == "gracewalk" {
        guard words[1] == "end", words[2] == "\(records.count)", next == bytes.count else {
          throw FolderError("is cut off, or has lines that do not belong there")
        }
        return
      }
      guard words.count == 7, ["final", "once"].contains(words[6]), let count = Int(words[2]),
        count >= 0, let start = Double(words[4]), let end = Double(words[5])
      else { throw FolderError("makes no sense") }
      guard count < bytes.count - next else { throw FolderError("is cut off") }
      records.append(
        Record(
          name: words[0], checksum: words[1], host: words[3], start: start, end: end,
          isFinal: words[6] == "final", bytes: next..<next + count))
      guard bytes[next + count] == 10 else { throw FolderError("makes no sense") }
      next += count + 1
    }
  }

  static func checksum(_ name: String, _ json: [UInt8]) -> String {
    StableHash.digits(hash(json, from: StableHash.of(name)))
  }

  /// A name for contents that are never the same by accident: 32 digits.
  static func name(of bytes: [UInt8]) -> String {
    StableHash.digits(hash(bytes, from: 1)) + StableHash.digits(hash(bytes, from: 2))
  }

  /// A hash of bytes, eight at a time.
  static func hash(_ bytes: [UInt8], from start: UInt64) -> UInt64 {
    bytes.withUnsafeBytes { bytes in
      var hash = start
      var offset = 0
      while offset + 8 <= bytes.count {
        let word = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        hash = StableHash.extend(hash, with: UInt64(littleEndian: word))
        offset += 8
      }
      while offset < bytes.count {
        hash = StableHash.extend(hash, with: UInt64(bytes[offset]))
        offset += 1
      }
      return StableHash.extend(hash, with: UInt64(bytes.count))
    }
  }

  /// JSON with sorted keys, so that equal values have equal bytes.
  static func json(_ value: some Encodable) -> [UInt8] {
    (try? JSONEncoder.canonical.encode(value)).map(Array.init) ?? []
  }
}

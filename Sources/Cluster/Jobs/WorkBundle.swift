// What one job does: some units, one after the other.

import Foundation
import GracewalkSupport

/// The units of a job.
struct WorkBundle: Codable, Equatable {
  var program: String
  /// Seconds after which the job ends, and leaves the rest.
  var seconds: Double
  /// Whether the job then waits for other bundles that are on offer.
  var waits: Bool
  var units: [NamedUnit]

  private static let magic = "gracewalk bundle 2 "

  init(_ units: [NamedUnit], seconds: Double, waits: Bool) {
    program = ProgramVersion.current
    self.seconds = seconds
    self.waits = waits
    self.units = units
  }

  var bytes: [UInt8] {
    let json = AnswerFile.json(self)
    return Array("\(Self.magic)\(AnswerFile.checksum(Self.magic, json))\n".utf8) + json
  }

  init(_ bytes: [UInt8]) throws(FolderError) {
    guard bytes.starts(with: Self.magic.utf8), let end = bytes.firstIndex(of: 10) else {
      throw FolderError("is no bundle of units")
    }
    let json = Array(bytes[(end + 1)...])
    let checksum = String(decoding: bytes[Self.magic.utf8.count..<end], as: UTF8.self)
    guard checksum == AnswerFile.checksum(Self.magic, json),
      let bundle = try? JSONDecoder().decode(WorkBundle.self, from: Data(json))
    else { throw FolderError("is cut off or damaged") }
    self = bundle
  }
}

/// A list of bundles, named by what they are; an array of jobs works on it.
struct BundleList {
  let name: String
  let bundles: [WorkBundle]

  init(_ bundles: [WorkBundle], attempt: Int) {
    self.bundles = bundles
    let text = Array(bundles.flatMap { $0.units.map(\.name) }.joined(separator: " ").utf8)
    name = StableHash.digits(AnswerFile.hash(text, from: UInt64(attempt)))
  }

  /// The script of the jobs of a list.
  static func script(_ list: String, _ folder: WorkFolder) -> String {
    "\(folder.list(list))/job.sh"
  }

  /// Writes the bundles and the script of the jobs.
  func write(to folder: WorkFolder) throws(FolderError) {
    let path = folder.list(name)
    try FolderFiles.makeFolder(path)
    for (number, bundle) in bundles.enumerated() {
      try FolderFiles.replace(bundle.bytes, to: "\(path)/\(number)")
    }
    // The shell is replaced, so that signals of the batch system reach the program.
    let words = [ProgramVersion.path, "cluster", "work", folder.path, name].map(\.quotedForShell)
    let script = """
      #!/bin/sh
      exec \(words.joined(separator: " ")) "$SLURM_ARRAY_TASK_ID"

      """
    try FolderFiles.replace(script, to: Self.script(name, folder))
  }
}

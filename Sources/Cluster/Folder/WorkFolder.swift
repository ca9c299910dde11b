// The folder that coordinator and jobs share: what is to be done, and all answers so far.

import Foundation
import GracewalkChecking
import GracewalkExploration
import GracewalkSupport

/// A folder with answers to units, by the units' names.
///
/// A name is a hash of the unit and of the program, so an answer stays right whatever is asked
/// later, and by whom. Files are never changed: they appear, complete, by a rename.
package final class WorkFolder: WorkFiles, @unchecked Sendable {
  package let path: String
  /// Called with one line about a file that is ignored.
  private let complain: @Sendable (String) -> Void
  private let mergesShards: Bool
  private let state = Locked(State())

  private struct State {
    var places: [String: (file: String, record: AnswerFile.Record)] = [:]
    var read: Set<String> = []
    var abouts: [(file: String, about: AnswerAbout)] = []
    var failure: FolderError?
    /// Whether answers that are good for one run only count: not those of earlier runs.
    var takesPassing = false
  }

  /// Opens a folder, and makes it if there is none.
  ///
  /// - Parameters:
  ///   - scans: whether to look for answers; a job need not.
  ///   - mergesShards: whether the answers of shards count that are good for one run only.
  ///   - complain: called with one line about a file that is ignored.
  package init(
    _ path: String, scans: Bool = true, mergesShards: Bool = false,
    complain: @escaping @Sendable (String) -> Void
  ) throws(FolderError) {
    self.path = URL(fileURLWithPath: path).standardizedFileURL.path
    self.complain = complain
    self.mergesShards = mergesShards
    for folder in ["", "/answers", "/files", "/lists", "/saved", "/logs"] {
      try FolderFiles.makeFolder(self.path + folder)
    }
    if scans { scan() }
    state.withLock { $0.takesPassing = true }
  }

  package var answers: String { "\(path)/answers" }
  func list(_ name: String) -> String { "\(path)/lists/\(name)" }
  func log(_ list: String, _ bundle: Int) -> String { "\(path)/logs/\(list)-\(bundle)" }
  /// Where a check that takes several jobs is saved between them.
  func saved(_ unit: String) -> String { "\(path)/saved/\(unit)" }

  /// The last line that could not be written, if any.
  package var failure: FolderError? { state.withLock { $0.failure } }

  // MARK: Answers

  /// Looks for new files of answers, and returns what they say about themselves.
  @discardableResult
  func scan() -> [AnswerAbout] {
    let shards = FolderFiles.names(in: path).filter { $0.hasPrefix("shard-") }.map {
      "\(path)/\($0)"
    }
    let files = FolderFiles.names(in: answers).map { "\(answers)/\($0)" } + shards
    return state.withLock { state in
      var new: [AnswerAbout] = []
      for file in files where file.hasSuffix(".answers") && state.read.insert(file).inserted {
        guard let bytes = FolderFiles.bytes(of: file) else { continue }
        do throws(FolderError) {
          let found = try AnswerFile(bytes)
          state.abouts.append((file, found.about))
          new.append(found.about)
          guard found.program == ProgramVersion.current else { continue }
          let isOfThisRun = state.takesPassing || mergesShards && found.about.shard != nil
          for record in found.records
          where (record.isFinal || isOfThisRun) && state.places[record.name] == nil {
            state.places[record.name] = (file, record)
          }
        } catch {
          complain("ignored '\(file)': it \(error)")
        }
      }
      return new
    }
  }

  /// All records, with the files they are in.
  var records: [(file: String, record: AnswerFile.Record)] {
    state.withLock { $0.places.values.map { ($0.file, $0.record) } }
      .sorted { ($0.record.end, $0.record.name) < ($1.record.end, $1.record.name) }
  }

  /// What the files of answers say about themselves.
  var abouts: [(file: String, about: AnswerAbout)] { state.withLock { $0.abouts } }

  func hasAnswer(to name: String) -> Bool { state.withLock { $0.places[name] != nil } }

  /// The answer to a unit; nil if there is none, or it is damaged.
  func result<Unit: WorkUnit>(
    of unit: Unit.Type, named name: String
  ) -> (Result<Unit.Answer, Unit.Failure>, seconds: Double)? {
    guard let (file, record) = state.withLock({ $0.places[name] }) else { return nil }
    guard
      let json = FolderFiles.bytes(
        of: file, from: record.bytes.lowerBound, count: record.bytes.count),
      AnswerFile.checksum(name, json) == record.checksum,
      let outcome = try? JSONDecoder().decode(
        Outcome<Unit.Answer, Unit.Failure>.self, from: Data(json)),
      let result = outcome.result
    else {
      forget(name, "ignored an answer in '\(file)': it does not fit its checksum")
      return nil
    }
    if case .success(let answer) = result {
      for needed in Unit.files(of: answer) where bytes(named: needed) == nil {
        forget(name, "ignored an answer in '\(file)': its file \(needed) is missing or damaged")
        return nil
      }
    }
    return (result, record.end - record.start)
  }

  /// The answer to a unit, whoever found it.
  package func answer<Unit: WorkUnit>(to unit: Unit) -> Unit.Answer? {
    guard let (result, _) = result(of: Unit.self, named: NamedUnit(unit).name) else { return nil }
    return try? result.get()
  }

  /// Keeps an answer that this process has found.
  package func keep<Unit: WorkUnit>(_ answer: Unit.Answer, to unit: Unit, seconds: Double) {
    var kept = KeptAnswers(self, keeps: true)
    kept.add(
      WorkDone<Unit>(number: 0, result: .success(answer), seconds: seconds), unit,
      NamedUnit(unit).name)
    kept.flush()
  }

  private func forget(_ name: String, _ reason: String) {
    _ = state.withLock { $0.places.removeValue(forKey: name) }
    complain(reason)
  }

  /// Keeps answers in a new file.
  func keep(_ answers: [StoredAnswer], _ about: AnswerAbout, as name: String) throws(FolderError) {
    let file = name.hasPrefix("shard-") ? "\(path)/\(name)" : "\(self.answers)/\(name)"
    do throws(FolderError) {
      try FolderFiles.replace(AnswerFile.bytes(about, answers), to: "\(file).answers")
    } catch {
      state.withLock { $0.failure = error }
      throw error
    }
  }

  // MARK: Files

  /// Whether there is hardly any room left.
  var isFull: Bool {
    let attributes = try? FileManager.default.attributesOfFileSystem(forPath: path)
    return (attributes?[.systemFreeSize] as? NSNumber).map { $0.int64Value < 1 << 20 } ?? false
  }

  private func file(_ name: String) -> String { "\(path)/files/\(name)" }

  private static func name(of bytes: [UInt8]) -> String {
    AnswerFile.name(of: bytes)
  }

  package func keep(_ bytes: [UInt8]) -> String? {
    let name = Self.name(of: bytes)
    if FileManager.default.fileExists(atPath: file(name)), self.bytes(named: name) != nil {
      return name
    }
    do throws(FolderError) {
      try FolderFiles.replace(bytes, to: file(name))
      return name
    } catch {
      state.withLock { $0.failure = error }
      complain("\(error)")
      return nil
    }
  }

  package func bytes(named name: String) -> [UInt8]? {
    guard name.allSatisfy(\.isHexDigit), let bytes = FolderFiles.bytes(of: file(name)),
      Self.name(of: bytes) == name
    else { return nil }
    return bytes
  }
}

/// A result as JSON.
struct Outcome<Answer: Codable, Failure: Error & Codable>: Codable {
  var answer: Answer?
  var failure: Failure?

  init(_ result: Result<Answer, Failure>) {
    switch result {
    case .success(let answer): self.answer = answer
    case .failure(let failure): self.failure = failure
    }
  }

  var result: Result<Answer, Failure>? {
    if let answer { return .success(answer) }
    return failure.map { .failure($0) }
  }
}

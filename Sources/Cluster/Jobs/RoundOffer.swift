// Bundles on offer: jobs that have done theirs take one, so that no round waits for new jobs.

import Foundation
import GracewalkSupport

/// What a coordinator offers to jobs that wait.
struct RoundOffer: Codable, Equatable {
  /// The list, and how many bundles it has.
  var list: String
  var count: Int

  /// Seconds after which a job that has got nothing ends.
  static let patience = 30.0
  /// Seconds after which a bundle that no waiting job has taken needs a job of its own.
  static let seconds = 1.5

  private static func path(_ folder: WorkFolder) -> String { "\(folder.path)/offer" }

  func announce(in folder: WorkFolder) throws(FolderError) {
    try FolderFiles.replace(AnswerFile.json(self), to: Self.path(folder))
  }

  /// Lets all jobs that wait end.
  static func withdraw(from folder: WorkFolder) { _ = unlink(path(folder)) }

  /// What is on offer; nil if the coordinator has finished.
  init?(of folder: WorkFolder) {
    guard let bytes = FolderFiles.bytes(of: Self.path(folder)),
      let offer = try? JSONDecoder().decode(RoundOffer.self, from: Data(bytes))
    else { return nil }
    self = offer
  }

  init(list: String, count: Int) {
    self.list = list
    self.count = count
  }

  private static func takenPath(_ element: JobElement, _ folder: WorkFolder) -> String {
    "\(folder.list(element.list))/\(element.bundle).taken"
  }

  /// Takes a bundle for a job; false if another job has it.
  static func take(_ element: JobElement, for job: JobElement, in folder: WorkFolder) -> Bool {
    let path = takenPath(element, folder)
    let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard file >= 0 else { return false }
    let bytes = AnswerFile.json(job)
    _ = bytes.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
    close(file)
    return true
  }

  /// The job that has taken a bundle; nil if none has.
  static func taker(of element: JobElement, in folder: WorkFolder) -> JobElement? {
    guard let bytes = FolderFiles.bytes(of: takenPath(element, folder)) else { return nil }
    return try? JSONDecoder().decode(JobElement.self, from: Data(bytes))
  }
}

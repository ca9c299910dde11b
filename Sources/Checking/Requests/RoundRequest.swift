// A unit of one check: a part of its search, from where another process has brought it.

import GracewalkExploration
import GracewalkMachine

/// A member's part of a round of a divided search (`SearchTeam`), as a unit of work.
package struct RoundRequest: WorkUnit {
  /// The check that the part belongs to.
  private let check: CheckRequest
  /// Files: what all members know, and what this one needs besides.
  private let common: String
  private let member: String

  package init(_ check: CheckRequest, common: String, member: String) {
    self.check = check
    self.common = common
    self.member = member
  }

  /// The file that says what was explored.
  package struct Answer: Codable, Sendable {
    package let file: String
  }

  package func run(_ context: WorkContext<SearchProgress>) throws(CheckError) -> Answer {
    let model = try context.model(named: check.model)
    guard let files = context.files, let common = files.bytes(named: common),
      let member = files.bytes(named: member)
    else { throw .badOptions("the files of a unit of \(check.model) are missing or damaged") }
    var options = CheckOptions(scenario: check.scenario, search: check.search)
    context.supervise(&options)
    let bytes = try model.play(common: common, member: member, options)
    guard !bytes.isEmpty else { throw .badOptions("interrupted") }
    guard let file = files.keep(bytes) else {
      throw .badOptions("what a unit of \(check.model) has explored cannot be written")
    }
    return Answer(file: file)
  }

  package static func isFinal(_ result: Result<Answer, CheckError>) -> Bool {
    if case .success = result { true } else { false }
  }

  package static func files(of answer: Answer) -> [String] { [answer.file] }
}

extension Model {
  /// Explores a unit of a search that another process has divided.
  fileprivate func play(
    common: [UInt8], member: [UInt8], _ given: CheckOptions
  ) throws(CheckError) -> [UInt8] {
    _ = try scenario(given.scenario.whole)
    let options = try resolved(given)
    let plan = SearchPlan(options, freshScenario(options.scenario))
    Machine.beginReports()
    defer { Machine.endReports() }
    do throws(CheckpointError) {
      return try plan.play(common: common, member: member, maker(options.scenario, plan))
    } catch {
      throw .badOptions("a unit of \(name) does not fit this version of the program")
    }
  }
}

extension DistantRounds {
  /// Rounds whose parts an executor plays.
  ///
  /// - Parameter isInterrupted: asked by the executor whether to stop starting units.
  package init(
    of check: CheckRequest, by executor: any Executor, files: any WorkFiles, turnsMin: Int,
    isInterrupted: @escaping @Sendable () -> Bool
  ) {
    self.init(turnsMin: turnsMin) { common, members in
      guard let common = files.keep(common) else { return nil }
      var units: [RoundRequest] = []
      for member in members {
        guard let name = files.keep(member) else { return nil }
        units.append(RoundRequest(check, common: common, member: name))
      }
      var watch = WorkWatch<RoundRequest>()
      watch.isInterrupted = isInterrupted
      watch.begin = { _ in { _ in !isInterrupted() } }
      var answers: [[UInt8]] = []
      _ = executor.run(units, watch) { done in
        guard case .success(let answer) = done.result,
          let bytes = files.bytes(named: answer.file)
        else { return false }
        answers.append(bytes)
        return true
      }
      return answers.count == units.count ? answers : nil
    }
  }
}

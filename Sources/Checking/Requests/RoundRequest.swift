// A unit of one check: a part of its search, from where another process has brought it.

import GracewalkExploration
import GracewalkMachine
import GracewalkSupport

/// A member's part of a round of a divided search (`SearchTeam`), as a unit of work.
package struct RoundRequest: WorkUnit {
  /// The check that the part belongs to.
  let check: CheckRequest
  /// Files: what all members have been told, one after the other, and what this one needs besides.
  let news: [String]
  let member: String

  /// The file that says what was explored.
  package struct Answer: Codable, Sendable {
    package let file: String
  }

  package func run(_ context: WorkContext<SearchProgress>) throws(CheckError) -> Answer {
    guard let files = context.files, let member = files.bytes(named: member) else {
      throw missing
    }
    let player: PlayerOfCheck
    if let kept = RoundPlayers.take(for: self) {
      player = kept
    } else {
      player = try PlayerOfCheck(check, context)
    }
    try player.learn(news, from: files, or: missing)
    let bytes = try player.play(member, context.watch)
    RoundPlayers.put(player)
    guard !bytes.isEmpty else { throw .badOptions("interrupted") }
    guard let file = files.keep(bytes) else {
      throw .badOptions("what a unit of \(check.model) has explored cannot be written")
    }
    return Answer(file: file)
  }

  private var missing: CheckError {
    .badOptions("the files of a unit of \(check.model) are missing or damaged")
  }

  package static func isFinal(_ result: Result<Answer, CheckError>) -> Bool {
    if case .success = result { true } else { false }
  }

  package static func files(of answer: Answer) -> [String] { [answer.file] }

  /// Where there is one such unit, there will be more.
  package static var comesInRounds: Bool { true }
}

/// What a process knows of a check whose parts it plays.
private final class PlayerOfCheck {
  let check: CheckRequest
  private let player: RoundPlayer
  /// What it has been told.
  private(set) var told: [String] = []

  init(_ check: CheckRequest, _ context: WorkContext<SearchProgress>) throws(CheckError) {
    self.check = check
    let model = try context.model(named: check.model)
    let given = CheckOptions(scenario: check.scenario, search: check.search)
    _ = try model.scenario(given.scenario.whole)
    let options = try model.resolved(given)
    let plan = SearchPlan(options, model.freshScenario(options.scenario))
    player = plan.roundPlayer(model.maker(options.scenario, plan))
  }

  func learn(
    _ news: [String], from files: any WorkFiles, or missing: CheckError
  ) throws(CheckError) {
    Machine.beginReports()
    defer { Machine.endReports() }
    for name in news.dropFirst(told.count) {
      guard let bytes = files.bytes(named: name) else { throw missing }
      do throws(CheckpointError) { try player.learn(bytes) } catch { throw misfit }
      told.append(name)
    }
  }

  func play(
    _ member: [UInt8], _ watch: @escaping (SearchProgress) -> Bool
  ) throws(CheckError) -> [UInt8] {
    Machine.beginReports()
    defer { Machine.endReports() }
    do throws(CheckpointError) {
      return try player.play(member, watch: watch)
    } catch {
      throw misfit
    }
  }

  private var misfit: CheckError {
    .badOptions("a unit of \(check.model) does not fit this version of the program")
  }
}

/// The player that this process has used last, so that the next part of the same check needs only
/// what is new.
private enum RoundPlayers {
  // One thread at a time has a player: it is taken out.
  private struct Kept: @unchecked Sendable { var player: PlayerOfCheck? }
  private static let kept = Locked(Kept())

  static func take(for request: RoundRequest) -> PlayerOfCheck? {
    kept.withLock { kept in
      guard let player = kept.player, player.check == request.check,
        request.news.starts(with: player.told)
      else { return nil }
      kept.player = nil
      return player
    }
  }

  static func put(_ player: PlayerOfCheck) { kept.withLock { $0.player = player } }
}

extension DistantRounds {
  /// Rounds whose parts an executor plays.
  ///
  /// - Parameter isInterrupted: asked by the executor whether to stop starting units.
  package init(
    of check: CheckRequest, by executor: any Executor, files: any WorkFiles, turnsMin: Int,
    isInterrupted: @escaping @Sendable () -> Bool
  ) {
    var told: [String] = []
    self.init(turnsMin: turnsMin) { news, members in
      guard let name = files.keep(news) else { return nil }
      told.append(name)
      var units: [RoundRequest] = []
      for member in members {
        guard let name = files.keep(member) else { return nil }
        units.append(RoundRequest(check: check, news: told, member: name))
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

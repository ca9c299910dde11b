// Finds out which of a model's steps are needed: leaves out each in turn, and checks the rest.

import GracewalkExploration
import GracewalkInvariants
import GracewalkMachine
import GracewalkSupport
import GracewalkTraces

extension Model {
  /// Leaves out or weakens each step by which the code orders CPUs, one at a time, and checks what
  /// is left.
  ///
  /// Steps are found by running the code, so steps that no execution of the scenario reaches are
  /// not tried. The model needs no change, since steps pass through the virtual CPU, which can drop
  /// them.
  ///
  /// - `only`: the steps to look at; nil for all.
  /// - `willCheck`: called for each step before it is left out.
  public func ablate(
    _ options: CheckOptions = CheckOptions(), only: [WeakenedStep]? = nil,
    willCheck: (_ step: WeakenedStep, _ number: Int, _ count: Int) -> Void = { _, _, _ in }
  ) throws(AblationError) -> AblationReport {
    let executor = ThreadExecutor([self])
    let watch = WatchOfOneThread(body: options.watch ?? { _ in true })
    return try withoutActuallyEscaping(willCheck) { willCheck throws(AblationError) in
      let tell = TellerOfOneThread(body: willCheck)
      return try ablate(options, only: only, by: executor) { step, number, count in
        tell.body(step, number, count)
        return watch.body
      }
    }
  }

  /// The same ablation with an executor that checks the steps.
  ///
  /// - Parameter begin: called for each step before it is left out; returns the observer of its
  ///   checks.
  package func ablate(
    _ options: CheckOptions, only: [WeakenedStep]? = nil, by executor: any Executor,
    begin:
      @escaping @Sendable (_ step: WeakenedStep, _ number: Int, _ count: Int)
      -> (SearchProgress) -> Bool
  ) throws(AblationError) -> AblationReport {
    var options = options
    options.takesCensus = true
    let whole: CheckReport
    do { whole = try check(options, by: executor) } catch { throw .check(error) }
    guard case .holds = whole.verdict else { throw .broken(whole) }
    options.takesCensus = false
    if let stranger = only?.first(where: { !whole.callPaths.contains($0) }) {
      throw .unknownStep(stranger, known: whole.synchronisingSteps)
    }
    var rows = rows(of: only.map { inOrder($0, whole) } ?? whole.synchronisingSteps, whole)
    let places = rows.indices.flatMap { row in
      [(row, nil)] + rows[row].calls.indices.map { (row, $0 as Int?) }
    }
    let steps = places.map { row, call in call.map { rows[row].calls[$0] } ?? rows[row] }
    // `begin` is also called for steps that are not tried, each before the next one that is.
    let asked = steps.indices.filter {
      steps[$0].step.weakening.isDecidable(under: whole.memoryModel)
    }
    let told = Locked(0)
    let tell: @Sendable (Int) -> (SearchProgress) -> Bool = { last in
      let from = told.withLock { told in
        defer { told = max(told, last + 1) }
        return told
      }
      var watch: (SearchProgress) -> Bool = { _ in true }
      for number in min(from, last)...last {
        watch = begin(steps[number].step, number, steps.count)
      }
      return watch
    }
    var work = WorkWatch<AblationRequest>()
    work.begin = { tell(asked[$0]) }
    var failure: CheckError?
    _ = executor.run(
      asked.map { number in
        AblationRequest(CheckRequest(name, options), steps[number].step, whole)
      }, work
    ) { done in
      let (row, call) = places[asked[done.number]]
      switch done.result {
      case .failure(let error): failure = error
      case .success(let finding):
        if let call {
          rows[row].calls[call].finding = finding
        } else {
          rows[row].finding = finding
        }
      }
      return failure == nil
    }
    if let failure { throw .check(failure) }
    if let last = steps.indices.last, !asked.contains(last) { _ = tell(last) }
    return AblationReport(whole: whole, rows: rows)
  }

  /// The check of the model as it is, on which all others depend.
  private func check(
    _ options: CheckOptions, by executor: any Executor
  ) throws(CheckError) -> CheckReport {
    let observer = WatchOfOneThread(body: options.watch ?? { _ in true })
    var watch = WorkWatch<CheckRequest>()
    watch.begin = { _ in { observer.body($0) } }
    guard let result = executor.runFirst(CheckRequest(name, options), watch) else {
      return try check(options)
    }
    return try result.get()
  }

  /// The steps that were asked for, each once, in the order of the source.
  private func inOrder(_ steps: [WeakenedStep], _ whole: CheckReport) -> [WeakenedStep] {
    let places = Set(steps).map { (whole.callPaths.sites(of: $0)[0], $0) }
    return places.sorted { $0 < $1 }.map(\.1)
  }

  /// A row for each step, without findings yet.
  private func rows(of steps: [WeakenedStep], _ whole: CheckReport) -> [AblationReport.Row] {
    steps.map { step in
      let sites = whole.callPaths.sites(of: step)
      guard step.weakening.isDecidable(under: whole.memoryModel) else {
        return AblationReport.Row(step: step, sites: sites, finding: .notAsked(whole.memoryModel))
      }
      let unknown = AblationReport.Finding.undecided("it was not checked")
      return AblationReport.Row(
        step: step, sites: sites, finding: unknown,
        calls: whole.callPaths.calls(of: step).map {
          AblationReport.Row(step: $0, sites: sites, finding: unknown)
        })
    }
  }
}

/// Called only by the thread that created it.
private struct WatchOfOneThread: @unchecked Sendable {
  var body: (SearchProgress) -> Bool
}

private struct TellerOfOneThread: @unchecked Sendable {
  var body: (_ step: WeakenedStep, _ number: Int, _ count: Int) -> Void
}

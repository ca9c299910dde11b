// Every model has its declared verdict, in every search.

import GracewalkChecking
import GracewalkExploration
import GracewalkInvariants
import GracewalkMachine
import GracewalkModels
import GracewalkTraces
import TestExpectations
import Testing

/// One check of the catalogue.
struct CatalogueCase: Sendable, CustomTestStringConvertible {
  var model: Model
  var parameters: [String: Int]
  /// The only invariant required, for a model that violates it.
  var violated: String?

  var testDescription: String {
    let values = model.values(parameters).values.map { "\($0.name)=\($0.value)" }
    return ([model.name] + values + [violated ?? "holds"]).joined(separator: " ")
  }

  var options: CheckOptions {
    var options = CheckOptions()
    options.parameters = parameters
    options.invariants = violated.map { [$0] }
    return options
  }

  /// With standard options; made once.
  func report() throws -> CheckReport {
    try CatalogueReports.report(model, parameters, violated: violated)
  }

  var hasHardware: Bool { model.build(model.values(parameters)).hasHardware }

  static let all: [CatalogueCase] = Catalogue.models.flatMap { model in
    model.instances.flatMap { instance in
      switch model.expectation {
      case .holds: [CatalogueCase(model: model, parameters: instance)]
      case .violates(let ids):
        ids.map { CatalogueCase(model: model, parameters: instance, violated: $0) }
      }
    }
  }

  /// One for each model and size: a broken model with the first invariant it violates.
  static let onePerModel: [CatalogueCase] = all.filter { item in
    switch item.model.expectation {
    case .holds: true
    case .violates(let ids): item.violated == ids.first
    }
  }
}

@Suite struct VerdictTests {
  @Test(.tags(.long), .unlessQuick, arguments: CatalogueCase.all)
  func verdictIsAsDeclared(_ item: CatalogueCase) throws {
    let report = try item.report()
    #expect(report.verdict == (item.violated == nil ? .holds : .violated))
    #expect(report.violatedInvariant == item.violated)
    guard item.violated != nil else { return }
    let trace = try #require(report.counterexample)
    #expect(trace.isMinimal)
    // A page that is freed and reused, or a wait that is too early, takes two; hardware steps often
    // add one; and a lockstep livelock takes one for every step.
    let isSimple = trace.recording.preemptions.count <= (item.hasHardware ? 3 : 2)
    #expect(trace.recording.loop != nil || isSimple)
  }

  @Test(
    .tags(.long), .unlessQuick, arguments: CatalogueCase.onePerModel,
    [Strategy.optimal, .source, .sleep])
  func otherModesAgree(_ item: CatalogueCase, _ strategy: Strategy) throws {
    var options = item.options
    options.strategy = strategy
    options.minimises = false
    // Sleep sets alone take long for the largest model.
    if strategy == .sleep && item.violated == nil && item.parameters["levels"] == 3 { return }
    // The optimal search is for sequential consistency.
    let isWeak = try item.report().memoryModel != .sequentialConsistency
    if strategy == .optimal && isWeak { return }
    // With memory management units there are too many executions to run each.
    if item.hasHardware { options.limits.executions = 500 }
    let report = try item.model.check(options)
    if case .incomplete = report.verdict, item.hasHardware { return }
    #expect(report.verdict == (item.violated == nil ? .holds : .violated))
    #expect(report.violatedInvariant == item.violated)
  }

  @Test(.tags(.long), .unlessQuick, arguments: CatalogueCase.onePerModel)
  func exhaustiveSearchAgrees(_ item: CatalogueCase) throws {
    // Three levels with three CPUs are too much for a search without reduction in a test.
    var options = item.options
    options.strategy = .exhaustive
    options.minimises = false
    if item.violated == nil && item.parameters["levels"] == 3 { options.parameters["levels"] = 2 }
    options.limits.states = 20_000
    let report = try item.model.check(options)
    if case .incomplete = report.verdict { return }
    #expect(report.verdict == (item.violated == nil ? .holds : .violated))
  }

  /// Comparing states in full changes nothing but the certainty.
  @Test(.tags(.long), .unlessQuick, arguments: CatalogueCase.onePerModel)
  func exactSearchesAgree(_ item: CatalogueCase) throws {
    var options = item.options
    // States are compared in full without exchanging CPUs.
    options.usesSymmetry = false
    let expected = try item.model.check(options)
    options.isExact = true
    let report = try item.model.check(options)
    #expect(report.verdict == expected.verdict)
    // States compared in full are not matched on what is still read, so there may be more.
    #expect(report.statistics.states >= expected.statistics.states)
    #expect(
      report.counterexample?.recording.schedule == expected.counterexample?.recording.schedule)
    #expect(report.isExact && !expected.isExact)
  }

  /// The same counterexample, byte for byte, for any number of threads.
  @Test(.tags(.long), .unlessQuick, arguments: CatalogueCase.onePerModel)
  func threadsAgree(_ item: CatalogueCase) throws {
    var options = item.options
    let alone = try item.report()
    options.jobs = 3
    let report = try item.model.check(options)
    #expect(report.verdict == alone.verdict)
    #expect(
      report.counterexample.map { TraceFile($0).text }
        == alone.counterexample.map { TraceFile($0).text })
  }

  @Test func everyInvariantIsViolatedBySomeModel() {
    let violated = Set(
      Catalogue.models.flatMap { model -> [String] in
        if case .violates(let ids) = model.expectation { ids } else { [] }
      })
    let known = InvariantCatalogue.described + Catalogue.models.ownInvariants
    #expect(Set(known.map(\.id)) == violated)
  }

  /// What is declared under memory models other than the scenario's own.
  @Test func verdictsUnderOtherMemoryModelsAreAsDeclared() throws {
    var count = 0
    for model in Catalogue.models {
      for declared in model.declaredChecks where declared.memoryModel != nil {
        let report = try CatalogueReports.report(model, declared)
        #expect(declared.isMet(by: report), "\(model.name), \(report.memoryModel.text)")
        #expect(report.memoryModel == declared.memoryModel)
        count += 1
      }
    }
    #expect(count == 25)
  }

  @Test func everySystemHasACorrectModel() {
    for system in Catalogue.systems.map(\.models) {
      #expect(system.contains { $0.expectation == .holds })
      #expect(system.contains { $0.expectation != .holds })
    }
  }

  @Test func siblingsSayWhatTheyLeaveOut() {
    for model in Catalogue.models {
      #expect((model.omission == nil) == (model.expectation == .holds), "\(model.name)")
    }
  }

  @Test func namesAreUnique() {
    #expect(Set(Catalogue.models.map(\.name)).count == Catalogue.models.count)
  }
}

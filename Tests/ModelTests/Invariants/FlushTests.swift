// Bugs of page tables that hardware walks, case by case, each with its own race.

import GracewalkChecking
import GracewalkExploration
import GracewalkModels
import GracewalkTraces
import Testing

@Suite struct FlushTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var what: String
    var model: String
    var invariant: String

    var testDescription: String { what }
  }

  static let cases = [
    Case(
      what: "no TLBI", model: "lazy-collapse-without-tlbi",
      invariant: "break-before-make"),
    Case(
      what: "TLBI before the DSB that publishes the invalidation", model: "unmap-tlbi-before-dsb",
      invariant: "no-stale-use-after-dsb"),
    Case(
      what: "TLBI by address, leaves only, where a table pointer was cached",
      model: "lazy-collapse-tlbi-last-level", invariant: "no-use-after-free"),
    Case(
      what: "TLBI by one address, where others were mapped by the same table",
      model: "lazy-collapse-tlbi-one-address", invariant: "no-conflicting-tlb-entries"),
    Case(
      what: "wrong level hint", model: "unmap-tlbi-wrong-level",
      invariant: "no-stale-use-after-dsb"),
    Case(
      what: "local instead of broadcast", model: "unmap-tlbi-local",
      invariant: "no-stale-use-after-dsb"),
    Case(
      what: "valid to valid, another output address, access flag set", model: "remap-without-break",
      invariant: "break-before-make"),
    Case(
      what: "permission downgrade without TLBI", model: "dirty-log-without-tlbi",
      invariant: "no-guest-write-without-dirty-record"),
    Case(
      what: "entry invalidated and never flushed", model: "unmap-without-tlbi",
      invariant: "donated-page-unreachable"),
    Case(
      what: "table freed before the grace period", model: "collapse-free-at-once",
      invariant: "grace-period-safety"),
    Case(
      what: "data page given away while a TLB maps it", model: "unmap-without-tlbi",
      invariant: "no-reuse-while-cached"),
    Case(
      what: "the TLB entry of a permission fault is never flushed",
      model: "fast-permission-fault-without-tlbi", invariant: "progress"),
  ]

  private func counterexample(_ item: Case) throws -> String {
    let model = try #require(Catalogue.model(named: item.model))
    var options = CheckOptions()
    options.invariants = [item.invariant]
    let report = try model.check(options)
    #expect(report.violatedInvariant == item.invariant)
    let trace = try #require(report.counterexample)
    #expect(trace.isMinimal)
    return "\(item.model) \(trace.recording.schedule.text)"
  }

  @Test(arguments: cases)
  func eachIsFound(_ item: Case) throws { _ = try counterexample(item) }

  @Test func eachHasItsOwnCounterexample() throws {
    #expect(Set(try Self.cases.map(counterexample)).count == Self.cases.count)
  }

  /// It is a genuine livelock: the trace repeats, and no bound was reached.
  @Test func faultingForeverIsALivelock() throws {
    let model = try #require(Catalogue.model(named: "fast-permission-fault-without-tlbi"))
    let report = try model.check()
    #expect(report.verdict == .violated)
    let loop = try #require(report.counterexample?.recording.loop)
    #expect(loop < report.counterexample?.recording.schedule.steps.count ?? 0)
  }

  /// Any CPU that is ordered after the invalidation may issue the TLBI.
  @Test func anotherCPUMayFlush() throws {
    let model = try #require(Catalogue.model(named: "unmap-flushed-by-another"))
    #expect(try model.check().verdict == .holds)
  }
}

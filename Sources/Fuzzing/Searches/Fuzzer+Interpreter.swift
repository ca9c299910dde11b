// Comparing the exhaustive search of the machine with an interpreter that does not use it.

import GracewalkExploration
import GracewalkInvariants
import GracewalkMachine

extension Fuzzer {
  /// How programs are interpreted instead of being searched by several searches.
  struct Interpretation {
    /// The number of states, of the interpreter, after which a program is too large.
    var statesMax = 20_000
    var mistake: PlainInterpreter.Mistake?
  }

  /// The fuzzer that compares the exhaustive search with an interpreter of plain values.
  ///
  /// - Parameter mistake: the name of a mistake that the interpreter is to make.
  package static func interpreting(
    statesMax: Int = 20_000, identicalCPUs: Bool = false, mistake: String? = nil
  ) -> Fuzzer {
    var fuzzer = Fuzzer([])
    fuzzer.usesSymmetry = identicalCPUs
    fuzzer.interpretation = Interpretation(
      statesMax: statesMax, mistake: mistake.flatMap { PlainInterpreter.Mistake(rawValue: $0) })
    return fuzzer
  }

  /// The mistakes that an interpreter can make on purpose, by name.
  package static var mistakesOfInterpreter: [String] {
    PlainInterpreter.Mistake.allCases.map(\.rawValue)
  }

  /// How the machine and the interpreter differ on a program, or nil.
  static func mismatch(
    _ program: RandomProgram, _ interpretation: Interpretation, _ report: inout Report
  ) -> String? {
    guard
      let plain = PlainInterpreter(
        program, statesMax: interpretation.statesMax, mistake: interpretation.mistake)
    else {
      report.unknown += 1
      return nil
    }
    guard plain.isComplete else {
      report.skipped += 1
      return nil
    }
    report.transitions += plain.steps
    let outcomes = Outcomes()
    let machine = Machine(program.scenario(notingAll: outcomes))
    let result = ExhaustiveSearch(machine, SearchOptions()).run()
    guard result.ending == .complete else { return "the machine ends with \(result.ending)" }
    if let what = difference(plain.outcomes, Set(outcomes.all)) { return "outcomes: \(what)" }
    if let what = differenceOfResults(plain, machine) { return what }
    let ofContexts: [any Invariant] = program.hasContext ? [NoOtherPageOutlivesVM()] : []
    for invariant in invariants(of: program) + ofContexts {
      let scenario = program.scenario()
      scenario.require([invariant])
      let ending = ExhaustiveSearch(Machine(scenario), SearchOptions()).run().ending
      let isViolated = plain.violated.contains(invariant.id)
      if ending != (isViolated ? .violation : .complete) {
        return "\(invariant.id): interpreter \(isViolated ? "violation" : "complete"), "
          + "machine \(ending)"
      }
    }
    if !plain.violated.isEmpty { report.violated += 1 }
    return nil
  }

  private static func difference<Value: Comparable>(
    _ plain: Set<[Value]>, _ machine: Set<[Value]>
  ) -> String? {
    if plain == machine { return nil }
    func first(_ values: Set<[Value]>) -> String {
      values.min { $0.lexicographicallyPrecedes($1) }.map { "\($0)" } ?? "none"
    }
    return "interpreter \(plain.count), machine \(machine.count); only the interpreter has "
      + "\(first(plain.subtracting(machine))), only the machine "
      + "\(first(machine.subtracting(plain)))"
  }

  /// How the results of operations differ.
  private static func differenceOfResults(
    _ plain: PlainInterpreter, _ machine: Machine
  ) -> String? {
    let names = plain.programs.indices.map { "cpu \($0)" }
    for operation in Coverage(of: [machine]).operations {
      let cpus = operation.cpus.compactMap { names.firstIndex(of: $0) }
      guard !cpus.isEmpty else { continue }
      let own = cpus.reduce(into: Set<[UInt64]>()) { all, cpu in
        for part in plain.programs[cpu].indices where operation.name == "part \(part)" {
          let place = PlainInterpreter.Place(cpu: cpu, part: part)
          all.formUnion((plain.results[place] ?? []).map { [$0] })
        }
      }
      let ends = operation.outcomes.filter { !($0.text ?? "").hasPrefix("cut off") }
      if let what = difference(own, Set(ends.map { [$0.code] })) {
        return "results of \(operation.name) of \(operation.cpus.joined(separator: ", ")): \(what)"
      }
    }
    return nil
  }
}

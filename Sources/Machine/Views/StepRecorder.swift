// The steps of a replay: every action in order, with its place in the code and its effect.

/// One action of a recorded execution.
public struct RecordedStep: Equatable, Codable, Sendable {
  public var cpu: Int
  /// The operation it belongs to, counted from 0 within the CPU.
  public var operation: Int
  /// The parts of the operation that contain it, outermost first.
  public var scopes: [String]
  public var action: String
  /// Its result; empty if it is obvious.
  public var outcome: String
  /// True if it was not a scheduling point.
  public var isLocal: Bool
  /// True if it marks the start or end of an operation for an invariant, and is not an action of
  /// the code.
  public var isBoundary: Bool
  public var site: SourceSite
  /// The result, and the state key after the step, which a replay compares.
  public var observed: UInt64
  /// The result of the operation, if this step was its last.
  public var operationResult: String?
  public var endsOperation: Bool
  /// The table pages after the step, if it changed an entry.
  public var tables: [String]?
  /// What the step has to do with a store that others see later than its CPU; nil if nothing.
  public var visibility: StoreVisibility?
  /// The table page that the action accesses, or `memory`; nil if it accesses neither.
  public var object: String?

  /// The object for all words outside table pages.
  public static let memory = "memory"
}

extension RecordedStep {
  /// A scheduling point of something that is not a `Machine`.
  package init(
    cpu: Int, operation: Int, scopes: [String], action: String, outcome: String, site: SourceSite,
    observed: UInt64
  ) {
    self.init(
      cpu: cpu, operation: operation, scopes: scopes, action: action, outcome: outcome,
      isLocal: false, isBoundary: false, site: site, observed: observed, operationResult: nil,
      endsOperation: false, tables: nil, visibility: nil, object: nil)
  }
}

/// Collects the steps of one execution.
///
/// A machine with a recorder must not undo steps.
public final class StepRecorder {
  public private(set) var steps: [RecordedStep] = []
  /// The table pages before the first step.
  public private(set) var initialTables: [String] = []
  /// The machine before the first step and after each, if asked for.
  public private(set) var pictures: [MachinePicture] = []
  private let recordsPictures: Bool
  private var pending: [Int: CodePlace] = [:]
  private var latestStep: [Int: Int] = [:]
  private var actionText = ""
  private var visibility: StoreVisibility?
  private var pendingSteps = PendingSteps()
  private var tables: [String] = []
  /// The latest step that changed each word.
  private var latestWrite: [UInt32: Int] = [:]
  private var mark = 0

  /// - Parameter recordsPictures: whether to keep a picture of the machine for each step.
  public init(recordsPictures: Bool = false) { self.recordsPictures = recordsPictures }

  /// Called before the first step.
  func begin(_ machine: Machine) {
    initialTables = machine.tableText()
    tables = initialTables
    if recordsPictures { pictures.append(machine.picture) }
  }

  /// Called when every CPU is at its next scheduling point: at the start, and after each step with
  /// its local actions.
  public func update(_ machine: Machine) {
    guard recordsPictures else { return }
    if !pictures.isEmpty { pictures.removeLast() }
    pictures.append(machine.picture)
  }

  /// Called when the CPU's code has asked for its next action.
  func didReach(_ place: CodePlace, by cpu: Int) {
    if let finished = place.finished, let step = latestStep[cpu],
      steps[step].operation == finished.number
    {
      steps[step].endsOperation = true
      steps[step].operationResult = finished.result
    }
    pending[cpu] = place
  }

  func willTake(_ action: Action, choosing choice: Int, by cpu: Int, in machine: Machine) {
    let note = machine.storeNote(of: action, choosing: choice, by: cpu)
    visibility = note.map { note in
      let step = pendingSteps.step(of: note, at: steps.count, latest: latestWrite[note.cell])
      return machine.visibility(of: note, step: step)
    }
    actionText = machine.stepText(of: action, note)
    if let visibility { actionText += visibility.suffix(visibility.step.flatMap(number(ofStep:))) }
    mark = machine.memory.mark
  }

  /// The number that traces give a step; nil for one that is no scheduling point.
  private func number(ofStep step: Int) -> Int? {
    // One that is no scheduling point belongs to the step before it.
    let number = steps[...step].count { !$0.isLocal && !$0.isBoundary }
    return number == 0 || steps[step].isBoundary ? nil : number
  }

  func didTake(
    _ action: Action, by cpu: Int, observing result: UInt64, in machine: Machine
  ) {
    let known = pending[cpu] ?? CodePlace(operation: 0)
    let now = machine.tableText()
    latestStep[cpu] = steps.count
    for change in mark..<max(mark, machine.memory.mark) {
      latestWrite[machine.memory.change(change).cell] = steps.count
    }
    steps.append(
      RecordedStep(
        cpu: cpu, operation: known.operation, scopes: known.scopes, action: actionText,
        outcome: machine.outcomeText(of: action, observing: result), isLocal: action.isLocal,
        isBoundary: action.kind == .history(.invoke) || action.kind == .history(.respond),
        site: known.site, observed: result, operationResult: nil, endsOperation: false,
        tables: now == tables ? nil : now, visibility: visibility,
        object: machine.object(of: action)))
    tables = now
    if recordsPictures { pictures.append(machine.picture) }
  }

  /// The words that the failed invariant read: individually, and as part of a kind.
  public func inspected(
    in machine: Machine
  ) -> (words: [InspectedWord], around: [InspectedWord]) {
    guard let inspection = machine.inspection else { return ([], []) }
    let written = { (cells: [UInt32]) -> [InspectedWord] in
      var seen: Set<UInt32> = []
      return cells.compactMap { cell in
        guard seen.insert(cell).inserted, let step = self.latestWrite[cell] else { return nil }
        return InspectedWord(name: machine.name(ofCell: cell), step: step)
      }
    }
    return (written(inspection.words), written(inspection.around))
  }
}

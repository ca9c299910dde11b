// Steps of C code that can be left out or weakened: orderings, fences, locks, barriers, atomicity.

import GracewalkLLVM

/// How a program is linked.
package struct LinkOptions: Codable, Hashable, Sendable {
  /// What calls of functions return instead of doing anything.
  package var stubs: [String: UInt64] = [:]
  /// The step that is left out or weakened.
  package var without: CodeStep?

  package init() {}
}

/// A step of the code, and what is done to it.
package struct CodeStep: Codable, Hashable, Sendable {
  package enum Change: String, CaseIterable, Codable, Sendable {
    /// An access orders less.
    case relaxed, acquire, release
    /// A read-modify-write becomes a load and a store.
    case split
    /// A fence, a lock or a barrier is left out.
    case omitted

    /// Whether it is only about orderings.
    package var isOrdering: Bool { self == .relaxed || self == .acquire || self == .release }
  }

  package var file: String
  package var line: Int
  package var function: String
  /// What is done there: `load`, `lock`.
  package var action: String
  package var change: Change
  /// The orderings that it has.
  package var ordering = ""
  /// Its number among those that are the same in all else.
  package var number = 1

  /// The step as an option names it: `queue.c:31/relaxed`, `queue.c:31#2/relaxed`.
  package var text: String {
    "\(file):\(line)\(number == 1 ? "" : "#\(number)")/\(change.rawValue)"
  }

  /// The step in words.
  package var sentence: String {
    switch change {
    case .relaxed where action == "fence": "\(action), \(ordering), made relaxed"
    case .relaxed, .acquire, .release: "\(action), \(ordering), made \(change.rawValue)"
    case .split: "\(action) split into a load and a store"
    case .omitted: "without \(action)"
    }
  }

  package static func == (a: CodeStep, b: CodeStep) -> Bool { a.text == b.text }
  package func hash(into hasher: inout Hasher) { hasher.combine(text) }

  /// A step that has been named.
  package init?(text: String) {
    let sides = text.split(separator: "/", omittingEmptySubsequences: false)
    guard sides.count >= 2, let change = Change(rawValue: String(sides.last ?? "")) else {
      return nil
    }
    let place = sides.dropLast().joined(separator: "/")
    guard let colon = place.lastIndex(of: ":") else { return nil }
    let numbers = place[place.index(after: colon)...].split(separator: "#")
    guard let line = numbers.first.flatMap({ Int($0) }), numbers.count <= 2 else { return nil }
    self.init(file: String(place[..<colon]), line: line, function: "", action: "", change: change)
    if numbers.count == 2 {
      guard let number = Int(numbers[1]), number > 1 else { return nil }
      self.number = number
    }
    guard self.text == text else { return nil }
  }

  init(file: String, line: Int, function: String, action: String, change: Change) {
    self.file = file
    self.line = line
    self.function = function
    self.action = action
    self.change = change
  }
}

/// The steps of a program.
package struct CodeSteps {
  package private(set) var all: [CodeStep] = []
  /// The place of each.
  private(set) var places: [Int32] = []
  private var numbers: [String: Int] = [:]

  /// The steps that a check has reached.
  package func reached(_ places: Set<Int32>) -> [CodeStep] {
    zip(all, self.places).filter { places.contains($0.1) }.map(\.0)
  }

  /// Records a step, and returns it with its number.
  mutating func note(_ step: CodeStep, at place: Int32) -> CodeStep {
    var step = step
    numbers[step.text, default: 0] += 1
    step.number = numbers[step.text] ?? 1
    all.append(step)
    places.append(place)
    return step
  }
}

extension IROrdering {
  fileprivate var text: String {
    switch self {
    case .none: "plain"
    case .relaxed: "relaxed"
    case .acquire: "acquire"
    case .release: "release"
    case .acquireRelease: "acquire-release"
    case .sequentiallyConsistent: "sequentially consistent"
    }
  }
}

extension Lowering {
  /// The instruction, without what is to be left out of it.
  func weakened(_ instruction: Instruction) -> [Instruction] {
    guard place >= 0 else { return [instruction] }
    let (action, ordering, changes) = changes(of: instruction)
    let source = image.places[Int(place)]
    var result: [Instruction]?
    for change in changes {
      var step = CodeStep(
        file: source.file, line: source.line, function: source.function, action: action,
        change: change)
      step.ordering = ordering.text
      // A barrier is two instructions, of which the second follows the first.
      if case .builtin(.passBarrier, _, let to, _) = instruction {
        if let latest = image.steps.all.last, latest == image.link.without,
          image.steps.places.last == place
        {
          result = Self.nothing(to)
        }
        continue
      }
      step = image.steps.note(step, at: place)
      if step == image.link.without { result = self.instruction(instruction, changed: change) }
    }
    return result ?? [instruction]
  }

  /// What can be done to an instruction.
  private func changes(
    of instruction: Instruction
  ) -> (action: String, ordering: IROrdering, changes: [CodeStep.Change]) {
    let weaker = { (form: AccessForm) in Self.weaker(than: form) }
    switch instruction {
    case .call(let number, _, _, _):
      let action = image.functions[number].stepText
      return (action ?? "", .none, action == nil ? [] : [.omitted])
    case .load(_, let form, _) where form.ordering.acquires:
      return ("load", form.ordering, [.relaxed])
    case .store(_, _, let form) where form.ordering.releases:
      return ("store", form.ordering, [.relaxed])
    case .update(let update, _, _, let form, _):
      return (update.text, form.ordering, weaker(form) + (update.binary == nil ? [] : [.split]))
    case .compareExchange(_, _, _, let form, _):
      return ("compare-exchange", form.ordering, weaker(form) + [.split])
    case .fence(let ordering): return ("fence", ordering, [.omitted])
    case .builtin(let builtin, _, _, _):
      return (builtin.stepText ?? "", .none, builtin.stepText == nil ? [] : [.omitted])
    default: return ("", .none, [])
    }
  }

  private static func weaker(than form: AccessForm) -> [CodeStep.Change] {
    if form.ordering.acquires, form.ordering.releases { return [.relaxed, .acquire, .release] }
    return form.ordering.acquires || form.ordering.releases ? [.relaxed] : []
  }

  private static func nothing(_ to: Int) -> [Instruction] {
    [to >= 0 ? .move([Move(from: .constant(0), to: Int32(to))]) : .nothing]
  }

  private func instruction(
    _ instruction: Instruction, changed change: CodeStep.Change
  ) -> [Instruction] {
    func form(_ form: AccessForm) -> AccessForm {
      var form = form
      let ordering: IROrdering =
        change == .acquire ? .acquire : change == .release ? .release : .relaxed
      form.ordering = ordering
      if form.failure != .none { form.failure = change == .acquire ? .acquire : .relaxed }
      return form
    }
    switch instruction {
    case .load(let address, let old, let to): return [.load(address, form(old), to: to)]
    case .store(let value, let address, let old): return [.store(value, address, form(old))]
    case .update(let update, let address, let value, let old, let to):
      guard change == .split else {
        return [.update(update, address, value, form(old), to: to)]
      }
      return split(update, address, value, old, to)
    case .compareExchange(let address, let expected, let desired, let old, let to):
      guard change == .split else {
        return [.compareExchange(address, expected, desired, form(old), to: to)]
      }
      let target = newSlot()
      let move = { (from: Operand) in [Move(from: from, to: Int32(target))] }
      return [
        .load(address, old, to: to),
        .compare(.eq, bits: old.size * 8, .slot(to), expected, to: to + 1),
        .select(.slot(to + 1), move(address), move(.constant(0))),
        .storeIfAsked(desired, .slot(target), old),
      ]
    case .builtin(_, _, let to, _): return Self.nothing(to)
    // A callback runs at once.
    case .call(_, let values, _, _) where values.count == 2:
      return [.callPointer(values[1], [values[0]], to: -1, count: 0)]
    case .call(_, let values, let to, _) where values.count == 1:
      return [.builtin(.free, values, to: to, bits: 0)]
    case .call(_, _, let to, _): return Self.nothing(to)
    default: return [.nothing]
    }
  }

  private func split(
    _ update: IRUpdate, _ address: Operand, _ value: Operand, _ form: AccessForm, _ to: Int
  ) -> [Instruction] {
    let old = to >= 0 ? to : newSlot()
    let load = Instruction.load(address, form, to: old)
    guard update != .xchg, let binary = update.binary else {
      return [load, .store(value, address, form)]
    }
    let new = newSlot()
    return [
      load,
      .binary(binary, bits: form.size * 8, .slot(old), value, to: new, noSignedWrap: false),
      .store(.slot(new), address, form),
    ]
  }
}

extension IRUpdate {
  /// The operation on the old value; for an exchange, one that stands for it; nil if it is none.
  fileprivate var binary: IRBinary? {
    switch self {
    case .add: .add
    case .sub: .sub
    case .and: .and
    case .or, .xchg: .or
    case .xor: .xor
    case .nand, .max, .min, .umax, .umin: nil
    }
  }

  fileprivate var text: String { self == .xchg ? "exchange" : "fetch-\(rawValue)" }
}

extension Function {
  /// What a call of a function of the runtime waits for; nil if it does not.
  fileprivate var stepText: String? {
    switch name {
    case "synchronize_rcu", "synchronize_rcu_expedited", "__VERIFIER_synchronize_rcu":
      "the grace period"
    case "call_rcu": "waiting for a grace period before the callback"
    case "gw_free_after_grace": "waiting for a grace period before the page or object is freed"
    case "rcu_barrier": "waiting for callbacks"
    default: nil
    }
  }
}

extension Builtin {
  /// What a call orders threads by; nil if it does not.
  fileprivate var stepText: String? {
    switch self {
    case .lock, .lockTyped: "the lock"
    case .lockShared: "the reader's lock"
    case .lockExclusive: "the writer's lock"
    case .openSection: "the read-side section"
    case .arrive, .passBarrier: "the barrier"
    default: nil
    }
  }
}

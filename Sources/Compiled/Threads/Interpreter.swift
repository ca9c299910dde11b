// Runs a thread from one request to the next.

import GracewalkLLVM
import GracewalkSupport

/// Interprets a program; it has no state of its own but the texts of findings.
final class Interpreter {
  let image: Image
  /// Turns of a loop after which a thread is cut; 0 for no limit.
  let unroll: Int
  /// Values of a number that the environment gives.
  let choices: Int
  /// Whether it is known what registers depend on, as Armv8 needs it.
  let tracksDependencies: Bool
  /// What requests of kind `failed` are about.
  private(set) var findings: [Finding] = []
  var slots: [UInt64] = []
  @exclusivity(unchecked) var state = ThreadState()

  /// Instructions in a row that ask for nothing, before they count as endless.
  static let localMax = 1_000_000
  static let callsMax = 1_000

  init(_ image: Image, unroll: Int, choices: Int = 4, tracksDependencies: Bool = false) {
    self.image = image
    self.tracksDependencies = tracksDependencies
    self.unroll = unroll
    self.choices = choices
  }

  /// A thread that will begin with a function.
  ///
  /// - Parameter mask: threads whose read-side sections it waits for first, if it is a callback.
  func newThread(_ entry: UInt64, _ argument: UInt64, after mask: UInt64 = 0) -> ThreadState {
    var state = ThreadState()
    state.entry = entry
    state.argument = argument
    state.request = Request(.start)
    state.request.address = entry
    state.request.a = argument
    state.request.b = mask
    return state
  }

  /// Completes the request of a thread, with its result, and runs to the next one.
  func advance(_ cpu: Int, from old: ThreadState, observing result: UInt64) -> ThreadState {
    state = old
    thread = cpu
    do throws(Finding) {
      try complete(result)
      try run()
      if tracksDependencies { settleDependencies() }
    } catch {
      state.request = failure(error)
    }
    return state
  }

  private(set) var thread = 0

  private func failure(_ finding: Finding) -> Request {
    var request = Request(.failed)
    if let known = findings.firstIndex(of: finding) {
      request.a = UInt64(known)
    } else {
      request.a = UInt64(findings.count)
      findings.append(finding)
    }
    request.place = place
    return request
  }

  /// The place of the instruction at hand.
  var place: Int32 {
    guard let frame = state.frames.last else { return -1 }
    let block = image.functions[Int(frame.function)].blocks[Int(frame.block)]
    let index = Int(frame.index)
    let place = index < block.places.count ? block.places[index] : -1
    return place >= 0 ? place : placeOfCall
  }

  /// The place of the innermost call that has one: code of the runtime has none.
  private var placeOfCall: Int32 { state.frames.last { $0.place >= 0 }?.place ?? -1 }

  // MARK: Completing a request

  private func complete(_ result: UInt64) throws(Finding) {
    switch state.request.kind {
    case .start:
      guard let function = image.function(at: state.entry) else {
        throw Finding(.wildPointer, "a thread begins with something that is no function")
      }
      try enter(function, [state.argument], to: -1, count: 0)
      return
    case .finish:
      state.request = Request(.ended)
      state.frames = []
      return
    case .releaseStack:
      state.objectCount = Int32(truncatingIfNeeded: state.request.a)
      // The instruction is run again, now without objects.
      return
    case .compareExchange:
      set(Int(state.target), result, dependsOnIt: true)
      set(Int(state.target) + 1, result == state.request.a ? 1 : 0, dependsOnIt: true)
    case .load, .update, .awaitLoad, .awaitExchange:
      set(Int(state.target), result, dependsOnIt: true)
    case .allocateStack:
      state.objectCount += 1
      set(Int(state.target), state.request.address)
    case .allocate:
      state.allocationCount += 1
      set(Int(state.target), result)
    case .create, .callLater:
      state.childCount += 1
      set(Int(state.target), result)
    case .openSection: state.sectionDepth = 1
    case .closeSection: state.sectionDepth = 0
    default: set(Int(state.target), result)
    }
    state.frames[state.frames.count - 1].index += 1
  }

  /// Sets an absolute slot.
  ///
  /// - Parameter dependsOnIt: whether the value depends on what the request reads.
  private func set(_ slot: Int, _ value: UInt64, dependsOnIt: Bool = false) {
    guard state.target >= 0 else { return }
    state.slots[slot] = value
    if tracksDependencies {
      state.dependencies.slots[slot] = dependsOnIt ? state.dependencies.resultSet : 0
    }
  }

  func enter(
    _ function: Function, _ arguments: [UInt64], to result: Int32, count: Int,
    dependencies: [UInt64] = []
  ) throws(Finding) {
    guard state.frames.count < Self.callsMax else {
      throw Finding(.endless, "\(function.name) is called without end: \(Self.callsMax) calls deep")
    }
    let base = state.slots.count
    state.slots.append(contentsOf: repeatElement(0, count: function.slotCount))
    for (slot, value) in zip(function.parameters, arguments) { state.slots[base + slot] = value }
    if tracksDependencies {
      let known = state.dependencies.slots
      state.dependencies.slots = known + Array(repeating: 0, count: function.slotCount)
      for (slot, sources) in zip(function.parameters, dependencies) {
        state.dependencies.slots[base + slot] = sources
      }
    }
    state.frames.append(
      Frame(
        function: Int32(function.number), base: Int32(base), result: result,
        resultCount: Int32(count), firstObject: state.objectCount, place: place))
  }

  // MARK: Running

  /// Runs until there is a request.
  private func run() throws(Finding) {
    if state.request.kind == .ended { return }
    for _ in 0..<Self.localMax {
      if try step() { return }
    }
    throw Finding(.endless, "a loop that neither reads nor changes anything shared does not end")
  }

  func value(_ operand: Operand) -> UInt64 {
    operand.slot < 0 ? operand.bits : state.slots[base + Int(operand.slot)]
  }

  private(set) var base = 0

  /// Runs one instruction; true if it is a request.
  private func step() throws(Finding) -> Bool {
    let top = state.frames.count - 1
    base = Int(state.frames[top].base)
    let function = image.functions[Int(state.frames[top].function)]
    let block = Int(state.frames[top].block)
    let index = Int(state.frames[top].index)
    let instruction = function.blocks[block].instructions[index]
    if let isRequest = try control(instruction, function, block, top) { return isRequest }
    if var request = try request(instruction) {
      if tracksDependencies { trackDependencies(ofRequest: instruction) }
      request.place = function.blocks[block].places[index]
      if request.place < 0 { request.place = placeOfCall }
      request.isInLoop = state.frames.contains {
        image.functions[Int($0.function)].blocks[Int($0.block)].isInLoop
      }
      state.request = request
      return true
    }
    try compute(instruction)
    if tracksDependencies { trackDependencies(of: instruction) }
    state.frames[top].index += 1
    return false
  }

  func assign(_ slot: Int, _ value: UInt64) { state.slots[base + slot] = value }

  func assign(_ moves: [Move]) {
    if tracksDependencies {
      let sources = moves.map { dependencies(of: $0.from) }
      for (move, sources) in zip(moves, sources) {
        state.dependencies.slots[base + Int(move.to)] = sources
      }
    }
    if moves.count == 1 { return assign(Int(moves[0].to), value(moves[0].from)) }
    let values = moves.map { value($0.from) }
    for (move, value) in zip(moves, values) { assign(Int(move.to), value) }
  }

  func targetSlot(_ slot: Int) -> Int32 { slot < 0 ? -1 : Int32(base + slot) }

  /// Runs an instruction that changes the flow of control; nil for others.
  private func control(
    _ instruction: Instruction, _ function: Function, _ block: Int, _ top: Int
  ) throws(Finding) -> Bool? {
    switch instruction {
    case .branch(let target): return try jump(function, block, target)
    case .branchIf(let condition, let yes, let no):
      return try jump(function, block, value(condition) & 1 == 1 ? yes : no)
    case .choose(let operand, let otherwise, let cases):
      let bits = value(operand)
      return try jump(
        function, block, cases.first { $0.value == bits }?.block ?? otherwise)
    case .return(let operands): return try leave(operands, top)
    case .unreachable:
      throw Finding(.undefined, "control reaches a point that the compiler took for unreachable")
    case .call(let number, let arguments, let to, let count):
      try enter(
        image.functions[number], arguments.map { value($0) }, to: targetSlot(to), count: count,
        dependencies: tracksDependencies ? arguments.map { dependencies(of: $0) } : [])
      return false
    case .callPointer(let callee, let arguments, let to, let count):
      guard let target = image.function(at: value(callee)) else {
        throw Finding(.wildPointer, "a call through a pointer that leads to no function")
      }
      try enter(
        target, arguments.map { value($0) }, to: targetSlot(to), count: count,
        dependencies: tracksDependencies ? arguments.map { dependencies(of: $0) } : [])
      return false
    case .builtin(.exitThread, let operands, _, _):
      return try finish(with: operands.first.map { value($0) } ?? 0)
    case .builtin(.exitProcess, _, _, _) where try runsExit(0),
      .builtin(.exitQuickly, _, _, _) where try runsExit(1):
      return false
    case .builtin(.exitProcess, _, _, _), .builtin(.exitQuickly, _, _, _),
      .builtin(.exitAtOnce, _, _, _):
      var request = Request(.finish)
      request.isTyped = true
      request.place = place
      state.target = -1
      state.request = request
      return true
    case .unsupported(let what): throw Finding(.unsupported, "not supported: \(what)")
    default: return nil
    }
  }

  private func jump(_ function: Function, _ from: Int, _ to: Int) throws(Finding) -> Bool {
    let top = state.frames.count - 1
    if let moves = function.blocks[to].phis[from] { assign(moves) }
    state.frames[top].block = Int32(to)
    state.frames[top].index = 0
    guard unroll > 0, function.blocks[to].isInLoop else { return false }
    let head = Int32(to)
    if function.blocks[to].backEdges.contains(from) {
      let turns = (state.frames[top].turns[head] ?? 0) + 1
      state.frames[top].turns[head] = turns
      if turns >= Int32(unroll) {
        state.request = Request(.cut)
        return true
      }
    } else if !function.blocks[to].backEdges.isEmpty {
      state.frames[top].turns[head] = 0
    }
    return false
  }

  /// Returns from a call; first its objects on the stack end.
  private func leave(_ operands: [Operand], _ top: Int) throws(Finding) -> Bool {
    let frame = state.frames[top]
    if state.objectCount > frame.firstObject {
      var request = Request(.releaseStack)
      request.a = UInt64(frame.firstObject)
      request.b = UInt64(state.objectCount)
      request.place = place
      state.target = -1
      state.request = request
      return true
    }
    let values = operands.map { value($0) }
    let sources = tracksDependencies ? operands.map { dependencies(of: $0) } : []
    guard top > 0 else {
      // When `main` returns, that is an exit.
      if thread == 0, !state.isEnding, try runsExit(0) { return false }
      return try finish(with: values.first ?? 0)
    }
    state.frames.removeLast()
    state.slots.removeLast(state.slots.count - Int(frame.base))
    if tracksDependencies { leaveDependencies(sources, frame) }
    if frame.result >= 0 {
      for (index, value) in values.enumerated() where index < Int(frame.resultCount) {
        state.slots[Int(frame.result) + index] = value
      }
    }
    state.frames[top - 1].index += 1
    return false
  }

  /// Begins to run what was registered for an exit, after which the instruction is run again;
  /// false if there is nothing, or nothing left.
  private func runsExit(_ kind: Int) throws(Finding) -> Bool {
    guard let run = image.exitRuns[kind], !state.isExiting else { return false }
    state.isExiting = true
    try enter(image.functions[run], [], to: -1, count: 0)
    state.frames[state.frames.count - 2].index -= 1
    return true
  }

  /// Ends the thread with a result, after what a thread does at its end; true if it is a request.
  func finish(with result: UInt64) throws(Finding) -> Bool {
    if let last = image.threadEnd, !state.isEnding {
      state.isEnding = true
      state.argument = result
      state.frames = []
      state.slots = []
      state.dependencies = Dependencies()
      try enter(image.functions[last], [], to: -1, count: 0)
      return false
    }
    guard state.sectionDepth == 0 else {
      throw Finding(.misuse, "a thread ends within a read-side section of RCU")
    }
    var request = Request(.finish)
    request.a = state.isEnding ? state.argument : result
    request.place = place
    state.target = -1
    state.request = request
    return true
  }
}

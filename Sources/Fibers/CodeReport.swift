// Reports which code traps or takes no action for a long time, and how to run it again.

import CGracewalkTraps

/// Reports, on standard error, code that traps and code that runs for a long time without an
/// action.
///
/// After a report on a trap, the process dies of the original signal.
public enum CodeReports {
  /// Starts reporting traps and endless loops; each call is paired with one of `end`.
  public static func begin() { gracewalk_reports_start() }

  /// Restores the previous signal handlers after the last matching `end`.
  public static func end() { gracewalk_reports_stop() }

  /// Called from a signal handler: lets the signal end the process if code never continues.
  public static func endWhereStuck(by signal: Int32) { gracewalk_end_where_stuck(signal) }

  /// How long code may run without an action before it is reported.
  public static func setPatience(milliseconds: Int) {
    gracewalk_set_patience(UInt32(clamping: milliseconds))
  }
}

/// Texts for reports, as a signal handler reads them.
///
/// They are in raw memory that lives as long as the object.
private final class CodeTexts {
  private var texts: [UnsafeMutablePointer<CChar>] = []

  deinit { for text in texts { text.deallocate() } }

  func add(_ text: String) -> UnsafePointer<CChar> {
    let bytes = text.utf8CString
    let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
    for (index, byte) in bytes.enumerated() {
      // Replaces control characters.
      copy[index] = (1..<0x20).contains(byte) || byte == 0x7F ? 0x3F : byte
    }
    texts.append(copy)
    return UnsafePointer(copy)
  }
}

/// How to run an execution again: the text before and after its schedule, in a command and in a
/// test.
public struct CodeOrigin: Sendable {
  public var model: String
  public var command: (String, String)
  public var call: (String, String)

  public init(model: String, command: (String, String), call: (String, String)) {
    self.model = model
    self.command = command
    self.call = call
  }
}

/// The machine that the code of several fibers belongs to.
public final class CodeRun {
  fileprivate let record: UnsafeMutablePointer<gracewalk_run>
  private let texts = CodeTexts()

  /// - Parameters:
  ///   - steps: the header of a growing array of the steps taken: a pointer to them and their
  ///     number.
  ///   - stride: from one step to the next.
  ///   - cpu: the offset, in a step, of its CPU number (eight bytes).
  ///   - choice: the offset of its choice (four bytes).
  public init(
    of origin: CodeOrigin?, steps: UnsafeRawPointer, stride: Int, cpu: Int, choice: Int
  ) {
    record = .allocate(capacity: 1)
    var run = gracewalk_run()
    run.steps = steps.assumingMemoryBound(to: gracewalk_steps.self)
    (run.stride, run.cpu_offset, run.choice_offset) = (stride, cpu, choice)
    if let origin {
      run.model = texts.add(origin.model)
      (run.command, run.command_end) = (texts.add(origin.command.0), texts.add(origin.command.1))
      (run.call, run.call_end) = (texts.add(origin.call.0), texts.add(origin.call.1))
    }
    record.initialize(to: run)
  }

  deinit { record.deallocate() }
}

/// The data for a report on the code of one fiber.
public final class CodeRecord {
  private let record: UnsafeMutablePointer<gracewalk_code>
  private let operations: UnsafeMutablePointer<UnsafePointer<CChar>?>
  private let texts = CodeTexts()
  private let run: CodeRun
  /// Keeps the file name alive while the record points into it.
  private var file = ""
  /// Storage for a short name, whose bytes are stored inside the string value itself.
  private let shortName = UnsafeMutablePointer<CChar>.allocate(capacity: CodeRecord.shortMax)
  private static let shortMax = 16

  /// A record for invariants, by their names, instead of a CPU.
  public convenience init(_ run: CodeRun, invariants names: [String]) {
    self.init(run, cpu: nil, operations: names, other: "")
  }

  /// `other`: the name of an operation without one, followed by its number.
  public init(_ run: CodeRun, cpu: String?, operations names: [String], other: String) {
    self.run = run
    record = .allocate(capacity: 1)
    operations = .allocate(capacity: names.count + 1)
    for (index, name) in names.enumerated() { operations[index] = texts.add(name) }
    var code = gracewalk_code()
    code.run = UnsafePointer(run.record)
    code.cpu = cpu.map(texts.add)
    code.operations = UnsafePointer(operations)
    code.operation_count = names.count
    code.other = texts.add(other)
    code.has_schedule = 1
    record.initialize(to: code)
  }

  deinit {
    record.deallocate()
    operations.deallocate()
    shortName.deallocate()
  }

  /// The current operation of the code.
  public var operation: Int {
    get { record.pointee.operation }
    set { record.pointee.operation = newValue }
  }

  /// Whether the code is at the end of the steps taken so far, so that they replay it.
  public var hasSchedule: Bool {
    get { record.pointee.has_schedule != 0 }
    set { record.pointee.has_schedule = newValue ? 1 : 0 }
  }

  /// Notes the place of the latest action; an empty name for none.
  public func note(file name: String, line: Int) {
    record.pointee.line = line
    if name == file { return }
    file = name
    file.makeContiguousUTF8()
    let count = file.utf8.count
    record.pointee.file_length = count
    record.pointee.file = count == 0 ? nil : UnsafePointer(shortName)
    file.utf8.withContiguousStorageIfAvailable { bytes in
      if count > Self.shortMax {
        bytes.withMemoryRebound(to: CChar.self) { record.pointee.file = $0.baseAddress }
      } else {
        for index in 0..<count { shortName[index] = CChar(bitPattern: bytes[index]) }
      }
    }
  }

  /// Runs code that is not on a fiber, as the operation with a number.
  public func run<R>(_ number: Int, _ body: () -> R) -> R {
    record.pointee.operation = number
    let outer = gracewalk_enter(record)
    defer { gracewalk_leave(outer) }
    return body()
  }

  /// Runs a fiber until it suspends or ends.
  func resume(_ fiber: Fiber, guardedBy page: UnsafeRawBufferPointer) {
    record.pointee.guard = page.baseAddress?.assumingMemoryBound(to: CChar.self)
    record.pointee.guard_end = record.pointee.guard + page.count
    let outer = gracewalk_enter(record)
    fiber.resume()
    gracewalk_leave(outer)
  }
}

extension Fiber {
  /// Runs the body until it suspends or returns; a report on it uses the record.
  public func resume(as record: CodeRecord) { record.resume(self, guardedBy: guardPages) }
}

// Says which code it was, and how to run it again, when code traps or takes no action for long.

import CGracewalkTraps

/// Reports on code that traps, written to standard error before the process dies as it would have,
/// and on code that runs for long without an action.
public enum CodeReports {
  /// Has traps and endless loops reported until `end`, which is called as often.
  public static func begin() { gracewalk_reports_start() }

  /// What handled signals before does so again, once all who began have ended.
  public static func end() { gracewalk_reports_stop() }

  /// Lets a signal, as its number, end the process where code never goes on; for its handler.
  public static func endWhereStuck(by signal: Int32) { gracewalk_end_where_stuck(signal) }

  /// How long code may run without an action before somebody says so.
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
      // Nothing that a terminal would obey.
      copy[index] = (1..<0x20).contains(byte) || byte == 0x7F ? 0x3F : byte
    }
    texts.append(copy)
    return UnsafePointer(copy)
  }
}

/// How to run an execution again: what comes before and after its schedule, in a command and in a
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

/// What the code of several fibers belongs to.
public final class CodeRun {
  fileprivate let record: UnsafeMutablePointer<gracewalk_run>
  private let texts = CodeTexts()

  /// - Parameters:
  ///   - steps: the header of a growing array of the steps taken: a pointer to them and their
  ///     number.
  ///   - stride: from one step to the next.
  ///   - cpu: where in a step the number of its CPU lies, eight bytes.
  ///   - choice: the same of its choice, four bytes.
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

/// What a report on the code of one fiber says.
public final class CodeRecord {
  private let record: UnsafeMutablePointer<gracewalk_code>
  private let operations: UnsafeMutablePointer<UnsafePointer<CChar>?>
  private let texts = CodeTexts()
  private let run: CodeRun
  /// Keeps the file's name where the record points into it.
  private var file = ""
  /// Where a short name lies, whose bytes are within the string itself.
  private let shortName = UnsafeMutablePointer<CChar>.allocate(capacity: CodeRecord.shortMax)
  private static let shortMax = 16

  /// What invariants, by their names, have in place of a CPU's record.
  public convenience init(_ run: CodeRun, invariants names: [String]) {
    self.init(run, cpu: nil, operations: names, other: "")
  }

  /// `other`: what an operation is called that has no name; its number follows.
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

  /// The operation that the code is in.
  public var operation: Int {
    get { record.pointee.operation }
    set { record.pointee.operation = newValue }
  }

  /// Whether the code runs where the steps taken so far have led it.
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

  /// Runs code that is on no fiber, as that with a number.
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
  /// Runs the body until it suspends or returns; a report on it says what the record does.
  public func resume(as record: CodeRecord) { record.resume(self, guardedBy: guardPages) }
}

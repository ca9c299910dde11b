// Steps of hardware: C code that runs as one step, on memory that only such steps access.
//
// `gracewalk.h` models memory management units in C. Their state is in variables whose names begin
// with `gw_hardware`. A request `hardware` opens some of it, and may access one word of the program
// in the same moment, as a walk reads an entry. What the thread does after that up to its next
// request that is not local belongs to the same step. So the footprint is known beforehand: the
// parts that are opened, and the word. Nobody else can be accessing these parts in between, since
// every access is in such a step, which is judged; that is why these accesses are local.

import GracewalkExploration
import GracewalkLLVM
import GracewalkSupport

extension GlobalImage {
  /// What the names of variables of hardware begin with.
  private static let hardware = "gw_hardware"

  var isHardware: Bool { name.hasPrefix(Self.hardware) && !isConstant }

  /// The part of hardware that a byte belongs to: an element of the array, or a single variable.
  fileprivate func group(at offset: Int) -> Int {
    name == Self.hardware && stride > 0
      ? min(offset / stride, HardwareGroup.last - 1) : HardwareGroup.last
  }
}

private enum HardwareGroup {
  static let count = 16
  static var last: Int { count - 1 }
}

extension Request {
  /// Ways to access a word of the program, as `gracewalk.h` numbers them.
  private enum HardwareAccess {
    static let load: UInt64 = 1, exchange: UInt64 = 2, compareExchange: UInt64 = 3, add: UInt64 = 4
  }

  /// Takes the arguments of `gw_hardware_step`.
  mutating func describeHardware(_ values: [UInt64]) {
    func value(_ index: Int) -> UInt64 { index < values.count ? values[index] : 0 }
    size = Int(Int32(truncatingIfNeeded: value(0)))
    condition = value(1)
    (address, a, b) = (value(2), value(3), value(4))
  }

  /// The parts of hardware that are written, in the lower half, and those that are read.
  fileprivate var groups: UInt32 { UInt32(truncatingIfNeeded: size) }

  /// The access to a word of the program; nil if there is none.
  var hardwareAccess: Request? {
    var access: Request
    switch condition {
    case HardwareAccess.load: access = Request(.load)
    case HardwareAccess.compareExchange: access = Request(.compareExchange)
    case HardwareAccess.exchange, HardwareAccess.add:
      access = Request(.update)
      access.update = condition == HardwareAccess.add ? .add : .xchg
    default: return nil
    }
    access.address = address
    access.size = 8
    switch condition {
    case HardwareAccess.exchange: access.a = b
    case HardwareAccess.compareExchange: (access.a, access.b) = (a, b)
    case HardwareAccess.add: access.a = 1
    default: break
    }
    // Software sets entries; hardware reads them, and counts writes of guests.
    access.isByHardware = condition == HardwareAccess.load || condition == HardwareAccess.add
    access.ordering = access.isByHardware ? .relaxed : .sequentiallyConsistent
    access.failure = access.ordering
    access.place = place
    return access
  }

  /// The address of a word of hardware that cancels the access if it is not `b`; 0 for none.
  fileprivate var cancellation: UInt64 {
    condition == HardwareAccess.load || condition == HardwareAccess.add ? a : 0
  }
}

extension ProgramMachine {
  /// The result of an access that was cancelled.
  private static let cancelled = UInt64.max

  func performOnHardware(_ request: Request, by cpu: Int) throws(Finding) -> Effect {
    openGroups[cpu] = request.groups
    guard let access = request.hardwareAccess else { return Effect() }
    if request.cancellation != 0 {
      let (record, offset) = try locate(request.cancellation, 8, writes: false)
      if read(record, offset, 8) != request.b { return Effect(result: Self.cancelled) }
    }
    return try self.access(access, by: cpu)
  }

  /// An access to hardware must be in a step that has opened it.
  func judgeHardware(_ record: Int, _ offset: Int, by cpu: Int, _ writes: Bool) throws(Finding) {
    let (_, index) = Region.owner(of: layout.records[record].region)
    let group = image.globals[index].group(at: offset)
    let open = openGroups[cpu]
    let allowed = writes ? open & 0xFFFF : open & 0xFFFF | open >> 16
    guard allowed >> UInt32(group) & 1 == 0 else { return }
    throw Finding(
      .misuse,
      "\(image.globals[index].name(at: offset)) is \(writes ? "written" : "read") by code that no "
        + "gw_hardware_step has opened it for")
  }

  func addHardware(
    _ request: Request, _ cpu: Int, to footprint: Footprint, isPotential: Bool
  ) {
    let anchor = layout.records[graceRecord(0)].lifetime
    for group in 0..<HardwareGroup.count {
      let object = { self.object(self.layout.barrierCell(anchor, thread: group, round: 0)) }
      if request.groups >> UInt32(group) & 1 == 1 {
        footprint.write(object())
      } else if request.groups >> UInt32(16 + group) & 1 == 1 {
        footprint.read(object())
      }
    }
    if let access = request.hardwareAccess {
      addAccess(access, cpu, to: footprint, isPotential: isPotential)
    }
  }

  // MARK: Text

  /// What a step of hardware is called, with its access.
  func hardwareText(_ request: Request, _ values: [UInt64]) -> String {
    let text =
      values.count > 5
      ? string(at: values[5]).map { formatted($0, Array(values.dropFirst(6))) } : nil
    let name = (text ?? "").printable
    guard let access = request.hardwareAccess else { return name }
    return name.isEmpty ? self.text(of: access) : "\(name): \(self.text(of: access))"
  }

  /// The header's name in places.
  private static let header = "gracewalk.h"

  /// A place in the program's own code: for code of `gracewalk.h`, where it is called.
  func placeOfCode(_ number: Int32, _ cpu: Int) -> IRPlace? {
    guard let place = place(number), place.file == Self.header, status(of: cpu) != Status.absent
    else { return self.place(number) }
    let calls = graph.nodes[node(of: cpu)].state.callPlaces.reversed()
    return calls.lazy.compactMap { self.place($0) }.first { $0.file != Self.header } ?? place
  }
}

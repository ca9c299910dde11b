// Stage-2 operations by name, as scenarios list them.

import Gracewalk

extension Stage2Table {
  /// An operation of a scenario, with its meaning for the address map.
  func operation(_ call: AddressMap.Call, _ address: Int) -> CPUOperation {
    let specification = AddressMap.call(call, address)
    return CPUOperation("\(call.name) 0x\(String(address, radix: 16))", call: specification) {
      cpu in
      switch call {
      case .map: try map(cpu, address)
      case .unmap: try unmap(cpu, address)
      case .lookUp: try lookUp(cpu, address)
      case .collapse: try collapse(cpu, address)
      }
    }
  }
}

// Text for memory management units: their steps and their contents.

extension Machine {
  func hardwareText(_ hardware: Action.Hardware, _ action: Action) -> String {
    let address = hexadecimal(action.address)
    switch hardware {
    case .guestAccess: return "guest \(action.isWrite ? "write" : "read") \(address)"
    case .walkStart: return "walk to \(address)"
    case .walkRead: return "walk reads \(name(ofCell: action.cell))"
    case .walkUpdate:
      let what = action.marksDirty ? "dirty state" : "access flag"
      return "walk sets \(what) in \(name(ofCell: action.cell))"
    case .settle: return "dsb: every walk sees \(name(ofCell: action.cell))"
    case .evict: return "evict \(address)"
    case .tlbi: return "tlbi \(text(ofInvalidation: action))"
    case .tlbInvalidate: return "tlbi takes effect: \(text(ofInvalidation: action))"
    case .dsb: return "dsb"
    }
  }

  func handOverText(_ action: Action) -> String {
    let frame = scenario.dataFrames[action.frameNumber].number
    return "hand over frame \(hexadecimal(frame)) to \(name(ofOwner: action.newOwner))"
  }

  func claimText(_ action: Action) -> String {
    let place = "\(text(of: action.claimedAddresses)) of \(name(ofPage: action.claimedRoot))"
    switch action.claim {
    case .untranslated: return "expect \(place) to be untranslated"
    case .readOnly: return "expect \(place) to be read-only"
    case .current: return "expect what is cached of \(place) to be current"
    }
  }

  /// The name of an owner of data frames, by id.
  public func name(ofOwner id: UInt64) -> String {
    let owners = [FrameOwner.guest, .nobody] + scenario.frameOwners
    return owners.first { $0.id == Int(exactly: id) }?.name ?? "owner \(id)"
  }

  private func text(ofInvalidation action: Action) -> String {
    let invalidation = action.invalidation
    var parts = ["all"]
    if let address = invalidation.address {
      let last = address + invalidation.count - 1
      parts = [hexadecimal(address) + (last > address ? "–\(hexadecimal(last))" : "")]
    }
    if invalidation.isLastLevelOnly { parts.append("leaves only") }
    if let level = invalidation.level { parts.append("level \(level)") }
    if invalidation.isLocal { parts.append("this CPU only") }
    parts[0] += " of \(name(ofPage: action.invalidatedRoot))"
    return parts.joined(separator: ", ")
  }

  func hardwareOutcome(
    of hardware: Action.Hardware, _ action: Action, observing result: UInt64
  ) -> String {
    switch hardware {
    case .guestAccess:
      switch HardwareResult.kind(result) {
      case HardwareResult.done:
        return "reaches frame \(hexadecimal(HardwareResult.value(result)))"
      case HardwareResult.permissionFault: return "permission fault"
      case HardwareResult.mustMarkDirty: return "clean"
      default: return "not cached, walk from \(walkText(result))"
      }
    case .walkStart: return "from \(walkText(result))"
    case .walkRead:
      switch result {
      case HardwareResult.restart: return "invalidated"
      case HardwareResult.unsettled: return "new: may still see it as invalid"
      default: return "is \(text(of: Descriptor(bits: result), at: action.level))"
      }
    case .walkUpdate: return result == 0 ? "lost" : "done"
    case .evict, .tlbi, .tlbInvalidate, .dsb, .settle: return ""
    }
  }

  private func walkText(_ result: UInt64) -> String { name(ofPage: HardwareResult.value(result)) }

  /// The cached entries of each unit, a line per CPU that has any.
  public var hardwareState: [String] {
    translation.units.indices.compactMap { number in
      let unit = unitPicture(number)
      let parts =
        unit.tables.map { "walk \($0.addresses) at \($0.text)" }
        + unit.leaves.map { "\($0.addresses) → \($0.text)" }
      return parts.isEmpty
        ? nil : "\(name(ofCPU: unit.cpu)): \(parts.joined(separator: "  "))"
    }
  }

  func text(of range: Range<Int>) -> String {
    range.count == 1
      ? hexadecimal(range.lowerBound)
      : "\(hexadecimal(range.lowerBound))–\(hexadecimal(range.upperBound - 1))"
  }
}

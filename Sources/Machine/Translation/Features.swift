// The features of the modelled MMU: parameters of the architecture that change verdicts.

/// Optional features of the Arm architecture that matter to code that changes page tables.
public struct Features: Hashable, Sendable {
  /// FEAT_BBM: the requirements for changing an entry's size.
  ///
  /// Level 0: break-before-make; level 1: nT set and flushed first; level 2: none.
  public var breakBeforeMakeLevel = 0
  /// FEAT_HAFDBS: walks set the access flag instead of faulting.
  public var hardwareAccessFlag = false
  /// FEAT_HAFDBS: a write through a clean entry with DBM makes it dirty, that is, writable.
  public var hardwareDirtyState = false
  /// FEAT_TLBIRANGE: one instruction invalidates a range of addresses.
  public var rangeInvalidation = false
  /// FEAT_ETS2: an access after an entry became valid does not fault on the old value.
  public var enhancedTranslationSynchronisation = false

  public init() {}
}

/// Encoded as in files: "bbm=0 haf=1 …".
extension Features: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let features = Features(text: try container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "features such as \(Features().text) are expected")
    }
    self = features
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }
}

// What the modelled MMU can do: parameters of the architecture that change verdicts.

/// Optional features of the Arm architecture that matter to code that changes page tables.
public struct Features: Hashable, Sendable {
  /// FEAT_BBM: what a change of an entry's size needs.
  ///
  /// At 0 break-before-make; at 1 the nT bit set and flushed first; at 2 nothing.
  public var breakBeforeMakeLevel = 0
  /// FEAT_HAFDBS: walks set the access flag, where there would else be a fault.
  public var hardwareAccessFlag = false
  /// FEAT_HAFDBS: writes through a clean entry that allows it make it dirty, that is writable.
  public var hardwareDirtyState = false
  /// FEAT_TLBIRANGE: one instruction invalidates a range of addresses.
  public var rangeInvalidation = false
  /// FEAT_ETS2: an access that follows the making of an entry does not fault on the old one.
  public var enhancedTranslationSynchronisation = false

  public init() {}
}

/// Written down as files keep them: "bbm=0 haf=1 …".
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

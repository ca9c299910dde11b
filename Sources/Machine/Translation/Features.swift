// What the modelled MMU can do: parameters of the architecture that change verdicts.

/// Optional features of the Arm architecture that matter to code that changes page tables.
public struct Features: Equatable, Sendable {
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

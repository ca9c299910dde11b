// What code says it relies on: translations that are gone, and permissions that were taken away.

extension VirtualCPU {
  /// Says that from here on the code relies on an address not being translated.
  ///
  /// A translation may be stale as long as nobody relies on its being gone, so say it where you do:
  /// where unmapping returns, or the page is used for something else. All memory management units
  /// that walk the table are judged, and the table itself (`NoStaleUseAfterDSB`).
  public func expectUntranslated(
    _ root: TablePage, _ address: Int, file: String = #fileID, line: Int = #line
  ) throws(Abandoned) {
    try claim(.untranslated, root, address, SourceSite(file: file, line: line))
  }

  /// The same of several addresses, in one step.
  public func expectUntranslated(
    _ root: TablePage, _ addresses: Range<Int>, file: String = #fileID, line: Int = #line
  ) throws(Abandoned) {
    try claim(.untranslated, root, addresses, SourceSite(file: file, line: line))
  }

  /// Says that from here on the code relies on nobody writing to an address whose entry is not
  /// changed first.
  ///
  /// Say it where write-protecting returns. An entry that hardware may make dirty counts as not
  /// writable: making it dirty changes it.
  public func expectReadOnly(
    _ root: TablePage, _ address: Int, file: String = #fileID, line: Int = #line
  ) throws(Abandoned) {
    try claim(.readOnly, root, address, SourceSite(file: file, line: line))
  }

  /// The same of several addresses, in one step.
  public func expectReadOnly(
    _ root: TablePage, _ addresses: Range<Int>, file: String = #fileID, line: Int = #line
  ) throws(Abandoned) {
    try claim(.readOnly, root, addresses, SourceSite(file: file, line: line))
  }

  /// Says that from here on the code relies on nothing being cached that the table does not allow.
  ///
  /// Say it where a flush returns while others may map the address again, or make it writable.
  public func expectCurrent(
    _ root: TablePage, _ address: Int, file: String = #fileID, line: Int = #line
  ) throws(Abandoned) {
    try claim(.current, root, address, SourceSite(file: file, line: line))
  }

  /// The same of several addresses, in one step.
  public func expectCurrent(
    _ root: TablePage, _ addresses: Range<Int>, file: String = #fileID, line: Int = #line
  ) throws(Abandoned) {
    try claim(.current, root, addresses, SourceSite(file: file, line: line))
  }

  private func claim(
    _ claim: TranslationClaim, _ root: TablePage, _ address: Int, _ site: SourceSite
  ) throws(Abandoned) {
    // Beyond the table, the next address need not even be a number.
    let addresses = (0..<geometry.addressCount).contains(address) ? address..<(address + 1) : 0..<0
    try self.claim(claim, root, addresses, hexadecimal(address), site)
  }

  private func claim(
    _ claim: TranslationClaim, _ root: TablePage, _ addresses: Range<Int>, _ site: SourceSite
  ) throws(Abandoned) {
    try self.claim(claim, root, addresses, "\(addresses)", site)
  }

  private func claim(
    _ claim: TranslationClaim, _ root: TablePage, _ addresses: Range<Int>, _ text: String,
    _ site: SourceSite
  ) throws(Abandoned) {
    try admit(root, site)
    let count = geometry.addressCount
    guard addresses.lowerBound >= 0, addresses.upperBound <= count, !addresses.isEmpty else {
      throw misuse(
        "claims something of \(text); the table has addresses 0x0 to \(hexadecimal(count - 1))",
        site)
    }
    if let text = machine.addressCountText(for: "a claim") { throw misuse(text, site) }
    guard machine.isRoot(root.id) else {
      throw misuse("a claim is about a table from its root, and this is not a root", site)
    }
    _ = try issue(Action(claim, root: root.id, addresses), site)
  }
}

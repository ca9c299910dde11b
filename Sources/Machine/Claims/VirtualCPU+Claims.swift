// Claims of model code: translations that are gone, and permissions that were removed.

extension VirtualCPU {
  /// Claims that an address is not translated from here on.
  ///
  /// A translation may be stale as long as no code relies on its being gone. So make the claim
  /// where yours does: when unmapping returns, or before the page is reused. The claim is checked
  /// for all memory management units that walk the table, and for the table itself
  /// (`NoStaleUseAfterDSB`).
  public func expectUntranslated(
    _ root: TablePage, _ address: Int, file: String = #fileID, line: Int = #line
  ) throws(Abandoned) {
    try claim(.untranslated, root, address, SourceSite(file: file, line: line))
  }

  /// The same for several addresses, in one step.
  public func expectUntranslated(
    _ root: TablePage, _ addresses: Range<Int>, file: String = #fileID, line: Int = #line
  ) throws(Abandoned) {
    try claim(.untranslated, root, addresses, SourceSite(file: file, line: line))
  }

  /// Claims that from here on an address is not written unless its entry is changed first.
  ///
  /// Make the claim when write-protecting returns. An entry that hardware may make dirty counts as
  /// not writable, since making it dirty changes it.
  public func expectReadOnly(
    _ root: TablePage, _ address: Int, file: String = #fileID, line: Int = #line
  ) throws(Abandoned) {
    try claim(.readOnly, root, address, SourceSite(file: file, line: line))
  }

  /// The same for several addresses, in one step.
  public func expectReadOnly(
    _ root: TablePage, _ addresses: Range<Int>, file: String = #fileID, line: Int = #line
  ) throws(Abandoned) {
    try claim(.readOnly, root, addresses, SourceSite(file: file, line: line))
  }

  /// Claims that from here on no cached entry allows more than the table does.
  ///
  /// Make the claim when a flush returns and other CPUs may map the address again, or make it
  /// writable.
  public func expectCurrent(
    _ root: TablePage, _ address: Int, file: String = #fileID, line: Int = #line
  ) throws(Abandoned) {
    try claim(.current, root, address, SourceSite(file: file, line: line))
  }

  /// The same for several addresses, in one step.
  public func expectCurrent(
    _ root: TablePage, _ addresses: Range<Int>, file: String = #fileID, line: Int = #line
  ) throws(Abandoned) {
    try claim(.current, root, addresses, SourceSite(file: file, line: line))
  }

  private func claim(
    _ claim: TranslationClaim, _ root: TablePage, _ address: Int, _ site: SourceSite
  ) throws(Abandoned) {
    // Beyond the table, `address + 1` could overflow.
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

// What code says it relies on: translations that are gone, and permissions that were taken away.

extension VirtualCPU {
  /// Says that from here on the code relies on an address not being translated.
  ///
  /// A translation may be stale as long as nobody relies on its being gone, so say it where you do:
  /// where unmapping returns, or the page is used for something else. All memory management units
  /// that walk the table are judged, and the table itself (`NoStaleUse`).
  public func expectUntranslated(
    _ root: TablePage, _ address: Int, file: String = #fileID, line: Int = #line
  ) throws(Abandoned) {
    try claim(.untranslated, root, address..<(address + 1), SourceSite(file: file, line: line))
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
    try claim(.readOnly, root, address..<(address + 1), SourceSite(file: file, line: line))
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
    try claim(.current, root, address..<(address + 1), SourceSite(file: file, line: line))
  }

  /// The same of several addresses, in one step.
  public func expectCurrent(
    _ root: TablePage, _ addresses: Range<Int>, file: String = #fileID, line: Int = #line
  ) throws(Abandoned) {
    try claim(.current, root, addresses, SourceSite(file: file, line: line))
  }

  private func claim(
    _ claim: TranslationClaim, _ root: TablePage, _ addresses: Range<Int>, _ site: SourceSite
  ) throws(Abandoned) {
    let last = geometry.addressCount - 1
    guard addresses.lowerBound >= 0, addresses.upperBound <= last + 1, !addresses.isEmpty else {
      machine.fail(
        .capacity(
          "\(name) claims something of addresses \(addresses) at \(site.text); the table has "
            + "addresses 0x0 to \(hexadecimal(last))"))
      throw Abandoned()
    }
    _ = try issue(Action(claim, root: root.id, addresses), site)
  }
}

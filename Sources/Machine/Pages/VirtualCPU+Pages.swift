// Actions on table pages: allocating, publishing, counting references, freeing.

extension VirtualCPU {
  /// The shape of the machine's tables.
  public var geometry: Geometry { layout.geometry }

  /// The page that a table descriptor points to, or nil if it is not a table descriptor.
  public func table(at descriptor: Descriptor) -> TablePage? {
    guard let id = descriptor.tableID, id < layout.pageCapacity else { return nil }
    return layout.page(id)
  }

  /// Allocates a zeroed table page with a reference count of one.
  ///
  /// Returns nil if memory has run out, which is a choice if the scenario allows it.
  ///
  /// No other CPU can reach the page until an entry that points to it is written to a page that
  /// others can reach; until then, accesses to it are not scheduling points.
  public func allocateTable(
    file: String = #fileID, line: Int = #line, label: String = #function
  ) throws(Abandoned) -> TablePage? {
    let site = SourceSite(file: file, line: line, label: label)
    if isAbandoned { throw refused() }
    if machine.mayRunOutOfMemory {
      var choice = Action(.choose)
      choice.choices = 2
      if try issue(choice, site) == 1 { return nil }
    }
    var action = Action(.page(.allocate))
    action.allocatingOperation = UInt64(operation + 1)
    return layout.page(Int(try issue(action, site)))
  }

  /// Makes a page, and the tables below it, reachable for other CPUs without a table entry.
  public func publish(
    _ page: TablePage, file: String = #fileID, line: Int = #line, label: String = #function
  ) throws(Abandoned) {
    let site = SourceSite(file: file, line: line, label: label)
    try admit(page, site)
    _ = try issue(Action(.page(.publish), page.references), site)
  }

  /// Returns a page to the allocator.
  ///
  /// It stays in quarantine: every later access is reported.
  public func free(
    _ page: TablePage, file: String = #fileID, line: Int = #line, label: String = #function
  ) throws(Abandoned) {
    let site = SourceSite(file: file, line: line, label: label)
    try admit(page, site)
    _ = try issue(Action(.page(.free), page.lifetime), site)
  }

  /// Takes a reference to a page, like `get_page`.
  public func getPage(
    _ page: TablePage, file: String = #fileID, line: Int = #line, label: String = #function
  ) throws(Abandoned) {
    _ = try fetchAdd(page.references, 1, .relaxed, file: file, line: line, label: label)
  }

  /// Takes a reference to the table page that an entry lies in, for the entry in use.
  public func getPage(
    of entry: Entry, file: String = #fileID, line: Int = #line, label: String = #function
  ) throws(Abandoned) {
    try getPage(
      try page(of: entry, SourceSite(file: file, line: line, label: label)),
      file: file, line: line, label: label)
  }

  /// Drops a reference to the table page that an entry lies in, as `putPage` does.
  @discardableResult public func putPage(
    of entry: Entry, file: String = #fileID, line: Int = #line, label: String = #function
  ) throws(Abandoned) -> Bool {
    try putPage(
      try page(of: entry, SourceSite(file: file, line: line, label: label)),
      file: file, line: line, label: label)
  }

  private func page(of entry: Entry, _ site: SourceSite) throws(Abandoned) -> TablePage {
    try admit(Location(entry), site)
    guard let id = layout.pageID(at: entry.cell) else {
      throw misuse("a word is used as an entry that lies in no table page", site)
    }
    return layout.page(id)
  }

  /// Drops a reference to a page and frees the page if it was the last, like `put_page`; true if it
  /// was.
  @discardableResult public func putPage(
    _ page: TablePage, file: String = #fileID, line: Int = #line, label: String = #function
  ) throws(Abandoned) -> Bool {
    let before = try fetchAdd(page.references, -1, .release, file: file, line: line, label: label)
    if before == 1 { try free(page, file: file, line: line, label: label) }
    return before == 1
  }
}

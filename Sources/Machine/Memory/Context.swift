// Objects with a lifetime that are no pages: a VM, or the descriptor of its page table.

/// Something that code uses while it lives, and that somebody releases in the end.
///
/// It has an address with three low bits free, as what an allocator returns has, so that code may
/// keep a small number there.
public struct Context: Equatable, Sendable {
  /// 0 while it lives, 1 once released.
  let state: Location
  /// How code refers to it where it keeps no more than a word.
  public let address: UInt64
  /// Whether the machine's table pages belong to it.
  let ownsPages: Bool
}

extension Scenario {
  /// Adds a context, alive from the start.
  ///
  /// `ownsPages`: whether the machine's table pages belong to it, and must be freed when
  ///   it is released. Where one does, allocating and freeing pages are scheduling points.
  public func context(
    _ name: String, ownsPages: Bool = false, file: String = #fileID, line: Int = #line
  ) -> Context {
    addContext(name, ownsPages: ownsPages, SourceSite(file: file, line: line))
  }
}

extension VirtualCPU {
  /// Uses a context: reads or writes something in it.
  public func use(
    _ context: Context, file: String = #fileID, line: Int = #line
  ) throws(Abandoned) {
    try admit(context.state, "a context", SourceSite(file: file, line: line))
    try use(contextAt: context.address, file: file, line: line)
  }

  /// Uses what should be a context, by its address; an address that none has is a wild pointer.
  public func use(
    contextAt address: UInt64, file: String = #fileID, line: Int = #line
  ) throws(Abandoned) {
    if isAbandoned { throw refused() }
    var action = Action(.context(.use))
    action.contextAddress = address
    action.cell = machine.contextCell(at: address)
    _ = try issue(action, SourceSite(file: file, line: line))
  }

  /// Ends a context's life.
  public func release(
    _ context: Context, file: String = #fileID, line: Int = #line
  ) throws(Abandoned) {
    let site = SourceSite(file: file, line: line)
    try admit(context.state, "a context", site)
    var action = Action(.context(.release), context.state)
    action.contextAddress = context.address
    action.ownsPages = context.ownsPages
    _ = try issue(action, site)
  }
}

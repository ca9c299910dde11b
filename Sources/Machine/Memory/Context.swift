// Objects with a lifetime that are not pages: a VM, or the descriptor of its page table.

/// An object that code may use until it is released.
///
/// The three lowest bits of its address are free for model code, as with memory from an allocator.
public struct Context: Equatable, Sendable {
  /// 0 while it lives, 1 after its release.
  let state: Location
  /// The address by which code can refer to it in a word.
  public let address: UInt64
  /// Whether the machine's table pages belong to it.
  let ownsPages: Bool
}

extension Scenario {
  /// Adds a context, alive from the start.
  ///
  /// `ownsPages`: whether the machine's table pages belong to it, and must be freed when it is
  /// released. If one does, allocating and freeing pages are scheduling points.
  public func context(
    _ name: String, ownsPages: Bool = false, file: String = #fileID, line: Int = #line
  ) -> Context {
    addContext(name, ownsPages: ownsPages, SourceSite(file: file, line: line))
  }
}

extension VirtualCPU {
  /// Uses a context, as if reading or writing it.
  public func use(
    _ context: Context, file: String = #fileID, line: Int = #line
  ) throws(Abandoned) {
    try admit(context.state, "a context", SourceSite(file: file, line: line))
    try use(contextAt: context.address, file: file, line: line)
  }

  /// Uses the context at an address; an address without one is a wild pointer.
  public func use(
    contextAt address: UInt64, file: String = #fileID, line: Int = #line
  ) throws(Abandoned) {
    if isAbandoned { throw refused() }
    var action = Action(.context(.use))
    action.contextAddress = address
    action.cell = machine.contextCell(at: address)
    _ = try issue(action, SourceSite(file: file, line: line))
  }

  /// Releases a context.
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

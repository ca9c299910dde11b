// The step that a broken sibling leaves out: its code asks for it by the words it is declared with.

extension Scenario {
  /// True for the sibling that is declared to leave out this step: `omits:` has the same words.
  ///
  /// Code and its siblings are the same code, which says where a step is left out:
  ///
  ///     if !cpu.omits("the TLBI") { try cpu.tlbi(.address(0), of: root) }
  public func omits(_ step: String) -> Bool { step == omission }
}

extension VirtualCPU {
  /// True for the sibling that is declared to leave out this step: `omits:` has the same words.
  public func omits(_ step: String) -> Bool { step == omission }
}

extension MisuseSink {
  /// What a scenario that is built on this thread leaves out.
  static var omission: String? { current?.omission }

  /// Runs code whose scenarios leave out a step; whoever is told of mistakes still is.
  package static func whileOmitting<R>(_ omission: String?, _ body: () -> R) -> R {
    guard let omission else { return body() }
    let outer = current
    let sink = MisuseSink(scenario: outer?.scenario ?? 0, omission: omission) { text, site in
      outer?.take(text, site)
    }
    return sink.whileCurrent(body)
  }
}

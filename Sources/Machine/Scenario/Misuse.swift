// Mistakes of a model's author: reported with their place, and never a trap.

import CGracewalkFiber
import GracewalkSupport

/// Records mistakes in the code that runs on a thread: code of a CPU, a judging invariant, or a
/// closure that builds a scenario.
///
/// Functions without a virtual CPU, such as `Geometry.index(of:at:)`, report mistakes here and
/// continue with a harmless value; the check then ends with an error and no verdict.
package final class MisuseSink {
  let take: (String, SourceSite) -> Void
  /// The number of the code's scenario, if known.
  let scenario: UInt32
  /// The step left out by scenarios that the code builds.
  let omission: String?
  /// The first mistake made on a thread that runs no code of a model.
  private let elsewhere = Locked<(text: String, site: SourceSite)?>(nil)

  package init(
    scenario: UInt32 = 0, omission: String? = nil, _ take: @escaping (String, SourceSite) -> Void
  ) {
    self.scenario = scenario
    self.omission = omission
    self.take = take
  }

  /// That of the code which runs on this thread; nil if none of a model does.
  static var current: MisuseSink? {
    gracewalk_current().map { Unmanaged<MisuseSink>.fromOpaque($0).takeUnretainedValue() }
  }

  /// Reports the use of a page of another scenario.
  static func check(_ page: TablePage, _ file: String, _ line: Int) {
    guard let sink = current else { return }
    guard sink.scenario != ScenarioNumber.any, page.scenario != sink.scenario else { return }
    sink.take(
      "an entry is made that points to a table page of another scenario",
      SourceSite(file: file, line: line))
  }

  /// Reports a mistake to the sink of this thread, if it has one.
  package static func note(_ text: @autoclosure () -> String, _ file: String, _ line: Int) {
    current?.take(text(), SourceSite(file: file, line: line))
  }

  /// True if this sink is the current one of the thread.
  @inline(__always)
  var isCurrent: Bool { gracewalk_current() == Unmanaged.passUnretained(self).toOpaque() }

  /// Stores a mistake made on another thread until `tellOthers`; only the first is kept.
  func noteElsewhere(_ text: String, _ site: SourceSite) {
    elsewhere.withLock { if $0 == nil { $0 = (text, site) } }
  }

  /// Reports mistakes stored by other threads.
  func tellOthers() {
    let noted = elsewhere.withLock { noted in
      defer { noted = nil }
      return noted
    }
    if let noted { take(noted.text, noted.site) }
  }

  /// Runs code with this sink as the current one of the thread.
  @inline(__always)
  package func whileCurrent<R>(_ body: () -> R) -> R {
    let outer = gracewalk_current()
    gracewalk_set_current(Unmanaged.passUnretained(self).toOpaque())
    defer { gracewalk_set_current(outer) }
    return body()
  }
}

extension MachineFailure {
  /// A mistake with its place, if known.
  static func misuse(_ text: String, at site: SourceSite) -> MachineFailure {
    .misuse(site.line == 0 ? text : "\(site.text): \(text)")
  }
}

extension Machine {
  /// Stops the machine because of a mistake in an invariant or the scenario.
  public func misuse(_ text: String, file: String, line: Int) {
    fail(.misuse(text, at: SourceSite(file: file, line: line)))
  }

  /// The page, if it belongs to this machine's scenario; otherwise stops the machine and returns
  /// nil.
  func admitted(_ page: TablePage, _ site: SourceSite) -> TablePage? {
    if page.scenario == scenario.number { return page }
    fail(.misuse("a table page that is looked at belongs to another scenario", at: site))
    return nil
  }
}

extension VirtualCPU {
  /// Ends the check with a mistake of the code: its CPU, operation and place.
  ///
  /// The code does not continue: its present action, and all later ones, throw.
  func misuse(_ text: String, _ site: SourceSite) -> Abandoned {
    // Code that unwinds may outlive its machine.
    if !isAbandoned {
      machine.fail(.misuse("\(placeText): \(text)", at: site))
      isAbandoned = true
    }
    return Abandoned()
  }

  /// Reports code that uses a virtual CPU other than its own.
  func strayed(_ site: SourceSite) -> Abandoned {
    if gracewalk_current() == nil {
      sink.noteElsewhere(
        "acts on a VirtualCPU from a thread of its own: one that the code started is not "
          + "scheduled, so nothing can be said of what it does", site)
      return Abandoned()
    }
    MisuseSink.note(
      "acts on the VirtualCPU '\(name)', which other code was given: a closure uses the one that "
        + "it is called with", site.file, site.line)
    return Abandoned()
  }

  /// The CPU and operation, as the beginning of a sentence about a mistake.
  var placeText: String {
    if case .boot = role { return name }
    return "\(name) in \(machine.name(ofOperation: operation, cpu: index))"
  }

  /// Checks that a word belongs to this scenario.
  @inline(__always)
  func admit(_ location: Location, _ site: SourceSite) throws(Abandoned) {
    if isAbandoned || location.scenario != scenarioNumber || location.cell == 0 {
      throw refusal(of: location, site)
    }
  }

  private func refusal(of location: Location, _ site: SourceSite) -> Abandoned {
    if isAbandoned { return refused() }
    guard location.scenario == scenarioNumber else { return foreign("a word", site) }
    return misuse(machine.entryText(location), site)
  }

  /// The same for the word that represents another object.
  func admit(_ location: Location, _ what: String, _ site: SourceSite) throws(Abandoned) {
    if isAbandoned { throw refused() }
    if location.scenario != scenarioNumber { throw foreign(what, site) }
  }

  @inline(__always)
  func admit(_ page: TablePage, _ site: SourceSite) throws(Abandoned) {
    if isAbandoned { throw refused() }
    if page.scenario != scenarioNumber { throw foreign("a table page", site) }
  }

  func foreign(_ what: String, _ site: SourceSite) -> Abandoned {
    misuse(
      "\(what) of another scenario is used; take it from the scenario that is being built, "
        + "every time", site)
  }
}

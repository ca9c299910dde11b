// Mistakes of a model's author: said with the place where they were made, and never a trap.

import CGracewalkFiber
import GracewalkSupport

/// Takes note of mistakes in the code that runs on a thread: that of a CPU, of an invariant that
/// judges, or of a closure that builds a scenario.
///
/// What has no virtual CPU at hand, such as `Geometry.index(of:at:)`, says here what is wrong and
/// goes on with a harmless value; the check then ends with an error and no verdict.
package final class MisuseSink {
  private let take: (String, SourceSite) -> Void
  /// The number of the scenario that the code belongs to, where that is known.
  private let scenario: UInt32
  /// What was done on a thread where no code of a model runs.
  private let elsewhere = Locked<(text: String, site: SourceSite)?>(nil)

  package init(scenario: UInt32 = 0, _ take: @escaping (String, SourceSite) -> Void) {
    self.scenario = scenario
    self.take = take
  }

  /// Notes that a page is made use of which is one of another scenario.
  static func check(_ page: TablePage, _ file: String, _ line: Int) {
    guard let current = gracewalk_current() else { return }
    let sink = Unmanaged<MisuseSink>.fromOpaque(current).takeUnretainedValue()
    guard sink.scenario != ScenarioNumber.any, page.scenario != sink.scenario else { return }
    sink.take(
      "an entry is made that points to a table page of another scenario",
      SourceSite(file: file, line: line))
  }

  /// Tells whoever runs on this thread; nobody, if no model does.
  package static func note(_ text: @autoclosure () -> String, _ file: String, _ line: Int) {
    guard let current = gracewalk_current() else { return }
    let sink = Unmanaged<MisuseSink>.fromOpaque(current).takeUnretainedValue()
    sink.take(text(), SourceSite(file: file, line: line))
  }

  /// True for code whose mistakes this object is told.
  @inline(__always)
  var isCurrent: Bool { gracewalk_current() == Unmanaged.passUnretained(self).toOpaque() }

  /// Keeps a mistake made on another thread, until `tellOthers`; the first is kept.
  func noteElsewhere(_ text: String, _ site: SourceSite) {
    elsewhere.withLock { if $0 == nil { $0 = (text, site) } }
  }

  /// Tells what was noted on other threads.
  func tellOthers() {
    let noted = elsewhere.withLock { noted in
      defer { noted = nil }
      return noted
    }
    if let noted { take(noted.text, noted.site) }
  }

  /// Runs code whose mistakes this object is to be told.
  @inline(__always)
  package func whileCurrent<R>(_ body: () -> R) -> R {
    let outer = gracewalk_current()
    gracewalk_set_current(Unmanaged.passUnretained(self).toOpaque())
    defer { gracewalk_set_current(outer) }
    return body()
  }
}

extension MachineFailure {
  /// A mistake with the place where it was made, if that is known.
  static func misuse(_ text: String, at site: SourceSite) -> MachineFailure {
    .misuse(site.line == 0 ? text : "\(site.text): \(text)")
  }
}

extension Machine {
  /// Stops the machine because of a mistake in what an invariant or the scenario asks for.
  public func misuse(_ text: String, file: String, line: Int) {
    fail(.misuse(text, at: SourceSite(file: file, line: line)))
  }

  /// A page of this machine's scenario; nil, and the machine stops, for one of another scenario.
  func admitted(_ page: TablePage, _ site: SourceSite) -> TablePage? {
    if page.scenario == scenario.number { return page }
    fail(.misuse("a table page that is looked at belongs to another scenario", at: site))
    return nil
  }
}

extension VirtualCPU {
  /// Ends the check with a mistake that the code made: whose, in which operation, and where.
  ///
  /// The code goes no further: its present action, and all that follow, throw.
  func misuse(_ text: String, _ site: SourceSite) -> Abandoned {
    // Code that unwinds may outlive its machine.
    if !isAbandoned {
      machine.fail(.misuse("\(placeText): \(text)", at: site))
      isAbandoned = true
    }
    return Abandoned()
  }

  /// Code that was given another CPU, or none, acts on this one: told to whoever runs it.
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

  /// Who does what, as the beginning of a sentence about a mistake.
  var placeText: String {
    if case .boot = role { return name }
    return "\(name) in \(machine.name(ofOperation: operation, cpu: index))"
  }

  /// Lets a word through that is one of this scenario.
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

  /// The same for the word that stands for something else.
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
      "\(what) of another scenario is used; take it from the scenario that is being built, each "
        + "time anew", site)
  }
}

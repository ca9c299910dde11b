// What a step says about the visibility of stores, for traces.

/// What a step has to do with a store that others see later than its CPU, or earlier than a load
/// takes notice.
public struct StoreVisibility: Equatable, Codable, Sendable {
  public enum Kind: String, Codable, Sendable {
    /// The step stores, and others do not see it yet.
    case pending
    /// From this step on, everybody sees a store.
    case visible
    /// The step takes a value that was there before the newest one.
    case old
    /// It takes the value of a store of its own CPU that others do not see yet.
    case own
  }

  public var kind: Kind
  /// The word, by its name.
  public var word: String
  /// The value that is stored, or taken.
  public var value: String
  /// The newest value, if the step takes an old one.
  public var newest: String?
  /// The number, from 0, of the step that stored the value.
  ///
  /// For an old value, that since which the newest one has been visible. Nil if there is no such
  /// step.
  public var step: Int?

  package init(kind: Kind, word: String, value: String, newest: String? = nil, step: Int? = nil) {
    self.kind = kind
    self.word = word
    self.value = value
    self.newest = newest
    self.step = step
  }
}

/// The same before a recorder knows the numbers of steps.
package struct StoreNote {
  package var kind: StoreVisibility.Kind
  package var cell: UInt32
  package var value: UInt64
  /// The CPU that stores, or has stored.
  package var cpu: Int

  package init(kind: StoreVisibility.Kind, cell: UInt32, value: UInt64, cpu: Int) {
    self.kind = kind
    self.cell = cell
    self.value = value
    self.cpu = cpu
  }
}

/// The steps that issued the stores that others do not see yet.
package struct PendingSteps {
  private struct Store {
    var cpu: Int
    var cell: UInt32
    var step: Int
  }

  private var stores: [Store] = []

  package init() {}

  /// Notes a store, and returns what a trace says of the step that takes or shows one.
  ///
  /// - Parameters:
  ///   - step: the number of this step.
  ///   - latest: the step that changed the word last.
  package mutating func step(of note: StoreNote, at step: Int, latest: Int?) -> Int? {
    func isMatch(_ store: Store) -> Bool { store.cpu == note.cpu && store.cell == note.cell }
    switch note.kind {
    case .pending:
      stores.append(Store(cpu: note.cpu, cell: note.cell, step: step))
      return nil
    case .visible:
      guard let index = stores.firstIndex(where: isMatch) else { return nil }
      return stores.remove(at: index).step
    case .own: return stores.last(where: isMatch)?.step
    case .old: return latest
    }
  }
}

extension Machine {
  func visibility(of note: StoreNote, step: Int?) -> StoreVisibility {
    StoreVisibility(
      kind: note.kind, word: name(ofCell: note.cell),
      value: text(ofValue: note.value, in: note.cell),
      newest: note.kind == .old ? text(ofValue: memory[note.cell], in: note.cell) : nil, step: step)
  }
}

extension StoreVisibility {
  /// What it adds to the text of a step.
  ///
  /// - Parameter number: the number that the other step has in traces, if it has one.
  package func suffix(_ number: Int?) -> String {
    switch kind {
    case .pending: ", not visible to others yet"
    case .visible: (number.map { " of step \($0)" } ?? "") + ": visible to all from here on"
    case .old:
      ", an old value (\(newest ?? "")" + (number.map { " since step \($0)" } ?? " by now") + ")"
    case .own: ", its own store" + (number.map { " of step \($0)" } ?? "")
    }
  }
}

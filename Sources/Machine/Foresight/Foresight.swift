// What code may still do, learned from what it has done: it decides which views matter.

import GracewalkExploration
import GracewalkSupport

/// The actions that CPUs take, and which of them may follow which.
///
/// A machine does not see what Swift closures will do. But it sees what they have done, in this
/// execution and in all others: if a CPU that is about to take some action has never loaded
/// anything after it, its views are of no use from there on. That is assumed, and checked: a search
/// in which a CPU goes on to do what was not foreseen is abandoned and begins again, knowing more.
/// A search that ends has met nothing of the kind, so all that it forgot was of no use.
package final class Foresight: Sendable {
  /// An action that a CPU is about to take, whatever it did before.
  struct Place: Hashable {
    var cpu: UInt8
    var operation: Int32
    var kind: Action.Kind
    var ordering: UInt8
    var cell: UInt32
    var lifetime: UInt32
    var isLocal: Bool
    /// For a load, whether it is a dereference, which is no acquire.
    var isDereference: Bool
  }

  /// What is known of the actions at a place.
  struct Facts {
    var use = FutureUse()
    /// Ends a section, for those that wait for a grace period.
    var endsSection = false
    var startsGracePeriod = false
    var sendsInterrupt = false
    /// Part of the step before it.
    var isLocal = false
    /// Changes what the CPU has pending, apart from what only the CPU itself can reach.
    var changesBuffer = false
  }

  private struct Known {
    var numbers: [Place: Int] = [:]
    var places: [Place] = []
    var facts: [Facts] = []
    var successors: [[Int]] = []
    /// The number of places and of ways between them.
    var count = 0
  }

  private let known = Locked(Known())
  /// What was known when it was foreseen.
  private let looked = Locked(Known())
  private let latest = Locked<Foreseen?>(nil)
  private let lessons = Locked<[Lesson]>([])

  /// Parts of what keeps it right to leave out, so that tests show that they are needed.
  package struct Omission: OptionSet, Sendable {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }

    /// Beginning again where code does what was not foreseen.
    package static let check = Omission(rawValue: 1)
    /// Keeping what a CPU has seen as long as walks must not miss it.
    package static let walks = Omission(rawValue: 2)
    /// Keeping what CPUs that load nothing learn from others for their walks.
    package static let walkers = Omission(rawValue: 4)
  }

  /// An execution that was not foreseen.
  private struct Lesson {
    var path: [Schedule.Step]
    /// The steps of the search that was abandoned for it.
    var steps: Int
  }

  let omitted: Omission

  package init(without omitted: Omission = []) { self.omitted = omitted }

  /// What is foreseen; nil as long as nothing is.
  var foreseen: Foreseen? { latest.withLock { $0 } }

  /// Notes that an action comes next, and after which; returns the number of its place, and
  /// whether that was new.
  @discardableResult
  func note(
    _ place: Place, after earlier: Int?, _ facts: () -> Facts
  ) -> (number: Int, isNew: Bool) {
    known.withLock { known in
      let before = known.count
      let number: Int
      if let old = known.numbers[place] {
        number = old
      } else {
        number = known.facts.count
        known.numbers[place] = number
        known.places.append(place)
        known.facts.append(facts())
        known.successors.append([])
        known.count += 1
      }
      if let earlier, !known.successors[earlier].contains(number) {
        known.successors[earlier].append(number)
        known.count += 1
      }
      return (number, known.count > before)
    }
  }

  /// The number of the place that is the image of another one; nil if there is no such place yet.
  func number(ofImageOf number: Int, _ image: (Place) -> Place) -> Int? {
    known.withLock { $0.numbers[image($0.places[number])] }
  }

  /// Notes that one place may come after another.
  func connect(_ earlier: Int, to later: Int) {
    known.withLock { known in
      if known.successors[earlier].contains(later) { return }
      known.successors[earlier].append(later)
      known.count += 1
    }
  }

  /// Foresees what has followed so far.
  package func look() {
    let known = known.withLock { $0 }
    looked.withLock { $0 = known }
    let foreseen = Foreseen(known.facts, known.successors)
    latest.withLock { $0 = foreseen }
  }

  /// The number of random executions after which it is seen whether there was anything new.
  private static let batch = 32
  private static let batchesMax = 40

  /// Takes random executions of a machine until they show nothing new, and looks.
  package func learn(_ machine: Machine) {
    var random = SplitMix64(seed: 1)
    for _ in 0..<Self.batchesMax {
      let before = known.withLock { $0.count }
      for _ in 0..<Self.batch where machine.failure == nil { machine.walkAtRandom(&random) }
      if known.withLock({ $0.count }) == before { break }
    }
    look()
  }

  /// Learns what may follow the steps in which a machine did what was not foreseen, and looks.
  ///
  /// - Parameters:
  ///   - steps: those that the abandoned search has taken.
  ///   - makeMachine: makes machines that now forget nothing.
  package func learn(after machine: Machine, steps: Int, _ makeMachine: () -> Machine) {
    learn(Lesson(path: machine.takenSteps, steps: steps), makeMachine)
  }

  /// Learns a lesson; false if the machine cannot take its path.
  ///
  /// The longer the search was that is abandoned, the more is done so that the next one is not:
  /// random executions go on from each step that led there, the last ones first, and again as long
  /// as they show something new. They take no more than a part of the steps of that search.
  ///
  /// What the abandoned search has noted itself is forgotten, since it depends on how that search
  /// came about; so what is known follows from the lessons alone.
  @discardableResult
  private func learn(_ lesson: Lesson, _ makeMachine: () -> Machine) -> Bool {
    lessons.withLock { $0.append(lesson) }
    latest.withLock { $0 = nil }
    let before = looked.withLock { $0 }
    known.withLock { $0 = before }
    let free = makeMachine()
    var random = SplitMix64(seed: 2)
    guard free.follow(lesson.path) else { return false }
    // One of these steps is what was not foreseen.
    free.takeEachStep()
    var taken = 0
    for _ in 0..<2 * Self.batch where free.failure == nil { taken += free.walkAtRandom(&random) }
    let most = lesson.steps / Self.partOfSearch
    while free.depth > 0, free.failure == nil, taken < most {
      free.undo()
      var isNew = true
      while isNew, free.failure == nil, taken < most {
        let before = known.withLock { $0.count }
        for _ in 0..<Self.batch / 4 where free.failure == nil {
          taken += free.walkAtRandom(&random)
        }
        isNew = known.withLock { $0.count } > before
      }
    }
    look()
    return true
  }

  /// Writes what has been learned, as the executions from which it was.
  package func save(to writer: CheckpointWriter) {
    let lessons = lessons.withLock { $0 }
    writer.write(lessons.count)
    for lesson in lessons {
      writer.write(lesson.steps)
      writer.write(lesson.path.count)
      for step in lesson.path {
        writer.write(step.cpu)
        writer.write(step.choice)
      }
    }
  }

  /// Learns again what was saved, after what is always learned first.
  ///
  /// - Parameter makeMachine: makes machines of the check that was saved.
  package func restore(
    from reader: CheckpointReader, _ makeMachine: () -> Machine
  ) throws(CheckpointError) {
    for _ in 0..<(try reader.count(ofBytes: 16)) {
      var lesson = Lesson(path: [], steps: try reader.number(in: 0..<Int.max))
      for _ in 0..<(try reader.count(ofBytes: 16)) {
        let cpu = try reader.number(in: 0..<CPUSet.capacity)
        let choice = try reader.number(in: 0..<Int.max)
        lesson.path.append(Schedule.Step(cpu: cpu, choice: choice))
      }
      guard learn(lesson, makeMachine) else { throw .malformed }
    }
  }

  /// Of the steps of an abandoned search, one in so many is taken to learn more.
  private static let partOfSearch = 8

  /// Takes some random executions of a machine, and looks.
  package func learn(_ machine: Machine, executions: Int) {
    var random = SplitMix64(seed: 1)
    for _ in 0..<executions where machine.failure == nil { machine.walkAtRandom(&random) }
    look()
  }
}

/// What may follow on each place, as far as it is foreseen.
final class Foreseen: Sendable {
  /// Per place, what may come from there on.
  private let uses: [FutureUse]
  /// Per place, a number that is the same for equal uses.
  private let classes: [Int]
  /// Per place, whether what is pending may change by local actions that are part of its step.
  private let tails: [Bool]
  /// Whether anybody waits for grace periods.
  let hasGracePeriods: Bool
  /// Whether anybody sends interrupts.
  let hasInterrupts: Bool

  fileprivate init(_ facts: [Foresight.Facts], _ successors: [[Int]]) {
    let hasInterrupts = facts.contains(where: \.sendsInterrupt)
    self.hasInterrupts = hasInterrupts
    let waits = hasInterrupts || facts.contains(where: \.startsGracePeriod)
    hasGracePeriods = waits
    var uses = facts.map { facts in
      var use = facts.use
      // An interrupt may ask for the views of any CPU.
      if facts.endsSection && waits || hasInterrupts { use.showsViews() }
      return use
    }
    var isChanged = true
    while isChanged {
      isChanged = false
      for place in uses.indices.reversed() {
        for next in successors[place] where !uses[place].covers(uses[next]) {
          uses[place].join(uses[next])
          isChanged = true
        }
      }
    }
    var tails = facts.map { _ in false }
    isChanged = true
    while isChanged {
      isChanged = false
      for place in tails.indices.reversed() where !tails[place] {
        tails[place] = successors[place].contains {
          facts[$0].isLocal && (facts[$0].changesBuffer || tails[$0])
        }
        isChanged = isChanged || tails[place]
      }
    }
    self.tails = tails
    self.uses = uses
    classes = uses.map { use in uses.firstIndex(of: use) ?? 0 }
  }

  /// True if what the CPU has pending may change after the action at a place, in the same step.
  func mayChangeBuffer(behind place: Int) -> Bool {
    place >= 0 && place < tails.count ? tails[place] : true
  }

  func use(at place: Int) -> FutureUse {
    place >= 0 && place < uses.count ? uses[place] : .unknown
  }

  /// Places with different uses have different numbers.
  func number(ofUseAt place: Int) -> Int {
    place >= 0 && place < classes.count ? classes[place] : -1
  }
}

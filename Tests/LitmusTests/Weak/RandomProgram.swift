// Small random programs, as text for the reader and as events for the axioms.

import GracewalkSupport

/// A random program of AArch64.
struct RandomProgram {
  enum Fence: CaseIterable {
    case full, loads, stores, instructions
  }

  /// A load, a store, or a read-modify-write.
  struct Access {
    var word: Int
    var reads = false
    var writes = false
    var value = 0
    var acquires = false
    /// An acquire that does not wait for releases before it.
    var acquiresLocally = false
    var releases = false
    /// Adds the value to the word instead of storing it.
    var adds = false
    /// A read-modify-write by an exclusive load and an exclusive store, which may fail.
    var isExclusive = false
    /// Its result goes nowhere.
    var isUnused = false
    /// Steps whose results its address and value depend on.
    var address: Int?
    var data: Int?
  }

  enum Step {
    case access(Access)
    case fence(Fence)
    /// A branch on the result of a step, to the instruction behind it.
    case branch(Int)
  }

  static let wordNames = ["x", "y", "z", "a", "b"]
  var wordCount: Int
  var processes: [[Step]] = []

  /// - Parameters:
  ///   - hasExclusives: whether there may be exclusive loads and stores.
  ///   - isWide: whether each of several processes reads few of the words, so that many stores are
  ///     independent.
  init(_ random: inout SplitMix64, hasExclusives: Bool, isWide: Bool = false) {
    wordCount = (isWide ? 4 : 2) + random.below(2)
    let count = isWide ? 3 : 2 + (random.below(4) == 0 ? 1 : 0)
    var value = 0
    for process in 0..<count {
      let readable = isWide ? [process, process + 1] : nil
      var steps: [Step] = []
      var loads: [Int] = []
      for number in 0..<(count == 2 ? 3 + random.below(3) : 2 + random.below(2)) {
        let step = Self.step(&random, wordCount, readable, loads, &value, hasExclusives)
        if case .access(let access) = step, access.reads, !access.isUnused { loads.append(number) }
        steps.append(step)
      }
      processes.append(steps)
    }
  }

  private static func step(
    _ random: inout SplitMix64, _ wordCount: Int, _ readable: [Int]?, _ loads: [Int],
    _ value: inout Int, _ hasExclusives: Bool
  ) -> Step {
    let kind = random.below(16)
    if kind < 2 { return .fence(random.pick(Fence.allCases)) }
    if kind == 2, !loads.isEmpty { return .branch(random.pick(loads)) }
    var access = Access(word: random.below(wordCount))
    value += 1
    access.value = value
    switch random.below(hasExclusives ? 9 : 8) {
    case 0...2: access.reads = true
    case 3...5: access.writes = true
    case 8:
      (access.reads, access.writes, access.isExclusive) = (true, true, true)
    default:
      (access.reads, access.writes) = (true, true)
      access.adds = random.below(2) == 0
      access.isUnused = access.adds && random.below(3) == 0
    }
    if access.reads, let readable { access.word = random.pick(readable) }
    if access.reads, !access.isUnused, random.below(3) == 0 {
      access.acquires = true
      if !access.writes, random.below(2) == 0 {
        (access.acquires, access.acquiresLocally) = (false, true)
      }
    }
    if access.writes, random.below(3) == 0 { access.releases = true }
    if !loads.isEmpty {
      // Through a computed address it may be any word.
      if readable == nil, random.below(4) == 0 { access.address = random.pick(loads) }
      if access.writes, !access.adds, random.below(4) == 0 { access.data = random.pick(loads) }
    }
    return .access(access)
  }

  // MARK: Text

  /// The test for the reader; its final states show all results, then all words.
  var text: String {
    let columns = processes.map { steps in steps.indices.flatMap { Self.lines(steps, $0) } }
    let height = columns.map(\.count).max() ?? 0
    var initial = ""
    for process in processes.indices {
      for word in 0..<wordCount {
        initial += "\(process):X\(20 + word)=\(Self.wordNames[word]); "
      }
    }
    var lines = ["AArch64 random", "{ \(initial)}"]
    lines.append(processes.indices.map { "P\($0)" }.joined(separator: " | ") + " ;")
    for row in 0..<height {
      lines.append(
        columns.map { row < $0.count ? $0[row] : "" }.joined(separator: " | ") + " ;")
    }
    return (lines + ["exists (\(observed.map { "\($0)=0" }.joined(separator: " /\\ ")))"])
      .joined(separator: "\n")
  }

  /// What final states show.
  private var observed: [String] {
    var names: [String] = []
    for (process, steps) in processes.enumerated() {
      for (number, step) in steps.enumerated() {
        guard case .access(let access) = step else { continue }
        if access.reads, !access.isUnused { names.append("\(process):X\(number)") }
        if access.isExclusive { names.append("\(process):X\(10 + number)") }
      }
    }
    return names + (0..<wordCount).map { "[\(Self.wordNames[$0])]" }
  }

  /// The instructions of a step; its result is in the register with its number.
  private static func lines(_ steps: [Step], _ number: Int) -> [String] {
    switch steps[number] {
    case .fence(.full): return ["DMB SY"]
    case .fence(.loads): return ["DMB LD"]
    case .fence(.stores): return ["DMB ST"]
    case .fence(.instructions): return ["ISB"]
    case .branch(let source): return ["CBZ X\(source),L\(number)", "L\(number):"]
    case .access(let access): return lines(access, number)
    }
  }

  private static func lines(_ access: Access, _ number: Int) -> [String] {
    var lines: [String] = []
    var address = "[X\(20 + access.word)]"
    if let source = access.address {
      lines.append("EOR X26,X\(source),X\(source)")
      address = "[X\(20 + access.word),X26]"
    }
    if access.writes {
      if let source = access.data {
        lines.append("EOR X25,X\(source),X\(source)")
        lines.append("ADD X25,X25,#\(access.value)")
      } else {
        lines.append("MOV X25,#\(access.value)")
      }
    }
    let acquire = access.acquires ? "A" : ""
    let release = access.releases ? "L" : ""
    switch (access.reads, access.writes) {
    case (true, true) where access.isExclusive:
      lines.append("LD\(acquire)XR X\(number),\(address)")
      lines.append("ST\(release)XR W\(10 + number),X25,\(address)")
    case (true, true) where access.isUnused: lines.append("STADD\(release) X25,\(address)")
    case (true, true):
      let name = access.adds ? "LDADD" : "SWP"
      lines.append("\(name)\(acquire)\(release) X25,X\(number),\(address)")
    case (true, false):
      let name = access.acquires ? "LDAR" : access.acquiresLocally ? "LDAPR" : "LDR"
      lines.append("\(name) X\(number),\(address)")
    default: lines.append("\(access.releases ? "STLR" : "STR") X25,\(address)")
    }
    return lines
  }
}

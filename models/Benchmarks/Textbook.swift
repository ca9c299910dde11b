// Programs that every paper on partial-order reduction counts, so that our counts can be compared.

import Gracewalk

/// Programs whose numbers of Mazurkiewicz classes are known.
public enum Textbook {
  /// One writer, `count` readers of the same word: 2^N classes
  /// (Abdulla et al., "Optimal dynamic partial order reduction", POPL 2014, section 8).
  public static func readers(_ count: Int) -> Scenario {
    let scenario = Scenario()
    let x = scenario.word("x")
    scenario.cpu("writer", runs: "write") { cpu in try cpu.store(x, 1, .relaxed) }
    for index in 1...count {
      scenario.cpu("reader \(index)", runs: "read") { cpu in _ = try cpu.load(x, .relaxed) }
    }
    return scenario
  }

  /// N writers, each of which sets its element to the one before plus one; a reader looks for the
  /// last zero from the end: (N+3)·2^(N−2) classes (the same paper, section 8).
  public static func lastzero(_ count: Int) -> Scenario {
    let scenario = Scenario()
    let array = (0...count).map { scenario.word("a[\($0)]") }
    scenario.cpu("searcher", runs: "find last zero") { cpu in
      var index = count
      while try cpu.load(array[index], .relaxed) != 0 { index -= 1 }
    }
    for index in 1...count {
      scenario.cpu("writer \(index)", runs: "write") { cpu in
        let before = try cpu.load(array[index - 1], .relaxed)
        try cpu.store(array[index], before + 1, .relaxed)
      }
    }
    return scenario
  }

  /// N threads insert four messages each into a hash table of 128 slots: one class up to N = 11,
  /// 8^(N−11) from there (Flanagan and Godefroid, "Dynamic partial-order reduction for model
  /// checking software", POPL 2005, figure 7).
  public static func indexer(_ count: Int) -> Scenario {
    let size = 128
    let scenario = Scenario()
    let table = (0..<size).map { scenario.word("table[\($0)]") }
    for thread in 0..<count {
      scenario.cpu("thread \(thread)", runs: "insert") { cpu in
        for message in 1...4 {
          let word = message * 11 + thread
          var slot = word * 7 % size
          while try !cpu.compareExchange(
            table[slot], expected: 0, desired: UInt64(word), .sequentiallyConsistent
          ).exchanged {
            slot = (slot + 1) % size
          }
        }
      }
    }
    return scenario
  }

  /// N threads allocate a block each, of 26, under locks: one class up to N = 13, 2^(N−13) from
  /// there (the same paper, figure 8).
  public static func filesystem(_ count: Int) -> Scenario {
    let inodeCount = 32
    let blockCount = 26
    let scenario = Scenario()
    let inode = (0..<inodeCount).map { scenario.word("inode[\($0)]") }
    let busy = (0..<blockCount).map { scenario.word("busy[\($0)]") }
    let inodeLock = (0..<inodeCount).map { scenario.spinLock("locki[\($0)]") }
    let blockLock = (0..<blockCount).map { scenario.spinLock("lockb[\($0)]") }
    for thread in 0..<count {
      scenario.cpu("thread \(thread)", runs: "allocate") { cpu in
        let i = thread % inodeCount
        try cpu.lock(inodeLock[i])
        if try cpu.load(inode[i], .relaxed) == 0 {
          var block = i * 2 % blockCount
          while true {
            try cpu.lock(blockLock[block])
            if try cpu.load(busy[block], .relaxed) == 0 {
              try cpu.store(busy[block], 1, .relaxed)
              try cpu.store(inode[i], UInt64(block + 1), .relaxed)
              try cpu.unlock(blockLock[block])
              break
            }
            try cpu.unlock(blockLock[block])
            block = (block + 1) % blockCount
          }
        }
        try cpu.unlock(inodeLock[i])
      }
    }
    return scenario
  }
}

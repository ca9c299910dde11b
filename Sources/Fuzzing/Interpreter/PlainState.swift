// All of a random program's state, as plain values that can be compared and kept.

import GracewalkMachine

/// The state of a random program between two steps.
struct PlainState: Hashable {
  /// The program's words, then the one that keeps a page and the sequence counter.
  var words: [UInt64]
  /// The pages that were ever allocated, by number.
  var pages: [Page] = []
  /// The holders of the spin locks; nil while they are free.
  var spinLocks: [Int?] = [nil, nil]
  var readWriteLock = ReadWriteHolders()
  /// The CPUs of the program, then those that run their callbacks.
  var cpus: [CPU]
  /// The callbacks of each CPU that may queue some, in the order in which they run.
  var queues: [Queue] = []
  /// The numbers of the slab's free pages, in order.
  var freePages: [Int] = []
  var isReleased = false

  struct ReadWriteHolders: Hashable {
    var cpus = Members()
    var isWritten = false

    var isFree: Bool { cpus.isEmpty && !isWritten }
  }

  struct Page: Hashable {
    /// Unlike a handle's id it is an index, and like it the same in every interleaving.
    let number: Int
    var isAllocated = true
    var entries: [UInt64] = [0, 0]
    var privateWord: UInt64 = 0
    var lock: Int?
    /// The number of entries that point to it.
    var links = 0
    /// The CPUs that have been in a section, or had interrupts masked, since it was unlinked.
    var inSections = Members()
    var masked = Members()
  }

  struct Queue: Hashable {
    /// The CPU whose callbacks they are.
    let owner: Int
    var waiting: [Item] = []
    var queued = 0
    var finished = 0

    struct Item: Hashable {
      var callback: PlainCallback
      /// The CPUs whose sections it still waits for.
      var readers: Members
    }
  }

  struct CPU: Hashable {
    enum Status: Hashable {
      case running, ended
      /// An assumption of the code was not so.
      case cutOff
    }

    var code = PlainCode()
    var status = Status.running
    var isInSection = false
    var isMasked = false
    /// The CPUs whose sections a grace period waits for, and whose interrupts are to be taken.
    var awaited = Members()
    var awaitedInterrupts = Members()
    /// For each queue, the callbacks that a barrier waits for.
    var targets: [Int] = []
    var pagesAllocated = 0
    /// The queue whose callbacks it runs, if that is what it does.
    var queue: Int?
  }
}

/// What the code of a CPU knows.
struct PlainCode: Hashable {
  var part = 0
  /// The next step of the part; beyond the last one, everything held is released.
  var step = 0
  var seen: UInt64 = 0
  var held = Held()
  var sectionDepth = 0
  var maskDepth = 0
  /// What the present step, or callback, has got from its accesses so far.
  var results: [UInt64] = []
  var callback: PlainCallback?

  struct Held: Hashable {
    var locks = Members()
    var reads = false
    var writes = false
    var inSection = false
    var masks = 0
  }
}

/// The body of a callback, with the values that it has caught.
enum PlainCallback: Hashable {
  case add(word: Int, UInt64)
  /// Reads the word, and queues a callback that stores the sum.
  case addLater(word: Int, UInt64)
  case store(word: Int, UInt64)
  case free(page: Int)
  case giveBack(page: Int)
  case use
}

/// A set of small numbers: CPUs or locks.
struct Members: Hashable {
  private var bits: UInt64 = 0

  var isEmpty: Bool { bits == 0 }

  func contains(_ member: Int) -> Bool { bits >> UInt64(member) & 1 == 1 }
  mutating func insert(_ member: Int) { bits |= 1 << UInt64(member) }
  mutating func remove(_ member: Int) { bits &= ~(1 << UInt64(member)) }

  func without(_ member: Int) -> Members {
    var others = self
    others.remove(member)
    return others
  }

  /// True if there is no other member.
  func isOnly(_ member: Int) -> Bool { bits == 1 << UInt64(member) }

  /// In order.
  var all: [Int] { (0..<64).filter(contains) }
}

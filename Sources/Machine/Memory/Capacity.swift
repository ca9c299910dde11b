// How much there is room for in a machine's memory.

/// How many things of a kind a scenario has room for.
///
/// More costs memory, and nothing else. What does not fit is refused with words.
public struct Capacity: Equatable, Sendable {
  /// Words with a name: one for a word, a spin lock, a slab or a context, three for a data frame,
  /// and 63 for a lock for readers and writers.
  public var words: Int
  /// Table pages that each CPU can allocate; and that can be there from the start, those of slabs
  /// included.
  public var pagesPerCPU: Int
  /// Callbacks that each CPU can queue.
  public var callbacksPerCPU: Int

  public init(words: Int = 4_094, pagesPerCPU: Int = 16, callbacksPerCPU: Int = 16) {
    self.words = words
    self.pagesPerCPU = pagesPerCPU
    self.callbacksPerCPU = callbacksPerCPU
  }

  /// Enough for nearly everything.
  public static let standard = Capacity()

  /// Most of each: cells have numbers of 32 bits, and the numbers of pages end where those of data
  /// frames begin, with as many CPUs as there may be.
  static let most = Capacity(
    words: 1 << 24, pagesPerCPU: Int(AddressSpace.firstFrame) / (Machine.cpuCountMax + 2),
    callbacksPerCPU: 1 << 12)

  /// Why there can be no such memory; nil if there can.
  var problem: String? {
    let kinds = [
      ("words", words, Self.most.words), ("pagesPerCPU", pagesPerCPU, Self.most.pagesPerCPU),
      ("callbacksPerCPU", callbacksPerCPU, Self.most.callbacksPerCPU),
    ]
    let bad = kinds.first { !(1...$0.2).contains($0.1) }
    return bad.map { "a capacity of \($0.1) for \($0.0) is impossible: it is from 1 to \($0.2)" }
  }
}

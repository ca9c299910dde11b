// The capacity of a machine's memory.

/// The number of objects of each kind that a scenario has room for.
///
/// A larger capacity costs only memory. Anything that does not fit is refused with a clear message.
public struct Capacity: Equatable, Sendable {
  /// Named words: one for a word, a spin lock, a slab or a context, three for a data frame, and 63
  /// for a reader-writer lock.
  public var words: Int
  /// Table pages that each CPU can allocate; also the maximum of initial pages, including those of
  /// slabs.
  public var pagesPerCPU: Int
  /// Callbacks that each CPU can queue.
  public var callbacksPerCPU: Int

  public init(words: Int = 4_094, pagesPerCPU: Int = 16, callbacksPerCPU: Int = 16) {
    self.words = words
    self.pagesPerCPU = pagesPerCPU
    self.callbacksPerCPU = callbacksPerCPU
  }

  /// The default, sufficient for nearly everything.
  public static let standard = Capacity()

  /// The maximum of each, so that cell numbers fit in 32 bits, and page numbers stay below those of
  /// data frames with the maximum number of CPUs.
  static let most = Capacity(
    words: 1 << 24, pagesPerCPU: Int(AddressSpace.firstFrame) / (Machine.cpuCountMax + 2),
    callbacksPerCPU: 1 << 12)

  /// Why the capacity is impossible, or nil.
  var problem: String? {
    let kinds = [
      ("words", words, Self.most.words), ("pagesPerCPU", pagesPerCPU, Self.most.pagesPerCPU),
      ("callbacksPerCPU", callbacksPerCPU, Self.most.callbacksPerCPU),
    ]
    let bad = kinds.first { !(1...$0.2).contains($0.1) }
    return bad.map { "a capacity of \($0.1) for \($0.0) is impossible: it is from 1 to \($0.2)" }
  }
}

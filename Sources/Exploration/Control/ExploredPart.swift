// How much of a depth-first search is done, judged by its stack and by how that has grown.

import GracewalkSupport

/// The explored part of a search, added up over its stack from the bottom to the top.
///
/// Every node divides its share of the whole among the children it knows, as in Knuth's estimate of
/// the size of a tree ("Estimating the efficiency of backtrack programs", Math. Comp. 29, 1975),
/// which here is read off the one path the search is on. What is done is what lies left of it.
///
/// Equal parts would be wrong. Where sleep sets or merged states are about, a later child finds
/// done already much of what an earlier one had to do; and backtrack sets grow, so that a node
/// knows the children that come late only when it is late. So each child weighs `ratio` times as
/// much as the one before it. See `Forecast` for how good this is.
struct ExploredPart {
  /// For searches with backtrack sets.
  static let reducedRatio = 0.6
  /// For a search that merges states and does not reduce.
  static let mergingRatio = 0.4

  /// The explored part, from 0 to 1.
  private(set) var explored = 0.0
  private var share = 1.0
  private let ratio: Double

  init(ratio: Double) { self.ratio = ratio }

  /// Whether nodes further up the stack make no difference that anybody would see.
  var isSettled: Bool { share < 1e-9 }

  /// Goes one node up the stack, to the child that comes after those that are done.
  ///
  /// - Parameters:
  ///   - done: how many children are done.
  ///   - known: how many there are, as far as is known.
  ///   - choice: how many choices of the present child are done.
  ///   - choiceCount: how many it has.
  /// - Returns: the share of each of the children that are done, the last one first, as far as
  ///   `lent` asks for it.
  @discardableResult
  mutating func add(
    done: Int, known: Int, choice: Int = 0, of choiceCount: Int = 1, lent: Int = 0
  ) -> [Double] {
    let shares = lent == 0 ? [] : shares(ofLast: lent, of: done, known: max(known, done))
    if done >= known {
      explored += share
      share = 0
      return shares
    }
    var weight = 1.0
    var before = 0.0
    var total = 0.0
    var present = 1.0
    for child in 0..<known {
      if child < done { before += weight }
      if child == done { present = weight }
      total += weight
      weight *= ratio
    }
    let each = share * present / total / Double(max(choiceCount, 1))
    explored += share * before / total + each * Double(choice)
    share = choice == choiceCount ? 0 : each
    return shares
  }

  private func shares(ofLast count: Int, of done: Int, known: Int) -> [Double] {
    var weights: [Double] = []
    for _ in 0..<known { weights.append((weights.last ?? 1 / ratio) * ratio) }
    let total = weights.reduce(0, +)
    return (0..<count).map { share * weights[max(done - 1 - $0, 0)] / total }
  }
}

/// Refines what the stack says with how it has changed while the second half of the work was done.
///
/// If the explored part goes on growing as it did in that half, the search ends after so and so
/// many more transitions. The forecast is the mean of the part that are done by this count, and of
/// the part that the stack says.
///
/// Held against the transitions that were really done at 10, 25, 50 and 75 % of 31 searches (the
/// programs of `gracewalk bench` and the largest models), it is off by so many percentage points:
///
/// | search     | 10 % | 25 % | 50 % | 75 % | mean | stack alone | equal parts | worst |
/// |------------|------|------|------|------|------|-------------|-------------|-------|
/// | stateful   |   12 |   12 |   23 |   20 |   17 |          19 |          24 |    63 |
/// | source     |   21 |   14 |   16 |   17 |   17 |          23 |          22 |    62 |
/// | optimal    |   20 |   12 |   15 |   12 |   14 |          20 |          24 |    51 |
/// | exhaustive |    6 |   18 |   25 |   27 |   19 |          19 |          34 |    63 |
///
/// The row `stateful` is of that search before it let CPUs sleep. Since then the stack alone is off
/// by 26 on the ten longest checks of the catalogue, mostly because it says too little late: what
/// is met again in another order is little work.
///
/// Saying 40 % every time would be off by 22, so this is a hint, good for a factor of two. Worse
/// were: the pace of equal parts alone (22, 17, 25, 32), as large as the children that are done
/// (Kilby, Slaney, Thiébaux and Walsh, "Estimating search tree size", AAAI 2006: 30, 22, 28, 38),
/// and a ratio learned on the way (24, 21, 23, 32).
struct Forecast {
  private struct Sample {
    var transitions: Int
    var explored: Double
  }

  /// Samples before which nothing is said.
  static let samplesMin = 16
  private static let samplesMax = 128

  private var samples: [Sample] = []
  /// Every so many samples one is kept; doubles when there are too many.
  private var spacing = 1
  private var seen = 0

  /// The part that is done, given what the stack says after a number of transitions; nil if it is
  /// too early to say.
  mutating func done(_ explored: Double, after transitions: Int) -> Double? {
    note(Sample(transitions: transitions, explored: explored))
    guard seen >= Forecast.samplesMin, explored > 0 else { return nil }
    let half = samples.last { $0.transitions <= transitions / 2 }
    let grown = explored - (half?.explored ?? 0)
    guard grown > 0 else { return explored / 2 }
    let work = Double(transitions - (half?.transitions ?? 0))
    let left = (1 - explored) * work / grown
    return (explored + Double(transitions) / (Double(transitions) + left)) / 2
  }

  private mutating func note(_ sample: Sample) {
    guard sample.transitions > samples.last?.transitions ?? 0 else { return }
    seen += 1
    guard seen % spacing == 0 else { return }
    if samples.count == Forecast.samplesMax {
      samples = stride(from: 1, to: samples.count, by: 2).map { samples[$0] }
      spacing *= 2
      guard seen % spacing == 0 else { return }
    }
    samples.append(sample)
  }
}

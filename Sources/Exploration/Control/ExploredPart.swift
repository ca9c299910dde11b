// The explored part of a depth-first search, estimated from its stack and from its progress.

import GracewalkSupport

/// The explored part of a search, added up over its stack from the bottom to the top.
///
/// Every node divides its share of the whole among its known children, as in Knuth's estimate of
/// the size of a tree ("Estimating the efficiency of backtrack programs", Math. Comp. 29, 1975),
/// here applied to the current path of the search. The explored part is everything to the left of
/// that path.
///
/// Equal shares would be wrong. With sleep sets or merged states, much of a later child's work has
/// already been done by an earlier one. And backtrack sets grow, so a node learns of its later
/// children only late. So each child weighs `ratio` times as much as the one before it. See
/// `Forecast` for how good this is.
struct ExploredPart {
  /// For searches with backtrack sets.
  static let reducedRatio = 0.6
  /// For a search that merges states without reduction.
  static let mergingRatio = 0.4

  /// The explored part, from 0 to 1.
  private(set) var explored = 0.0
  private var share = 1.0
  private let ratio: Double

  init(ratio: Double) { self.ratio = ratio }

  /// Whether nodes further up the stack make no visible difference.
  var isSettled: Bool { share < 1e-9 }

  /// Adds the next node up the stack.
  ///
  /// - Parameters:
  ///   - done: how many children are done.
  ///   - known: how many children are known.
  ///   - choice: how many choices of the present child are done.
  ///   - choiceCount: how many choices it has.
  /// - Returns: the shares of the last `lent` done children, the last one first.
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

/// Refines the estimate from the stack with its change during the second half of the work so far.
///
/// If the explored part keeps growing as in that half, the search will end after a certain number
/// of further transitions. The forecast is the mean of the part done according to that number and
/// the part according to the stack.
///
/// Compared with the actual transitions at 10, 25, 50 and 75 % of 31 searches (the programs of
/// `gracewalk bench` and the largest models), its error in percentage points is as below. The
/// stateful search has an estimate of its own, without a forecast (`StackAges`):
///
/// | search     | 10 % | 25 % | 50 % | 75 % | mean | stack alone | equal parts | worst |
/// |------------|------|------|------|------|------|-------------|-------------|-------|
/// | source     |   21 |   14 |   16 |   17 |   17 |          23 |          22 |    62 |
/// | optimal    |   20 |   12 |   15 |   12 |   14 |          20 |          24 |    51 |
/// | exhaustive |    6 |   18 |   25 |   27 |   19 |          19 |          34 |    63 |
///
/// Always saying 40 % would be off by 22, so this is a hint, good to within a factor of two.
/// Alternatives were worse: the pace of equal shares alone (22, 17, 25, 32), weighting by the size
/// of the done children (Kilby, Slaney, Thiébaux and Walsh, "Estimating search tree size", AAAI
/// 2006: 30, 22, 28, 38), and a ratio learned during the search (24, 21, 23, 32).
struct Forecast {
  private struct Sample {
    var transitions: Int
    var explored: Double
  }

  /// The number of samples before the first forecast.
  static let samplesMin = 16
  private static let samplesMax = 128

  private var samples: [Sample] = []
  /// One in this many samples is kept; doubles when there are too many.
  private var spacing = 1
  private var seen = 0

  /// The part done, given the stack's estimate after a number of transitions; nil if it is too
  /// early to tell.
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

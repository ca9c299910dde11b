// Suggestions for a misspelt name.

/// The names closest to a misspelt one, at most three, best first.
///
/// The given name may also be a prefix of the intended one, possibly misspelt, or any part of it.
package func nearest(to name: String, among names: [String]) -> [String] {
  // Longer input is no misspelling, and the time of a comparison grows with the length.
  guard !name.isEmpty, name.utf8.count <= 100 else { return [] }
  let ranked = names.enumerated().map { position, candidate in
    let whole = editDistance(name, candidate)
    let beginning = editDistance(name, String(candidate.prefix(name.count))) + 1
    let part = candidate.contains(name) ? 1 : Int.max
    return (min(whole, beginning, part), position, candidate)
  }
  let limit = max(2, name.count / 3)
  let close = ranked.filter { $0.0 <= limit }.sorted { ($0.0, $0.1) < ($1.0, $1.1) }
  return close.prefix(3).map(\.2)
}

/// Insertions, deletions and substitutions that turn one word into the other (Levenshtein).
private func editDistance(_ a: String, _ b: String) -> Int {
  let target = Array(b)
  var row = Array(0...target.count)
  for (i, character) in a.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for (j, other) in target.enumerated() {
      let substituted = diagonal + (character == other ? 0 : 1)
      diagonal = row[j + 1]
      row[j + 1] = min(substituted, row[j] + 1, row[j + 1] + 1)
    }
  }
  return row[target.count]
}

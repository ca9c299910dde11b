// Races of reads that are never taken, because their value leads straight back.
//
// Such a read could be taken, and would change nothing. So it races with a plain write of the value
// that the word has already, although the search never takes it. It is judged when its thread
// arrives there, and again after each plain access of others: whichever comes first, the later of
// both finds the race.

import GracewalkLLVM
import GracewalkSupport

extension ProgramMachine {
  /// Judges reads that wait: that of the thread that has stepped, and all if it has accessed shared
  /// memory plainly.
  func judgeWaits(after cpu: Int) {
    guard racesCount, options.waitsInLoops else { return }
    if hasAccessedPlainly {
      for other in 0..<threadCount where other != cpu && finding == nil { judgeWait(of: other) }
    }
    if finding == nil { judgeWait(of: cpu) }
  }

  private func judgeWait(of cpu: Int) {
    guard status(of: cpu) == Status.present else { return }
    let request = point(of: cpu).pointee.request
    switch request.kind {
    case .load where request.isAtomic, .compareExchange, .update: break
    default: return
    }
    guard request.isInLoop, mayWait(request),
      let (record, offset) = try? locate(request, request.size)
    else { return }
    let ordering = request.kind == .compareExchange ? request.failure : request.ordering
    var race: (cell: Int, word: Int)?
    layout.eachCell(record, offset, request.size) { cell in
      guard race == nil, layout.isShared(cell) else { return }
      race = plainAccess(
        unknownTo: cpu, cell, reads: request.kind == .update, acquires: ordering.acquires
      ).map { (cell, $0) }
    }
    guard let race, deadEnd(cpu) == .turn else { return }
    fail(
      Finding(
        .race,
        "a data race on \(name(of: request.address)): nothing orders this access and "
          + text(ofAccess: race.word, race.cell)),
      cpu, request.place)
  }
}

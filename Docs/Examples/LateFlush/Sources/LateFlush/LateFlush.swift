// Reclaim unmaps a page and puts off the flush; mprotect finds nothing to change, nor to flush.

import Gracewalk

public let models = Model.family(
  [
    .holds("mprotect-flushes-pending", "mprotect flushes what reclaim has put off", true),
    .broken(
      "mprotect-flushes-own", "mprotect flushes only what it has changed itself", false,
      omits: "flushing what reclaim has put off", violates: [OperationsDoNotThrow.id]),
  ],
  scenario: "A thread writes to a page and makes it read-only while reclaim unmaps the page.",
  parameters: [Parameter("threads", "threads of the process", 1...2, standard: 1)]
) { values, flushesPending in
  let scenario = Scenario(geometry: Geometry(levels: 1, entries: 2), format: .armStage1)
  let table = scenario.rootTable("mm")
  let pte = table.entry(0)
  let page = scenario.dataFrames(1)[0]
  let ptl = scenario.spinLock("ptl")
  let flushIsPending = scenario.variable("tlb_flush_batched", initial: false)
  let isReadOnly = scenario.variable("mprotect has returned", initial: false)
  scenario.boot { cpu in try cpu.store(pte, .page(0), .relaxed) }

  scenario.cpu("reclaim", runs: "unmap") { cpu in
    try cpu.lock(ptl)
    let old = try cpu.exchange(pte, .invalid, .relaxed)
    try cpu.store(flushIsPending, true, .relaxed)
    try cpu.unlock(ptl)
    try flush(cpu, table)
    if old.isValid { try cpu.handOver(page, to: .nobody) }
  }

  let mprotect = CPUOperation("mprotect") { cpu in
    try cpu.lock(ptl)
    if flushesPending, try cpu.load(flushIsPending, .relaxed) {
      try cpu.dsb()
      try cpu.tlbi(.all, of: table)
      try cpu.dsb()
    }
    let old = try cpu.load(pte, .relaxed)
    if old.isValid {
      try cpu.store(pte, old.readOnly, .relaxed)
      try flush(cpu, table)
    }
    try cpu.unlock(ptl)
    try cpu.store(isReadOnly, true, .release)
  }
  let write = CPUOperation("write") { cpu in
    let mustFault = try cpu.load(isReadOnly, .acquire)
    let access = try cpu.guestWrite(0)
    try cpu.assert(!mustFault || access != .done(frame: 0), "no write after mprotect")
  }
  scenario.cpu("thread", mmu: MMU(table), write, mprotect, write)
  if values["threads"] == 2 { scenario.cpu("thread 2", mmu: MMU(table), write, write) }

  scenario.require(InvariantCatalogue.tables + InvariantCatalogue.hardware)
  scenario.require(DonatedPageUnreachable())
  return scenario
}

func flush(_ cpu: VirtualCPU, _ table: TablePage) throws {
  try cpu.dsb()
  try cpu.tlbi(.address(0), of: table)
  try cpu.dsb()
}

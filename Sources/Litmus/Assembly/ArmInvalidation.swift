// TLBI: invalidations of what walks have cached, of one page or of all.

import GracewalkSupport

extension ArmInstruction {
  /// The kinds that name a page in a register, and those that are about all.
  private static let ofPage: Set<String> = ["VAE1", "VAAE1", "VALE1", "VAALE1"]
  private static let ofAll: Set<String> = ["VMALLE1", "ALLE1"]

  func emitInvalidation(_ process: inout AssemblyProcess) throws(LitmusError) {
    guard let first = places.first, case .word(let word) = first else {
      throw LitmusError(line, "'TLBI' takes the name of an operation")
    }
    let written = word.uppercased()
    let isShared = written.hasSuffix("IS") || written.hasSuffix("OS")
    let kind = isShared ? String(written.dropLast(2)) : written
    if Self.ofAll.contains(kind), places.count == 1 {
      return try process.emit(.invalidate(nil, isLocal: !isShared))
    }
    guard Self.ofPage.contains(kind), places.count == 2 else {
      throw LitmusError(line, "'TLBI \(word.excerpt(20))' is not supported")
    }
    switch places[1] {
    case .register(let register):
      try process.emit(.invalidate(.register(register), isLocal: !isShared))
    case .zero, .immediate, .memory, .word:
      throw LitmusError(line, "'TLBI' takes a register here")
    }
  }
}

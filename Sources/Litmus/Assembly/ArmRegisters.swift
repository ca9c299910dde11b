// Names of AArch64 registers, of both widths.

enum ArmRegisters {
  /// The register that a name is about; nil if it names none, or the one that is always zero.
  static func name(_ name: String) -> String? {
    let upper = name.uppercased()
    if upper == "LR" { return "R30" }
    guard let first = upper.first, "WXR".contains(first), let number = Int(upper.dropFirst()),
      (0...30).contains(number)
    else { return nil }
    return "R\(number)"
  }

  static func isZero(_ name: String) -> Bool { ["WZR", "XZR"].contains(name.uppercased()) }
}

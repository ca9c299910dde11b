// Names of x86 registers, of all widths.

enum X86Registers {
  /// The register of 64 bits that a name is about; nil if it names none.
  static func name(_ name: String) -> String? { names[name.lowercased()] }

  private static let names: [String: String] = {
    var names: [String: String] = ["rip": "RIP", "eip": "RIP"]
    for letter in "abcd" {
      let full = "R\(letter.uppercased())X"
      for name in ["r\(letter)x", "e\(letter)x", "\(letter)x", "\(letter)l"] { names[name] = full }
    }
    for pair in ["si", "di", "bp", "sp"] {
      let full = "R\(pair.uppercased())"
      for name in ["r\(pair)", "e\(pair)", pair, "\(pair)l"] { names[name] = full }
    }
    for number in 8...15 {
      for suffix in ["", "d", "w", "b"] { names["r\(number)\(suffix)"] = "R\(number)" }
    }
    return names
  }()
}

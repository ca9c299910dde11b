// Reads metadata that says from which source an instruction comes, and skips the rest.

/// Records about source places, by the numbers of their metadata.
struct IRDebugRecords {
  struct Location {
    var line = 0
    var column = 0
    var scope = -1
    var inlinedAt = -1
  }

  struct Scope {
    var parent = -1
    var file = -1
    /// The name of a function; nil for a block in one.
    var function: String?
  }

  var locations: [Int: Location] = [:]
  var scopes: [Int: Scope] = [:]
  var files: [Int: String] = [:]
  var subprogramOfFunction: Int?
  private var numbers: [Int: Int] = [:]

  init() {}

  /// Gives places numbers.
  mutating func resolve(into module: IRModule) {
    for record in locations.keys.sorted() {
      numbers[record] = module.places.count
      module.places.append(
        IRPlace(file: "", line: 0, column: 0, function: "", caller: -1))
    }
    for (record, number) in numbers {
      guard let location = locations[record] else { continue }
      let (file, function) = names(ofScope: location.scope)
      // A place that was inlined into itself would be a cycle.
      let caller =
        location.inlinedAt < record || location.inlinedAt > record
        ? numbers[location.inlinedAt] ?? -1 : -1
      module.places[number] = IRPlace(
        file: file.hasPrefix("./") ? String(file.dropFirst(2)) : file, line: location.line,
        column: location.column, function: function,
        caller: caller)
    }
  }

  private func names(ofScope first: Int) -> (file: String, function: String) {
    var file: String?
    var scope = first
    for _ in 0..<64 {
      guard let record = scopes[scope] else { break }
      if file == nil { file = files[record.file] }
      if let function = record.function { return (file ?? "", function) }
      scope = record.parent
    }
    return (file ?? "", "")
  }

  /// The number of the place that an instruction's record says; -1 if there is none.
  func place(of record: Int) -> Int { numbers[record] ?? -1 }
}

extension IRReader {
  /// Reads `!5 = !DILocation(line: 3, scope: !4)`, and skips other metadata.
  func readMetadata() throws(IRError) {
    let number = Int(text)
    advance()
    try expect("=")
    _ = accept("distinct")
    guard let number, token.kind == .metadata else { return skipLine() }
    switch text {
    case "DILocation":
      var location = IRDebugRecords.Location()
      eachField { name, value in
        switch name {
        case "line": location.line = Int(value) ?? 0
        case "column": location.column = Int(value) ?? 0
        case "scope": location.scope = Int(value) ?? -1
        case "inlinedAt": location.inlinedAt = Int(value) ?? -1
        default: break
        }
      }
      debug.locations[number] = location
    case "DISubprogram", "DILexicalBlock", "DILexicalBlockFile":
      var scope = IRDebugRecords.Scope()
      let isFunction = text == "DISubprogram"
      eachField { name, value in
        switch name {
        case "name": if isFunction { scope.function = String(value) }
        case "file": scope.file = Int(value) ?? -1
        case "scope": scope.parent = Int(value) ?? -1
        default: break
        }
      }
      if isFunction, scope.function == nil { scope.function = "" }
      debug.scopes[number] = scope
    case "DIFile":
      eachField { name, value in
        if name == "filename" { debug.files[number] = String(value) }
      }
    default: skipLine()
    }
  }

  /// Calls `body` with the fields of a record, and goes to the next line.
  private func eachField(_ body: (Substring, Substring) -> Void) {
    advance()
    var name: Substring = ""
    while !token.startsLine, token.kind != .end {
      if token.kind == .word || token.kind == .label {
        let word = text
        advance()
        if isAt(":") { name = word } else { body(name, word) }
      } else {
        if token.kind == .metadata || token.kind == .number || token.kind == .string {
          body(name, text)
        }
      }
      if token.kind == .end || token.startsLine { return }
      advance()
    }
  }
}

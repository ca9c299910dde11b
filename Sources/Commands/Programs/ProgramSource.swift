// What a check of C programs is of: the files and how they are compiled, or a program by name.

import Foundation
import GracewalkChecking
import GracewalkCompiled
import GracewalkExploration
import GracewalkLLVM
import GracewalkMachine
import GracewalkSupport
import GracewalkTraces

/// C files, or a program of the catalogue, and how it is compiled and run.
struct ProgramSource {
  static let endings = [".c", ".ll"]

  /// Options that say how a program is linked and run; a trace keeps them.
  static let options = [
    Option(name: "entry", value: "FUNCTION", help: "of C: the function that runs (main)"),
    Option(
      name: "stub", value: "NAME=VALUE", help: "of C: calls of NAME return VALUE and do nothing",
      isRepeatable: true),
    Option(
      name: "unroll", value: "N",
      help: "of C: end a thread at the N-th turn of a loop; the verdict is about the rest"),
    Option(name: "no-races", help: "of C: do not look for data races"),
    Option(name: "leaks", help: "of C: look for memory that is never freed"),
  ]

  let library: ProgramLibrary
  /// The program of the catalogue; nil for files.
  let model: ProgramModel?
  let files: [String]
  var flags: [String]
  var link = LinkOptions()
  var options = ProgramOptions()

  /// What reports call it.
  var name: String { model?.name ?? files.joined(separator: " ") }

  /// True if an operand is a C program.
  static func isAsked(_ arguments: Arguments) -> Bool {
    arguments.operands.prefix(arguments.operandsBeforeEnd).contains { operand in
      endings.contains { operand.hasSuffix($0) }
        || isNamed(operand, arguments.source) || other(operand) != nil
    }
  }

  /// True for the name of a program of the catalogue.
  ///
  /// A model of the same name comes first; then the program is `NAME.c`.
  private static func isNamed(_ name: String, _ source: ModelSource) -> Bool {
    source.programs.model(named: name) != nil && !source.programs.shadowed.contains(name)
  }

  /// What a file is that looks like a program and cannot be checked; nil if it does not.
  private static func other(_ file: String) -> String? {
    let parts = file.split(separator: ".")
    guard parts.count > 1, let ending = parts.last, !file.hasSuffix("/") else { return nil }
    switch ending {
    case "cc", "cpp", "cxx", "C", "hpp": return "C++, which is not supported"
    case "h": return "a header"
    case "o", "a", "so": return "machine code"
    case "bc": return "LLVM IR as bits: llvm-dis makes it text"
    case "s", "S": return "assembly"
    default: return nil
    }
  }

  /// - Parameter file: a file of the folder that the operand is.
  init(_ arguments: Arguments, of file: String? = nil) throws(UsageError) {
    let operands =
      file.map { [$0] } ?? Array(arguments.operands.prefix(arguments.operandsBeforeEnd))
    let flags = Array(arguments.operands.dropFirst(arguments.operandsBeforeEnd))
    try self.init(operands, flags, arguments.source.programs)
    if let entry = arguments.value("entry") { options.entry = entry }
    for text in arguments.all("stub") {
      let sides = text.split(separator: "=", omittingEmptySubsequences: false)
      guard sides.count == 2, !sides[0].isEmpty, let value = Self.number(sides[1]) else {
        throw UsageError("--stub needs NAME=VALUE with a whole number, not '\(text)'")
      }
      guard link.stubs.updateValue(value, forKey: String(sides[0])) == nil else {
        throw UsageError("--stub gives \(sides[0]) twice")
      }
    }
    options.memoryModel = try SharedOptions.memory(arguments) ?? .standard
    options.unroll = try arguments.count("unroll", upTo: 1_000_000) ?? 0
    options.findsRaces = !arguments.has("no-races")
    options.findsLeaks = arguments.has("leaks")
    if let text = arguments.value("without") {
      guard let step = CodeStep(text: text) else {
        throw UsageError(
          "--without needs a step such as queue.c:31/relaxed, not '\(text)'; "
            + "\(RunningProgram.name) ablate \(name) names them")
      }
      link.without = step
    }
  }

  private static func number(_ text: Substring) -> UInt64? {
    if text.hasPrefix("0x") { return UInt64(text.dropFirst(2), radix: 16) }
    return Int64(text).map { UInt64(bitPattern: $0) } ?? UInt64(text)
  }

  /// - Parameter operands: files, or the name of one program of the catalogue.
  init(
    _ operands: [String], _ flags: [String], _ library: ProgramLibrary
  ) throws(UsageError) {
    self.library = library
    self.flags = flags
    let models = operands.compactMap { operand in
      library.model(named: operand)
        ?? (FileManager.default.fileExists(atPath: operand) ? nil : library.model(ofFile: operand))
    }
    model = models.first
    files = models.isEmpty ? operands : []
    guard models.isEmpty || operands.count == 1 else {
      throw UsageError("'\(models[0].name)' is a program by itself; check it alone")
    }
    for file in files {
      if let what = Self.other(file) { throw UsageError("'\(file)' is \(what): give *.c or *.ll") }
      guard Self.endings.contains(where: { file.hasSuffix($0) }) else {
        throw UsageError("'\(file)' is neither a file *.c nor a file *.ll")
      }
    }
    for flag in flags where Self.isRefused(flag) {
      throw UsageError(
        "the flag \(flag) changes what clang writes, and \(RunningProgram.name) needs LLVM IR: "
          + "leave it out")
    }
  }

  private static func isRefused(_ flag: String) -> Bool {
    if flag.hasPrefix("-o"), !flag.hasPrefix("-obj") { return true }
    return [
      "-c", "-E", "-S", "-M", "-MM", "-fsyntax-only", "--analyze", "-emit-ast", "-###", "--version",
      "--help", "-flto", "-g0", "-shared", "-save-temps",
    ].contains(flag)
  }

  // MARK: Compiling

  /// Larger files are refused.
  private static let bytesMax = 256 << 20

  func compile(_ compiler: Compiler? = nil) throws -> CompiledProgram {
    let folder = try TemporaryFolder()
    var compiler = compiler
    func clang() throws(UsageError) -> Compiler {
      if let compiler { return compiler }
      let found = try Compiler.find()
      compiler = found
      return found
    }
    try folder.write(GracewalkHeader.text, to: GracewalkHeader.name)
    // Names of places do not depend on the folder.
    let flags =
      flags + [
        "-idirafter", folder.path, "-ffile-prefix-map=\(folder.path)/=", "-D__GRACEWALK__",
      ]
    var program = CompiledProgram(source: self)
    if let model {
      for file in library.files { try folder.write(file.text, to: file.name) }
      let code = try clang().compile(model.file, flags, in: folder.path)
      // Any other file may be included.
      try program.add(code, library.files.map(\.text))
      return program
    }
    for file in files {
      let data = try Self.contents(of: file)
      if file.hasSuffix(".ll") {
        let code = Compiler.Output(module: try IRReader.read(Array(data), file: file), text: data)
        try program.add(code, [])
      } else {
        try program.add(try clang().compile(file, flags), [String(decoding: data, as: UTF8.self)])
      }
    }
    return program
  }

  private static func contents(of file: String) throws(UsageError) -> Data {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: file, isDirectory: &isFolder) else {
      throw UsageError("there is no file '\(file)'")
    }
    if isFolder.boolValue { throw UsageError("'\(file)' is a folder, not a file") }
    let size = (try? FileManager.default.attributesOfItem(atPath: file))?[.size] as? Int ?? 0
    guard size <= bytesMax else {
      throw UsageError("'\(file)' has more than \(bytesMax >> 20) MiB, too much to check")
    }
    guard let data = FileManager.default.contents(atPath: file) else {
      throw UsageError("cannot read '\(file)'")
    }
    return data
  }

  // MARK: Running it again

  /// The words of a command that names the same program: before and after `--`.
  var words: (arguments: [String], flags: [String]) {
    var words = model.map { [library.shadowed.contains($0.name) ? $0.file : $0.name] } ?? files
    if options.memoryModel != .standard { words += ["--memory", options.memoryModel.rawValue] }
    if options.entry != "main" { words += ["--entry", options.entry] }
    for name in link.stubs.keys.sorted() {
      words += ["--stub", "\(name)=\(Int64(bitPattern: link.stubs[name] ?? 0))"]
    }
    if options.unroll > 0 { words += ["--unroll", "\(options.unroll)"] }
    if !options.findsRaces { words.append("--no-races") }
    if options.findsLeaks { words.append("--leaks") }
    if let step = link.without { words += ["--without", step.text] }
    return (words, flags)
  }

  /// A line of the source; nil if it cannot be read.
  func lines(of file: String) -> [String]? {
    if file == GracewalkHeader.name { return GracewalkHeader.text.components(separatedBy: "\n") }
    if model != nil {
      return library.text(of: file)?.components(separatedBy: "\n")
    }
    guard let data = FileManager.default.contents(atPath: file), data.count < 4 << 20 else {
      return nil
    }
    return String(decoding: data, as: UTF8.self).components(separatedBy: "\n")
  }
}

/// A program as clang has compiled it.
struct CompiledProgram {
  var source: ProgramSource
  private(set) var modules: [IRModule] = []
  /// What the modules were read from.
  private(set) var code: [Data] = []
  /// A hash of the texts of the files.
  private(set) var sourceHash: UInt64 = StableHash.of("")
  /// A hash of the code, without what says where it comes from.
  private(set) var codeHash: UInt64 = StableHash.of("")

  init(source: ProgramSource) { self.source = source }

  mutating func add(_ code: Compiler.Output, _ texts: [String]) throws {
    modules.append(code.module)
    self.code.append(code.text)
    for text in texts { sourceHash = StableHash.extend(sourceHash, with: StableHash.of(text)) }
    codeHash = StableHash.extend(codeHash, with: Self.hash(of: code.text))
    if texts.isEmpty { sourceHash = StableHash.extend(sourceHash, with: codeHash) }
  }

  /// What a saved search of it depends on.
  func facts(_ options: CheckOptions) -> [(key: String, value: String)] {
    let words = source.words
    return [
      ("options", words.arguments.dropFirst(max(source.files.count, 1)).joined(separator: " ")),
      ("flags", words.flags.joined(separator: " ")),
      ("search", options.strategy.rawValue), ("depth", "\(options.limits.depth)"),
      ("seed", "\(options.seed)"),
      ("its text hash", String(sourceHash, radix: 16)),
      ("its code (what it includes, or clang) hash", String(codeHash, radix: 16)),
    ]
  }

  func link() throws -> GracewalkCompiled.Program {
    let program = try GracewalkCompiled.Program(modules, source.options, source.link)
    if let problem = program.image.statements.problem {
      throw UsageError("\(source.name): \(problem)")
    }
    return program
  }

  /// Lines of metadata, and references to them, are left out.
  private static func hash(of text: Data) -> UInt64 {
    var hash = StableHash.of("")
    for line in text.split(separator: UInt8(ascii: "\n")) {
      guard let first = line.first(where: { $0 != UInt8(ascii: " ") }) else { continue }
      if first == UInt8(ascii: "!") || first == UInt8(ascii: ";") || first == UInt8(ascii: "#") {
        continue
      }
      if line.starts(with: "source_filename".utf8) { continue }
      var previous: UInt8 = 0
      for byte in line {
        if byte == UInt8(ascii: "!"), previous == UInt8(ascii: " ") { break }
        hash = StableHash.extend(hash, with: UInt64(byte))
        previous = byte
      }
    }
    return hash
  }
}

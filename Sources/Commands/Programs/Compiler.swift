// The C compiler: which clang is used, and C files turned into LLVM IR.

import Foundation
import GracewalkLLVM
import GracewalkReporting
import GracewalkSupport

/// A clang that writes LLVM IR as text.
package struct Compiler {
  package let path: String

  /// What C programs are compiled with before the flags that are given.
  ///
  /// The code is not optimised, since optimising removes races and changes loops; but it is
  /// compiled as code that will be, so that marks for optimisers are there.
  package static let flags = [
    "-O1", "-Xclang", "-disable-llvm-passes", "-g", "-S", "-emit-llvm",
  ]

  /// The oldest version whose IR is read: the first with opaque pointers everywhere.
  private static let oldest = 15

  /// The compiler for the programs of a catalogue; nil, and a line that says so, if there is none.
  ///
  /// - Parameter undone: what is then left out, as in "12 C programs not checked".
  static func find(forAll library: ProgramLibrary, orSay undone: String) -> Compiler? {
    do throws(UsageError) {
      return try find()
    } catch {
      Terminal.writeError(
        "\(RunningProgram.name): \(counted(library.models.count, "C program")) \(undone): "
          + "\(error.message)\n")
      return nil
    }
  }

  /// The clang of `CC`, of the Swift toolchain, or of `PATH`.
  package static func find() throws(UsageError) -> Compiler {
    let environment = ProcessInfo.processInfo.environment
    let folders = (environment["PATH"] ?? "").split(separator: ":").map(String.init)
    var candidates: [String] = []
    if let given = environment["CC"], !given.isEmpty {
      candidates += given.contains("/") ? [given] : folders.map { "\($0)/\(given)" }
    }
    for folder in folders where isProgram("\(folder)/swift") {
      candidates.append("\(folder)/clang")
    }
    candidates += folders.map { "\($0)/clang" }
    for path in candidates where isProgram(path) {
      guard let version = version(of: path) else { continue }
      guard version >= oldest else {
        throw UsageError(
          "\(path) is clang \(version), and clang \(oldest) or newer is needed: set CC to one")
      }
      return Compiler(path: path)
    }
    throw UsageError(
      "checking C needs clang, and there is none: the Swift toolchain has one (add its folder to "
        + "PATH), or install the package clang, or set CC")
  }

  private static func isProgram(_ path: String) -> Bool {
    FileManager.default.isExecutableFile(atPath: path)
  }

  /// The major version; nil if it is no clang.
  private static func version(of path: String) -> Int? {
    guard let result = try? Subprocess.run(path, ["--version"]), result.status == 0,
      let range = result.output.range(of: "clang version ")
    else { return nil }
    return Int(result.output[range.upperBound...].prefix { $0.isNumber })
  }

  /// A file that was compiled.
  package struct Output {
    package var module: IRModule
    /// What clang wrote.
    package var text: Data
  }

  /// Compiles a file; throws what clang says if it has an error.
  package func compile(
    _ file: String, _ flags: [String], in folder: String? = nil
  ) throws -> Output {
    let target = FileManager.default.temporaryDirectory
      .appendingPathComponent("gracewalk-\(ProcessInfo.processInfo.globallyUniqueString).ll").path
    defer { try? FileManager.default.removeItem(atPath: target) }
    let result = try Subprocess.run(path, Self.flags + flags + [file, "-o", target], in: folder)
    if result.status != 0 { throw CompilerError(messages: result.errors) }
    guard let data = FileManager.default.contents(atPath: target) else {
      throw UsageError("clang wrote nothing for '\(file)'")
    }
    return Output(module: try IRReader.read(Array(data), file: file), text: data)
  }
}

extension Compiler {
  /// Compiles a text, for tests of the checker itself.
  package func module(of text: String) throws -> IRModule {
    let file = FileManager.default.temporaryDirectory
      .appendingPathComponent("gracewalk-\(ProcessInfo.processInfo.globallyUniqueString).c").path
    defer { try? FileManager.default.removeItem(atPath: file) }
    try Data(text.utf8).write(to: URL(fileURLWithPath: file))
    return try compile(file, ["-w"]).module
  }
}

/// What clang says of a file with an error.
package struct CompilerError: Error {
  package var messages: String
}

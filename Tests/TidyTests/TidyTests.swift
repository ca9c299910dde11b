// Rules about the source itself: rooms, sizes, and what the engine must not use.

import Foundation
import Testing

@Suite struct TidyTests {
  struct File {
    var path: String
    var lines: [Substring]
  }

  private static func files(in folders: String...) -> [File] {
    folders.flatMap { folder -> [File] in
      Repository.files(in: folder, withExtension: "swift").compactMap { name in
        guard let text = try? Repository.text("\(folder)/\(name)") else { return nil }
        return File(
          path: "\(folder)/\(name)",
          lines: text.split(separator: "\n", omittingEmptySubsequences: false))
      }
    }
  }

  /// Rooms, lowest first, and the rooms that each may import; modules have a prefix.
  private static let rooms: [(name: String, imports: Set<String>)] = [
    ("Support", []), ("Fibers", ["CFiber", "CTraps"]), ("LLVM", ["Support"]),
    ("Exploration", ["Support"]), ("Machine", ["Exploration", "Fibers", "CFiber", "Support"]),
    ("Compiled", ["LLVM", "Machine", "Exploration", "Support"]),
    ("Invariants", ["Machine", "Support"]),
    ("Traces", ["Machine", "Exploration", "Support"]),
    ("Checking", ["Traces", "Invariants", "Machine", "Exploration", "Support"]),
    ("Litmus", ["Checking", "Machine", "Exploration", "Support"]),
    ("Cluster", ["Checking", "Exploration", "Support"]),
    (
      "Reporting",
      ["Litmus", "Checking", "Traces", "Invariants", "Machine", "Exploration", "Support"]
    ),
    (
      "Commands",
      [
        "Cluster", "Reporting", "Litmus", "Compiled", "LLVM", "Checking", "Traces", "Invariants",
        "Machine",
        "Exploration", "Support",
      ]
    ),
    (
      "Fuzzing",
      [
        "Litmus", "Compiled", "LLVM", "Checking", "Traces", "Invariants", "Machine", "Exploration",
        "Support",
      ]
    ),
    (
      "Gracewalk",
      [
        "Commands", "Reporting", "Checking", "Traces", "Invariants", "Machine", "Exploration",
        "Support",
      ]
    ),
    ("GracewalkCatalogue", ["Models"]),
    (
      "GracewalkCommand",
      [
        "Gracewalk", "Models", "Fuzzing", "Commands", "Cluster", "Reporting", "Checking",
        "Traces", "Exploration", "Support",
      ]
    ),
  ]

  /// The module of a room's folder.
  private static func module(ofRoom room: String) -> String {
    if room.hasPrefix("Gracewalk") { return room }
    return room.hasPrefix("C") && room.dropFirst().first?.isUppercase == true
      ? "CGracewalk\(room.dropFirst())" : "Gracewalk\(room)"
  }

  private static let systemModules: Set<String> = [
    "Foundation", "Dispatch", "Synchronization", "Glibc", "Darwin", "Musl",
  ]

  @Test func importsPointDown() {
    for room in Self.rooms {
      let allowed = Set(room.imports.map(Self.module(ofRoom:)))
      for file in Self.files(in: "Sources/\(room.name)") {
        // Indented lines are text of a generated file.
        for line in file.lines
        where line.contains("import ") && !line.contains("//") && !line.hasPrefix(" ") {
          let words = line.split(separator: " ")
          guard let at = words.firstIndex(of: "import"), at + 1 < words.count else { continue }
          let module = String(words[at + 1])
          let isAllowed = allowed.contains(module) || Self.systemModules.contains(module)
          #expect(isAllowed, "\(file.path) imports \(module)")
        }
      }
    }
  }

  @Test func modelsUseOnlyTheFacade() {
    for file in Self.files(in: "models") {
      for line in file.lines where line.hasPrefix("import ") {
        #expect(line == "import Gracewalk", "\(file.path): \(line)")
      }
    }
  }

  /// A larger folder cannot be grasped at a glance.
  @Test func roomsAreSmall() {
    var counts: [String: Int] = [:]
    for file in Self.files(in: "Sources", "models", "Tests") {
      let folder = file.path.split(separator: "/").dropLast().joined(separator: "/")
      counts[folder, default: 0] += 1
    }
    #expect(counts.count > 30)
    for (folder, count) in counts.sorted(by: { $0.key < $1.key }) {
      #expect(count <= 15, "\(folder) holds \(count) files")
    }
  }

  /// Tests are in the folder of the file that they test.
  @Test func testsMirrorRooms() {
    let elsewhere: Set = ["ExplorationTests/Fuzzing", "ModelTests/Catalogue", "ModelTests/Misuse"]
    for file in Self.files(in: "Tests") {
      let folders = file.path.split(separator: "/").dropFirst().dropLast().map(String.init)
      guard folders.count == 2, folders[0].hasSuffix("Tests") else { continue }
      if elsewhere.contains(folders.joined(separator: "/")) { continue }
      let room = folders[0] == "ModelTests" ? "" : "\(folders[0].dropLast("Tests".count))/"
      let path = Repository.root.appendingPathComponent("Sources/\(room)\(folders[1])").path
      #expect(FileManager.default.fileExists(atPath: path), "\(file.path) is about no room")
    }
  }

  /// Tests that quick runs skip have a tag that says why.
  @Test func skippedTestsHaveATag() {
    var count = 0
    for file in Self.files(in: "Tests/ExplorationTests", "Tests/MachineTests", "Tests/ModelTests") {
      for (number, line) in file.lines.enumerated() where line.contains(".unlessQuick") {
        count += 1
        #expect(line.contains(".tags("), "\(file.path):\(number + 1) has no tag")
      }
    }
    #expect(count > 20)
  }

  @Test func linesAndFilesAreShort() {
    for file in Self.files(in: "Sources", "models", "Tests") {
      let limit = file.path.hasPrefix("Tests") ? 600 : 500
      #expect(file.lines.count <= limit, "\(file.path) has \(file.lines.count) lines")
      for (number, line) in file.lines.enumerated() where line.count > 100 {
        Issue.record("\(file.path):\(number + 1) has \(line.count) columns")
      }
    }
  }

  /// A function ends at the first closing brace with the indentation of its first line.
  @Test func functionsAreShort() {
    for file in Self.files(in: "Sources", "models") {
      for (start, line) in file.lines.enumerated() {
        let code = line.drop { $0 == " " }
        let indent = String(line.prefix { $0 == " " })
        guard code.contains("func ") || code.contains("init("), !code.hasPrefix("//"),
          !code.hasPrefix("self.init("), !code.hasSuffix("}")
        else {
          continue
        }
        guard let end = file.lines[(start + 1)...].firstIndex(where: { $0 == "\(indent)}" }) else {
          continue
        }
        #expect(end - start <= 70, "\(file.path):\(start + 1) has \(end - start) lines")
      }
    }
  }

  /// A switch over kinds of actions names all of them, so that a new kind cannot be forgotten.
  @Test func kindsOfActionsAreNamed() {
    let families: Set = [
      "access", "lock", "grace", "callback", "page", "slab", "context", "boundary", "hardware",
    ]
    var switches = 0
    for file in Self.files(in: "Sources/Machine") {
      for (start, line) in file.lines.enumerated() {
        let words = line.split(separator: " ")
        guard words.count == 3, words[0] == "switch",
          words[1].hasSuffix("action.kind") || families.contains(String(words[1]))
        else { continue }
        switches += 1
        let indent = String(line.prefix { $0 == " " })
        let body = file.lines[(start + 1)...].prefix { $0 != "\(indent)}" }
        let answersForAll = body.contains { $0.hasPrefix("\(indent)default") }
        #expect(!answersForAll, "\(file.path):\(start + 1) has a default")
      }
    }
    #expect(switches >= 35)
  }

  /// The meaning of an action's operands depends on its kind, so code uses only their names.
  @Test func operandsHaveNames() {
    for file in Self.files(in: "Sources/Machine") {
      for (index, line) in file.lines.enumerated() {
        let isRead = line.contains(#/\w\.(a|b|flag)\b(?!\()/#)
        #expect(!isRead, "\(file.path):\(index + 1) reads an operand that has a name")
      }
    }
  }

  @Test func filesBeginWithASentence() {
    for file in Self.files(in: "Sources", "models", "Tests") {
      #expect(file.lines.first?.hasPrefix("//") == true, "\(file.path) begins without a comment")
    }
  }

  /// Results must not depend on a seed or on the time, and the engine must not print.
  @Test func engineIsDeterministic() {
    let banned = ["Hasher(", "Int.random(", "Bool.random(", "Date(", "print(", "UUID("]
    let engine = Self.files(
      in: "Sources/Support", "Sources/Fibers", "Sources/Exploration", "Sources/Machine",
      "Sources/Invariants", "Sources/Traces", "Sources/Checking", "Sources/Fuzzing", "models")
    for file in engine {
      for (number, line) in file.lines.enumerated() {
        for word in banned where line.contains(" \(word)") || line.contains("(\(word)") {
          Issue.record("\(file.path):\(number + 1) uses \(word)")
        }
      }
    }
  }
}

// The files of a package that init writes: short enough to read before changing them.

/// A package with a model, its broken sibling, a test and a program.
struct NewPackage {
  /// The package dependency on Gracewalk.
  struct Dependency {
    /// The line of the manifest.
    let line: String
    /// The package name used in product references.
    let identity: String
    let place: String

    init(path: String) {
      line = ".package(name: \"gracewalk\", path: \(path.swiftLiteral))"
      identity = "gracewalk"
      place = path
    }

    init(url: String) {
      line = ".package(url: \(url.swiftLiteral), branch: \"main\")"
      let last = url.split(whereSeparator: { $0 == "/" || $0 == ":" }).last.map(String.init) ?? url
      identity = last.hasSuffix(".git") ? String(last.dropLast(4)) : last
      place = "\(url), branch main"
    }
  }

  let name: String
  let dependency: Dependency

  /// The module of the models; not the executable's own module, which tests cannot import on every
  /// platform.
  private var module: String {
    let words = name.split { $0 == "-" || $0 == "_" }
    return words.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined() + "Models"
  }

  var files: [(path: String, text: String)] {
    [
      ("Package.swift", manifest), ("README.md", readme), (".gitignore", ".build/\n"),
      ("Sources/\(module)/Install.swift", model), ("Sources/\(name)/Main.swift", program),
      ("Tests/\(module)Tests/InstallTests.swift", tests),
    ]
  }

  func epilogue(_ path: String) -> String {
    """

    Gracewalk comes from \(dependency.place): Package.swift says so. Now:

      cd \(path)
      swift run -c release \(name) check
      swift run -c release \(name) check install-by-store --html race.html
      swift test -c release
    """
  }

  private var manifest: String {
    """
    // swift-tools-version: 6.2
    import PackageDescription

    let gracewalk = Target.Dependency.product(
      name: "Gracewalk", package: \(dependency.identity.swiftLiteral))

    let package = Package(
      name: "\(name)",
      platforms: [.macOS(.v15)],
      dependencies: [
        \(dependency.line)
      ],
      targets: [
        .target(name: "\(module)", dependencies: [gracewalk]),
        .executableTarget(name: "\(name)", dependencies: ["\(module)", gracewalk]),
        .testTarget(name: "\(module)Tests", dependencies: ["\(module)", gracewalk]),
      ]
    )

    """
  }

  private var program: String {
    """
    // The program: check, replay, ablate and all other commands for the models of this package.

    import Gracewalk
    import \(module)

    @main struct Checks {
      static func main() { Gracewalk.run(models: Install.models) }
    }

    """
  }

  private var tests: String {
    """
    // Each model has the verdict it declares; a failure shows the trace, and how to replay it.

    import Gracewalk
    import \(module)
    import Testing

    @Test(arguments: Install.models.map(\\.name))
    func verdict(_ name: String) throws {
      try #require(Install.models.model(named: name)).verify()
    }

    """
  }

  private var model: String {
    """
    // Two CPUs find an entry empty, and each installs a table: the second one must notice.

    import Gracewalk

    public enum Install {
      public static let models = Model.family(
        [
          .holds("install-by-exchange", "the entry is filled by a compare-exchange", true),
          .broken(
            "install-by-store", "the entry is filled by a store", false,
            omits: "looking whether the entry is still empty", violates: [NoLeakedTablePage.id]),
        ],
        scenario: "Two CPUs fault below the same empty entry."
      ) { _, byExchange in
        let scenario = Scenario(geometry: Geometry(levels: 2, entries: 2))
        let root = scenario.rootTable()
        scenario.cpus(
          ["vcpu 0", "vcpu 1"],
          CPUOperation("fault") { cpu in
            // `try` marks each point at which the other CPU may run.
            let slot = root.entry(0)
            guard try cpu.load(slot, .relaxed) == .invalid,
              let table = try cpu.allocateTable()
            else { return }
            guard byExchange else { return try cpu.store(slot, .table(table), .release) }
            let install = try cpu.compareExchange(
              slot, expected: .invalid, desired: .table(table), .release)
            if !install.exchanged { try cpu.free(table) }
          })
        scenario.require([
          NoLeakedTablePage(), NoUseAfterFree(), NoDoubleFree(), NoTableLinkedTwice(),
        ])
        return scenario
      }
    }

    """
  }

  private var readme: String {
    """
    # \(name)

    Models of lockless page-table code, checked by [Gracewalk](\(dependency.place)).

        swift run -c release \(name) check                     # every model against its verdict
        swift run -c release \(name) check install-by-store    # one model, with its race
        swift run -c release \(name) check install-by-store --html race.html
        swift run -c release \(name) ablate install-by-exchange
        swift test -c release

    `Sources/\(module)/Install.swift` is the model and its sibling that leaves a step out. Write
    your own next to it and add it to `models`.
    `swift run -c release \(name) --help` names all commands.

    In Gracewalk's sources, `Docs/Tutorial.md` goes from a question on a mailing list to its answer,
    and `Docs/Models.md` lists what a model can use.

    """
  }
}

extension String {
  /// The string as Swift source has it.
  fileprivate var swiftLiteral: String {
    "\"" + replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
  }
}

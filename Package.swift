// swift-tools-version: 6.2
// Rooms, lowest first; each may import only rooms above it in this list. Modules have a prefix, so
// that a package that depends on this one may have its own Machine module; folders do not.
import PackageDescription

/// `CHECKS_INVARIANTS=1 swift test -c release --scratch-path .build/checked`: assertions, and the
/// invariants of data structures (`mustHold`), in code that is optimised all the same.
let checks: [SwiftSetting] =
  Context.environment["CHECKS_INVARIANTS"] == "1"
  ? [.define("CHECKS_INVARIANTS"), .unsafeFlags(["-assert-config", "Debug"])] : []

/// In that build one suite of ModelTests runs, for which optimising them all takes too long.
let modelTestChecks: [SwiftSetting] = checks.isEmpty ? [] : [.unsafeFlags(["-Onone"])]

let settings: [SwiftSetting] =
  [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
  ] + checks

func modules(_ rooms: [String]) -> [Target.Dependency] {
  rooms.map { .init(stringLiteral: "Gracewalk\($0)") }
}

/// The module `GracewalkX`, from the folder `Sources/X`.
func room(
  _ name: String, on rooms: String..., c modulesOfC: [Target.Dependency] = [],
  embeds files: [Resource] = []
) -> Target {
  .target(
    name: "Gracewalk\(name)", dependencies: modules(rooms) + modulesOfC, path: "Sources/\(name)",
    resources: files, swiftSettings: settings)
}

let package = Package(
  name: "gracewalk",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "Gracewalk", targets: ["Gracewalk"]),
    .library(name: "GracewalkCatalogue", targets: ["GracewalkCatalogue"]),
    .executable(name: "gracewalk", targets: ["GracewalkCommand"]),
  ],
  targets: [
    .target(name: "CGracewalkFiber", path: "Sources/CFiber"),
    .target(name: "CGracewalkTraps", path: "Sources/CTraps"),
    room("Support"),
    room("Fibers", c: ["CGracewalkFiber", "CGracewalkTraps"]),
    room("LLVM", on: "Support"),
    room("Exploration", on: "Support"),
    room("Machine", on: "Exploration", "Fibers", "Support", c: ["CGracewalkFiber"]),
    room("Compiled", on: "LLVM", "Machine", "Exploration", "Support"),
    room("Invariants", on: "Machine", "Support"),
    room("Traces", on: "Machine", "Exploration", "Support"),
    room("Checking", on: "Traces", "Invariants", "Machine", "Exploration", "Support"),
    room("Litmus", on: "Checking", "Machine", "Exploration", "Support"),
    room("Cluster", on: "Checking", "Exploration", "Support"),
    room(
      "Reporting", on: "Litmus", "Checking", "Traces", "Invariants", "Machine", "Exploration",
      "Support"),
    room(
      "Commands", on: "Cluster", "Reporting", "Litmus", "Compiled", "LLVM", "Checking", "Traces",
      "Invariants", "Machine", "Exploration", "Support",
      embeds: [.embedInCode("Programs/gracewalk.h")]),
    room(
      "Fuzzing", on: "Litmus", "Compiled", "LLVM", "Checking", "Traces", "Invariants", "Machine",
      "Exploration", "Support"),
    .target(
      name: "Gracewalk", dependencies: modules(["Commands", "Reporting", "Checking", "Support"]),
      swiftSettings: settings),
    .target(
      name: "GracewalkModels", dependencies: ["Gracewalk"], path: "models",
      resources: [.embedInCode("C")],
      swiftSettings: settings),
    .target(name: "GracewalkCatalogue", dependencies: ["GracewalkModels"], swiftSettings: settings),
    .executableTarget(
      name: "GracewalkCommand",
      dependencies: modules([
        "Models", "Fuzzing", "Commands", "Cluster", "Reporting", "Checking", "Traces",
        "Exploration", "Support",
      ]) + ["Gracewalk"],
      swiftSettings: settings),
    .target(name: "CAllocationCounter", path: "Tests/CAllocationCounter"),
    .target(
      name: "TestSupport",
      dependencies: modules(["Fuzzing", "Exploration", "Support"])
        + ["Gracewalk", "CAllocationCounter"],
      path: "Tests/TestSupport", swiftSettings: settings),
    .target(
      name: "TestExpectations", path: "Tests/TestExpectations", swiftSettings: settings),
    .testTarget(
      name: "LLVMTests", dependencies: modules(["LLVM", "Support"]), swiftSettings: settings),
    .testTarget(
      name: "CompiledTests",
      dependencies: modules([
        "Fuzzing", "Compiled", "LLVM", "Checking", "Machine", "Exploration", "Support",
      ]) + ["TestSupport"], swiftSettings: settings),
    .testTarget(name: "SupportTests", dependencies: modules(["Support"]), swiftSettings: settings),
    .testTarget(
      name: "FibersTests", dependencies: modules(["Fibers"]) + ["TestSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "ExplorationTests",
      dependencies: modules([
        "Exploration", "Machine", "Models", "Checking", "Fuzzing", "Support",
      ]) + ["TestSupport", "TestExpectations"],
      exclude: ["Searches/Counts", "Fuzzing/Counts"], swiftSettings: settings),
    .testTarget(
      name: "MachineTests",
      dependencies: modules(["Machine", "Exploration", "Support"]) + ["TestSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "ModelTests",
      dependencies: modules([
        "Models", "Litmus", "Checking", "Traces", "Invariants", "Machine", "Exploration",
        "Reporting", "Fuzzing", "Cluster", "Commands", "Command", "Support",
      ]) + ["Gracewalk", "TestExpectations"],
      exclude: ["Reporting/Snapshots", "Catalogue/Counts", "Cluster/slurm.sh"],
      swiftSettings: settings + modelTestChecks),
    .testTarget(
      name: "LitmusTests",
      dependencies: modules(["Litmus", "Checking", "Machine", "Exploration", "Support"]) + [
        "TestExpectations"
      ], swiftSettings: settings),
    .testTarget(name: "TidyTests", swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6]
)

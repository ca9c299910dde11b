// swift-tools-version: 6.2
// Layers, lowest first; a target may import only what stands above it in this list.
import PackageDescription

let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
  name: "gracewalk",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "Gracewalk", targets: ["Gracewalk"]),
    .library(name: "GracewalkCatalogue", targets: ["GracewalkCatalogue"]),
    .executable(name: "gracewalk", targets: ["GracewalkCommand"]),
  ],
  targets: [
    .target(name: "CFiber"),
    .target(name: "CTraps"),
    .target(name: "Support", swiftSettings: settings),
    .target(name: "Fibers", dependencies: ["CFiber", "CTraps"], swiftSettings: settings),
    .target(name: "Exploration", dependencies: ["Support"], swiftSettings: settings),
    .target(
      name: "Machine", dependencies: ["Exploration", "Fibers", "CFiber", "Support"],
      swiftSettings: settings),
    .target(name: "Invariants", dependencies: ["Machine", "Support"], swiftSettings: settings),
    .target(
      name: "Traces", dependencies: ["Machine", "Exploration", "Support"], swiftSettings: settings),
    .target(
      name: "Checking",
      dependencies: ["Traces", "Invariants", "Machine", "Exploration", "Support"],
      swiftSettings: settings),
    .target(
      name: "Reporting",
      dependencies: ["Checking", "Traces", "Invariants", "Machine", "Exploration", "Support"],
      swiftSettings: settings),
    .target(
      name: "Commands",
      dependencies: [
        "Reporting", "Checking", "Traces", "Invariants", "Machine", "Exploration", "Support",
      ],
      swiftSettings: settings),
    .target(
      name: "Gracewalk", dependencies: ["Commands", "Reporting", "Checking", "Support"],
      swiftSettings: settings),
    .target(
      name: "Models", dependencies: ["Gracewalk"], path: "models", swiftSettings: settings),
    .target(name: "GracewalkCatalogue", dependencies: ["Models"], swiftSettings: settings),
    .executableTarget(
      name: "GracewalkCommand", dependencies: ["Models", "Commands", "Reporting", "Gracewalk"],
      swiftSettings: settings),
    .target(name: "CAllocationCounter", path: "Tests/CAllocationCounter"),
    .target(
      name: "TestSupport", dependencies: ["Gracewalk", "CAllocationCounter"],
      path: "Tests/TestSupport", swiftSettings: settings),
    .testTarget(name: "SupportTests", dependencies: ["Support"], swiftSettings: settings),
    .testTarget(
      name: "FibersTests", dependencies: ["Fibers", "TestSupport"], swiftSettings: settings),
    .testTarget(
      name: "ExplorationTests",
      dependencies: ["Exploration", "Machine", "Models", "Checking", "Support", "TestSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "MachineTests", dependencies: ["Machine", "Exploration", "Support", "TestSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "ModelTests",
      dependencies: [
        "Models", "Gracewalk", "Checking", "Traces", "Invariants", "Machine", "Exploration",
        "Reporting", "Commands", "GracewalkCommand", "Support",
      ], exclude: ["Snapshots"], swiftSettings: settings),
    .testTarget(name: "TidyTests", swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6]
)

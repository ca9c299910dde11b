// swift-tools-version: 6.2
// A user's package: models, a program with all commands for them, and tests. Copy it, or let
// gracewalk init write one.
import PackageDescription

let gracewalk = Target.Dependency.product(name: "Gracewalk", package: "gracewalk")

let package = Package(
  name: "InstallRace",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "gracewalk", path: "../../..")],
  targets: [
    .target(name: "InstallRace", dependencies: [gracewalk]),
    .executableTarget(name: "checks", dependencies: ["InstallRace", gracewalk]),
    .testTarget(name: "InstallRaceTests", dependencies: ["InstallRace", gracewalk]),
  ]
)

// swift-tools-version: 6.2
// A package of one's own that checks a model in its tests. Copy it; the dependency is all it takes.
import PackageDescription

let package = Package(
  name: "InstallRace",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "gracewalk", path: "../../..")],
  targets: [
    .testTarget(
      name: "InstallRaceTests", dependencies: [.product(name: "Gracewalk", package: "gracewalk")])
  ]
)

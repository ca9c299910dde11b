// swift-tools-version: 6.2
// A package with its own modules Support and Machine, which also uses Foundation: Gracewalk's names
// do not clash with them.
import PackageDescription

let gracewalk = Target.Dependency.product(name: "Gracewalk", package: "gracewalk")

let package = Package(
  name: "OwnNames",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "gracewalk", path: "../../..")],
  targets: [
    .target(name: "Support"),
    .target(name: "Machine", dependencies: ["Support", gracewalk]),
    .executableTarget(name: "checks", dependencies: ["Machine", gracewalk]),
  ]
)

// swift-tools-version: 6.2
// A package with modules of its own called Support and Machine, which also uses Foundation: nothing
// of Gracewalk's clashes with them.
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

// swift-tools-version: 6.2
// The package of Docs/Tutorial.md: a question from a mailing list, as a model and its sibling.
import PackageDescription

let gracewalk = Target.Dependency.product(name: "Gracewalk", package: "gracewalk")

let package = Package(
  name: "LateFlush",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "gracewalk", path: "../../..")],
  targets: [
    .target(name: "LateFlush", dependencies: [gracewalk]),
    .executableTarget(name: "checks", dependencies: ["LateFlush", gracewalk]),
    .testTarget(name: "LateFlushTests", dependencies: ["LateFlush", gracewalk]),
  ]
)

// Where each source file of the models is: what a report needs to point into it.

/// The folders, with the files in each.
///
/// Code names its own place as `GracewalkModels/File.swift` (Swift's `#fileID`), which is no path.
/// Within a module, no two files have the same name, so the name tells the folder. The paths that a
/// compiler knows (`#filePath`) are those of the machine that it ran on; these are the same
/// everywhere. A test holds the list against the folders.
private let folders: [(name: String, files: [String])] = [
  ("", ["Catalogue", "Files"]),
  ("Benchmarks", ["IdenticalMappers", "PageTableBenchmark", "PageTablePromela", "Textbook"]),
  ("Collapse", ["Collapse"]),
  ("DirtyLogging", ["DirtyLog", "DirtyLogging", "LazyCollapse", "MemslotUnmap"]),
  ("FastFaults", ["FastFaults"]),
  ("Fault", ["Fault"]),
  (
    "HostMap",
    [
      "HostMap", "HostOwnership", "HostScenario", "HostTable", "HostTable+Donate",
      "HostTable+Reclaim",
    ]
  ),
  ("Interrupts", ["Interrupts"]),
  ("Invalidation", ["Invalidation", "Remap"]),
  ("Memcache", ["Memcache"]),
  ("References", ["References"]),
  ("Retry", ["Retry", "SwapEntries"]),
  ("ReverseMap", ["ReverseMap", "ShadowMMU"]),
  ("Stage2", ["AddressMap", "Flush", "Stage2Operations", "Stage2Table"]),
  ("Teardown", ["Teardown", "VirtualMachine"]),
  ("Unmap", ["Unmap"]),
  ("WalkReferences", ["CountedTable", "WalkReferences"]),
]

extension Catalogue {
  /// The path, below the root of the repository, of a file that code calls
  /// `GracewalkModels/File.swift`; nil if it is none of the models'.
  public static func path(ofFile id: String) -> String? { paths[id] }

  /// All paths by what code calls the files.
  public static let paths: [String: String] = {
    let pairs = folders.flatMap { folder in
      folder.files.map { file in
        let place = folder.name.isEmpty ? "models" : "models/\(folder.name)"
        return ("GracewalkModels/\(file).swift", "\(place)/\(file).swift")
      }
    }
    return Dictionary(uniqueKeysWithValues: pairs)
  }()
}

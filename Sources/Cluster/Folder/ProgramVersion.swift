// The version of a program: a hash of its file, so that answers of another build are not used.

import Foundation
import GracewalkSupport

/// Identifies a build of the program, models included.
package enum ProgramVersion {
  /// The file of the running program.
  package static let path: String = {
    #if os(Linux)
      if let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") {
        return path
      }
    #endif
    return Bundle.main.executablePath ?? CommandLine.arguments.first ?? "gracewalk"
  }()

  /// Sixteen digits computed from the program's file; the same on all machines that have that file.
  package static let current: String = {
    guard let data = try? Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
    else { return StableHash.digits(0) }
    return StableHash.digits(data.withUnsafeBytes { hash($0) })
  }()

  /// Four hashes side by side, since the file may have many megabytes.
  private static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var (a, b, c, d) = (1 as UInt64, 2 as UInt64, 3 as UInt64, 4 as UInt64)
    let factor: UInt64 = 0x9E37_79B9_7F4A_7C15
    var offset = 0
    while offset + 32 <= bytes.count {
      a = (a ^ bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) &* factor
      b = (b ^ bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self)) &* factor
      c = (c ^ bytes.loadUnaligned(fromByteOffset: offset + 16, as: UInt64.self)) &* factor
      d = (d ^ bytes.loadUnaligned(fromByteOffset: offset + 24, as: UInt64.self)) &* factor
      (a, b, c, d) = (a ^ a &>> 32, b ^ b &>> 32, c ^ c &>> 32, d ^ d &>> 32)
      offset += 32
    }
    var hash = [b, c, d].reduce(a) { StableHash.extend($0, with: $1) }
    while offset < bytes.count {
      hash = StableHash.extend(hash, with: UInt64(bytes[offset]))
      offset += 1
    }
    return StableHash.extend(hash, with: UInt64(bytes.count))
  }
}

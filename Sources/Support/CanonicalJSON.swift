// JSON whose bytes depend only on the value.

import Foundation

extension JSONEncoder {
  /// An encoder with sorted keys, so that equal values have equal bytes.
  package static var canonical: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return encoder
  }
}

// The header that C programs include to say what C has no words for.

/// `gracewalk.h`.
enum GracewalkHeader {
  static let name = "gracewalk.h"

  static let text = String(decoding: PackageResources.gracewalk_h, as: UTF8.self)
}

// Named sets of features, for checks that are not about a particular CPU.

/// A version of the Arm architecture, as a set of features that change verdicts.
///
/// Most of these features are optional when they first appear, so a version says little about a
/// CPU. A preset has the features commonly implemented from that version on, not those it requires;
/// the details say which is which, to the best of our knowledge. Single features can be changed on
/// top of it.
public struct Architecture: Equatable, Sendable {
  /// Its name on the command line.
  public let id: String
  public let name: String
  /// The Arm features it stands for, and whether its version requires them.
  public let details: String
  public let features: Features

  init(_ id: String, _ name: String, _ details: String, _ change: (inout Features) -> Void) {
    var features = Features()
    change(&features)
    self.id = id
    self.name = name
    self.details = details
    self.features = features
  }

  /// Oldest first; each includes the features of earlier ones.
  public static let all: [Architecture] = [v8_0, v8_1, v8_4, v9_3]

  public static let v8_0 = Architecture(
    "armv8.0", "Armv8.0-A", "none of the features: software sets the access flag"
  ) { _ in }

  public static let v8_1 = Architecture(
    "armv8.1", "Armv8.1-A",
    "FEAT_HAFDBS, optional from Armv8.1: access flag and dirty state are set by hardware"
  ) {
    $0.hardwareAccessFlag = true
    $0.hardwareDirtyState = true
  }

  public static let v8_4 = Architecture(
    "armv8.4", "Armv8.4-A",
    "and FEAT_TLBIRANGE, mandatory from Armv8.4; FEAT_BBM at level 1: that version defines the "
      + "levels, and which one a CPU has is up to its maker"
  ) {
    $0 = v8_1.features
    $0.rangeInvalidation = true
    $0.breakBeforeMakeLevel = 1
  }

  public static let v9_3 = Architecture(
    "armv9.3", "Armv9.3-A",
    "and FEAT_BBM at level 2, still up to the maker; FEAT_ETS2, optional before and mandatory "
      + "from Armv9.3 (Armv8.8)"
  ) {
    $0 = v8_4.features
    $0.breakBeforeMakeLevel = 2
    $0.enhancedTranslationSynchronisation = true
  }
}

/// Why a feature could not be given a value.
public enum FeatureError: Error, Equatable {
  case unknownFeature(name: String, known: [String])
  case outOfRange(name: String, value: Int, range: ClosedRange<Int>)
}

extension Features {
  /// The names of features in texts, in order, each with its greatest value.
  public static let names: [(name: String, most: Int)] = [
    ("bbm", 2), ("haf", 1), ("hd", 1), ("range", 1), ("ets", 1),
  ]

  /// The values in the order of the names.
  private var values: [Int] {
    [
      breakBeforeMakeLevel, hardwareAccessFlag ? 1 : 0, hardwareDirtyState ? 1 : 0,
      rangeInvalidation ? 1 : 0, enhancedTranslationSynchronisation ? 1 : 0,
    ]
  }

  /// Gives a feature a value.
  public mutating func set(_ name: String, to value: Int) throws(FeatureError) {
    guard let feature = Features.names.first(where: { $0.name == name }) else {
      throw .unknownFeature(name: name, known: Features.names.map(\.name))
    }
    guard (0...feature.most).contains(value) else {
      throw .outOfRange(name: name, value: value, range: 0...feature.most)
    }
    switch name {
    case "bbm": breakBeforeMakeLevel = value
    case "haf": hardwareAccessFlag = value == 1
    case "hd": hardwareDirtyState = value == 1
    case "range": rangeInvalidation = value == 1
    default: enhancedTranslationSynchronisation = value == 1
    }
  }

  /// All features with their values, as files keep them: "bbm=0 haf=1 …".
  public var text: String {
    zip(Features.names, values).map { "\($0.name)=\($1)" }.joined(separator: " ")
  }

  /// Reads what `text` gives, and nothing else.
  public init?(text: String) {
    self.init()
    for part in text.split(separator: " ") {
      let sides = part.split(separator: "=", omittingEmptySubsequences: false)
      guard sides.count == 2, let value = Int(sides[1]),
        (try? set(String(sides[0]), to: value)) != nil
      else { return nil }
    }
    guard self.text == text else { return nil }
  }

  /// The architecture with exactly these features, or nil.
  public var architecture: Architecture? { Architecture.all.first { $0.features == self } }

  /// For people: the architecture, or the features.
  public var summary: String {
    if let architecture { return architecture.name }
    return zip(Features.names, values).filter { $1 > 0 }.map { "\($0.name)=\($1)" }
      .joined(separator: " ")
  }

  /// The command-line options for exactly these features.
  public var options: String {
    if let architecture { return "--architecture \(architecture.id)" }
    return zip(Features.names, values).filter { $1 > 0 }.map { "--feature \($0.name)=\($1)" }
      .joined(separator: " ")
  }

  /// True if all features of the others are included.
  public func includes(_ others: Features) -> Bool {
    zip(values, others.values).allSatisfy { $0 >= $1 }
  }
}

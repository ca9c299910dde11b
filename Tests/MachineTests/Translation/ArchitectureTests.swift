// Features of the architecture: their text form, and what versions have.

import GracewalkMachine
import Testing

@Suite struct ArchitectureTests {
  @Test func eachVersionIncludesTheOneBefore() {
    for (older, newer) in zip(Architecture.all, Architecture.all.dropFirst()) {
      #expect(newer.features.includes(older.features), "\(newer.id)")
      #expect(!older.features.includes(newer.features), "\(older.id)")
      #expect(older.id < newer.id)
    }
    #expect(Architecture.all.map(\.id) == ["armv8.0", "armv8.1", "armv8.4", "armv9.3"])
    #expect(
      Architecture.all.map(\.features.text) == [
        "bbm=0 haf=0 hd=0 range=0 ets=0", "bbm=0 haf=1 hd=1 range=0 ets=0",
        "bbm=1 haf=1 hd=1 range=1 ets=0", "bbm=2 haf=1 hd=1 range=1 ets=1",
      ])
  }

  /// All values of all features, there and back.
  @Test func textsRoundTrip() throws {
    var seen: Set<String> = []
    for number in 0..<48 {
      var features = Features()
      var rest = number
      for (name, most) in Features.names {
        try features.set(name, to: rest % (most + 1))
        rest /= most + 1
      }
      #expect(Features(text: features.text) == features)
      seen.insert(features.text)
    }
    #expect(seen.count == 48)
  }

  @Test(arguments: [
    "", "bbm=0", "bbm=3 haf=0 hd=0 range=0 ets=0", "bbm=0 haf=0 hd=0 range=0 ets=0 x=1",
    "haf=0 bbm=0 hd=0 range=0 ets=0", "bbm=0 haf=0 hd=0 range=0 ets=00", "bbm haf hd range ets",
  ])
  func otherTextsAreRefused(_ text: String) { #expect(Features(text: text) == nil) }

  @Test func mistakesAreNamed() {
    var features = Features()
    #expect(throws: FeatureError.outOfRange(name: "bbm", value: 3, range: 0...2)) {
      try features.set("bbm", to: 3)
    }
    #expect(
      throws: FeatureError.unknownFeature(
        name: "nv", known: ["bbm", "haf", "hd", "range", "ets"])
    ) { try features.set("nv", to: 1) }
    #expect(features == Features())
  }

  @Test func summariesNameTheVersionOrTheFeatures() throws {
    var features = Architecture.v8_4.features
    #expect(features.summary == "Armv8.4-A")
    #expect(features.options == "--architecture armv8.4")
    try features.set("bbm", to: 2)
    #expect(features.architecture == nil)
    #expect(features.summary == "bbm=2 haf=1 hd=1 range=1")
    #expect(features.options == "--feature bbm=2 --feature haf=1 --feature hd=1 --feature range=1")
    #expect(Features().options == "--architecture armv8.0")
  }
}

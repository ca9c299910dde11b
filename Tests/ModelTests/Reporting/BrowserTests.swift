// The page in a real browser, if one is installed: its script runs correctly.

import Foundation
import GracewalkModels
import TestExpectations
import Testing

@Suite(.serialized, .tags(.process), .unlessQuick) struct BrowserTests {
  /// A headless browser, or nil.
  private static let browser: URL? = {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    let folders = path.split(separator: ":").map(String.init) + ["/usr/bin", "/snap/bin"]
    let names = ["chromium", "chromium-browser", "google-chrome"]
    let places = folders.flatMap { folder in names.map { "\(folder)/\($0)" } }
    return places.first { FileManager.default.isExecutableFile(atPath: $0) }
      .map { URL(fileURLWithPath: $0) }
  }()

  /// The document after the page has been loaded and its scripts have run.
  private func document(
    _ page: String, address: String = "", runs script: String = "", window: String = "1280,900"
  ) throws -> String {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent("page.html")
    let more = script.isEmpty ? "" : "<script>\(script)</script>"
    try page.replacing("</body>", with: "\(more)</body>")
      .write(to: file, atomically: true, encoding: .utf8)
    let output = folder.appendingPathComponent("dom")
    try Data().write(to: output)
    let process = Process()
    process.executableURL = Self.browser
    process.arguments = [
      "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=2000",
      "--window-size=\(window)", "--user-data-dir=\(folder.path)/profile", "--dump-dom",
      "\(file.absoluteString)\(address)",
    ]
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = FileHandle.nullDevice
    try process.run()
    let deadline = Date().addingTimeInterval(60)
    while process.isRunning, Date() < deadline { Thread.sleep(forTimeInterval: 0.05) }
    if process.isRunning { process.terminate() }
    process.waitUntilExit()
    return try String(contentsOf: output, encoding: .utf8)
  }

  private func expect(_ document: String, shows label: String, _ title: String) {
    #expect(document.contains("data-step=\"\(label)\""))
    #expect(document.contains(">\(title)</output>"))
  }

  @Test(.enabled(if: BrowserTests.browser != nil, "no chromium is installed"))
  func itOpensWhereTheInvariantBreaks() throws {
    let page = try HTMLPageTests.page("collapse-unlocked-descendants")
    let document = try document(page)
    expect(document, shows: "33", "Step 33 of 33")
    #expect(document.contains("<html lang=\"en\" class=\"js\""))
    #expect(document.contains("class=\"row step wrong cur\""))
  }

  @Test(.enabled(if: BrowserTests.browser != nil, "no chromium is installed"))
  func anAddressLeadsToAStep() throws {
    let page = try HTMLPageTests.page("collapse-unlocked-descendants")
    let third = try document(page, address: "#step=3")
    expect(third, shows: "3", "Step 3 of 33")
    #expect(third.components(separatedBy: " cur\"").count == 2)
    let data = try #require(third.range(of: "<script"))
    #expect(!third[..<data.lowerBound].contains("✗ leaked"))
    expect(try document(page, address: "#step=3.1"), shows: "3.1", "After step 3 of 33")
    expect(try document(page, address: "#step=99"), shows: "33", "Step 33 of 33")
    expect(
      try document(page, address: "#step=%3Cb%3E"), shows: "33", "Step 33 of 33")
  }

  @Test(.enabled(if: BrowserTests.browser != nil, "no chromium is installed"))
  func keysButtonsTheSliderAndClicksMove() throws {
    let page = try HTMLPageTests.page("collapse-unlocked-descendants")
    let script = """
      const seen = [];
      const key = name => { dispatchEvent(new KeyboardEvent('keydown', { key: name })); note(); };
      const note = () => seen.push(document.documentElement.dataset.step);
      key('ArrowLeft'); key('ArrowLeft'); key('ArrowRight'); key('Home'); key('ArrowLeft');
      key('ArrowRight'); key('End');
      document.getElementById('back').click(); note();
      document.getElementById('first').click(); note();
      document.getElementById('slider').value = 9;
      document.getElementById('slider').dispatchEvent(new Event('input')); note();
      document.querySelector('.story a[href="#step=22"]').click(); note();
      document.querySelector('.step[href="#step=31"]').click(); note();
      document.title = seen.join(' ') + ' ' + location.hash;
      """
    #expect(
      try document(page, runs: script).contains(
        "<title>32 31 32 0 0 1 33 32 0 8 22 31 #step=31</title>"))
  }

  @Test(
    .enabled(if: BrowserTests.browser != nil, "no chromium is installed"),
    arguments: ["1280,900", "500,900"])
  func nothingIsWiderThanTheWindow(_ window: String) throws {
    let script = """
      const wide = document.documentElement.scrollWidth - innerWidth;
      document.title = 'wider by ' + Math.max(wide, 0);
      """
    for name in ["collapse-unlocked-descendants", "teardown-without-barrier"] {
      let page = try HTMLPageTests.page(name)
      #expect(
        try document(page, runs: script, window: window).contains("<title>wider by 0</title>"))
    }
  }
}

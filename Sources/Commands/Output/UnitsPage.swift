// A page that shows units of work over time: a row for each place that was busy.

import Foundation
import GracewalkCluster
import GracewalkReporting

/// One self-contained page.
struct UnitsPage {
  private let timeline: Timeline

  init(_ timeline: Timeline) { self.timeline = timeline }

  private static let width = 960.0
  private static let rowHeight = 16.0

  var text: String {
    let busy = timeline.units.reduce(0) { $0 + $1.end - $1.start }
    let count = counted(timeline.units.count, "unit")
    let used = timeline.seconds > 0 ? busy / timeline.seconds : 0
    return """
      <!DOCTYPE html>
      <html lang="en"><head><meta charset="utf-8"><title>Units over time</title>
      <style>
      body { font: 14px system-ui, sans-serif; margin: 2em; max-width: 1100px }
      rect.unit { fill: #4878a8; stroke: #fff; stroke-width: .5 }
      rect.unit:hover { fill: #d08020 }
      text { font: 11px system-ui, sans-serif; fill: #555 }
      @media (prefers-color-scheme: dark) {
        body { background: #181818; color: #ddd } text { fill: #aaa } rect.unit { stroke: #181818 }
      }
      </style></head><body>
      <h1>Units over time</h1>
      <p>\(count) on \(counted(Set(timeline.rows).count, "machine")) in
      \(Self.seconds(timeline.seconds)); \(Self.seconds(busy)) of work,
      \(String(format: "%.1f", used)) units at a time on average.</p>
      \(picture)
      </body></html>

      """
  }

  private var picture: String {
    let height = Double(timeline.rows.count) * Self.rowHeight + 24
    let scale = timeline.seconds > 0 ? (Self.width - 120) / timeline.seconds : 0
    var lines = [
      "<svg role=\"img\" aria-label=\"Units over time\" viewBox=\"0 0 \(Int(Self.width)) "
        + "\(Int(height))\" width=\"100%\">"
    ]
    for (row, host) in timeline.rows.enumerated() {
      let y = Double(row) * Self.rowHeight + 12
      lines.append("<text x=\"0\" y=\"\(Self.number(y))\">\(Self.escaped(host))</text>")
    }
    for unit in timeline.units {
      let x = 110 + unit.start * scale
      let width = max((unit.end - unit.start) * scale, 0.5)
      lines.append(
        "<rect class=\"unit\" x=\"\(Self.number(x))\" y=\"\(unit.row * Int(Self.rowHeight) + 2)\" "
          + "width=\"\(Self.number(width))\" height=\"\(Int(Self.rowHeight) - 3)\">"
          + "<title>\(Self.escaped(unit.name.prefix(8).description)) on "
          + "\(Self.escaped(unit.host)): \(Self.seconds(unit.end - unit.start))</title></rect>")
    }
    for part in 0...4 {
      let time = timeline.seconds * Double(part) / 4
      lines.append(
        "<text x=\"\(Self.number(110 + time * scale))\" y=\"\(Int(height) - 6)\">"
          + "\(Self.seconds(time))</text>")
    }
    return (lines + ["</svg>"]).joined(separator: "\n")
  }

  private static func number(_ value: Double) -> String { String(format: "%.1f", value) }

  private static func seconds(_ value: Double) -> String {
    String(format: value < 10 ? "%.2f s" : "%.0f s", value)
  }

  private static func escaped(_ text: String) -> String {
    text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
      .replacingOccurrences(of: ">", with: "&gt;").replacingOccurrences(of: "\"", with: "&quot;")
  }
}

// The predicted curves as a picture.

import Foundation

/// Speed-up over workers, both by their logarithm, as SVG.
package struct ScalePicture {
  private let curves: [ScaleCurve]
  private let width = 640.0
  private let height = 420.0
  private let left = 60.0
  private let bottom = 370.0
  private static let colours = ["#2060a0", "#c05020", "#308040"]

  package init(_ curves: [ScaleCurve]) { self.curves = curves }

  private var most: Double { log2(Double(ScaleModel.workers.last ?? 1)) }

  private func x(_ workers: Double) -> String { number(left + log2(workers) / most * 540) }
  private func y(_ speed: Double) -> String { number(bottom - log2(max(speed, 0.5)) / most * 340) }
  private func number(_ value: Double) -> String { String(format: "%.1f", value) }

  package var svg: String {
    var lines = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(Int(width)) \(Int(height))\" "
        + "font-family=\"sans-serif\" font-size=\"12\">",
      "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>",
    ]
    for workers in ScaleModel.workers {
      let at = Double(workers)
      lines.append(
        "<line x1=\"\(x(at))\" y1=\"\(number(bottom))\" x2=\"\(x(at))\" y2=\"\(y(1_000))\" "
          + "stroke=\"#eee\"/><line x1=\"\(number(left))\" y1=\"\(y(at))\" x2=\"\(x(1_000))\" "
          + "y2=\"\(y(at))\" stroke=\"#eee\"/>")
      lines.append(
        "<text x=\"\(x(at))\" y=\"\(number(bottom + 18))\" text-anchor=\"middle\">\(workers)</text>"
          + "<text x=\"\(number(left - 8))\" y=\"\(y(at))\" text-anchor=\"end\">\(workers)</text>")
    }
    lines.append(
      "<line x1=\"\(x(1))\" y1=\"\(y(1))\" x2=\"\(x(1_000))\" y2=\"\(y(1_000))\" stroke=\"#aaa\" "
        + "stroke-dasharray=\"4 4\"/>")
    for (index, curve) in curves.enumerated() {
      let colour = Self.colours[index % Self.colours.count]
      let points = curve.points.map { "\(x(Double($0.workers))),\(y($0.speedUp))" }
      lines.append(
        "<polyline points=\"\(points.joined(separator: " "))\" fill=\"none\" stroke=\"\(colour)\" "
          + "stroke-width=\"2\"/>")
      lines.append(
        "<text x=\"80\" y=\"\(50 + 18 * index)\" fill=\"\(colour)\">\(curve.name)</text>")
    }
    lines.append(
      "<text x=\"330\" y=\"412\" text-anchor=\"middle\">workers</text>"
        + "<text x=\"16\" y=\"200\" text-anchor=\"middle\" transform=\"rotate(-90 16 200)\">"
        + "speed-up</text></svg>")
    return lines.joined(separator: "\n") + "\n"
  }
}

// Why a test could not be read.

import GracewalkSupport

/// What is wrong with the text of a litmus test, or not understood, and in which line.
package struct LitmusError: Error, Equatable {
  package var line: Int
  package var message: String

  package init(_ line: Int, _ message: String) {
    self.line = line
    self.message = message.printable
  }
}

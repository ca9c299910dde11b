// A module of LLVM IR: what one file contains.

/// A place in the source of a program.
package struct IRPlace: Hashable {
  package var file: String
  package var line: Int
  package var column: Int
  package var function: String
  /// The number of the place of the call that was inlined here, or -1.
  package var caller: Int
}

package struct IRBlock {
  package var instructions: [IRInstruction] = []
}

package final class IRFunction {
  package let name: String
  package var parameters: [Int] = []
  package var parameterTypes: [IRType] = []
  package var returns: IRType
  package var isVariadic = false
  package var blocks: [IRBlock] = []
  /// The types of its registers, by their numbers.
  package var registerTypes: [IRType] = []
  package var line: Int
  /// True if other modules cannot see it.
  package var isLocal = false
  /// True if another definition may replace it.
  package var isWeak = false

  init(_ name: String, returns: IRType, line: Int) {
    self.name = name
    self.returns = returns
    self.line = line
  }
}

package struct IRGlobal {
  package var name: String
  package var type: IRType
  /// Nil if it is defined elsewhere.
  package var initial: IRConstant?
  package var isConstant: Bool
  package var isThreadLocal: Bool
  package var isLocal: Bool
  package var isWeak: Bool
  package var alignment: Int
}

/// One file of IR.
package final class IRModule {
  package let file: String
  /// Names of globals and functions; constants and calls refer to them by number.
  package internal(set) var symbols: [String] = []
  package internal(set) var globals: [IRGlobal] = []
  package internal(set) var functions: [IRFunction] = []
  /// Other names of globals and functions: what they stand for.
  package internal(set) var aliases: [(name: String, value: IRConstant)] = []
  package internal(set) var places: [IRPlace] = []
  /// What it is compiled for, such as `x86_64-unknown-linux-gnu`.
  package internal(set) var target = ""

  init(file: String) { self.file = file }
}

/// Why a file is not read, at a line of it.
package struct IRError: Error, Equatable, CustomStringConvertible {
  package var file: String
  package var line: Int
  package var message: String

  package init(file: String, line: Int, _ message: String) {
    (self.file, self.line, self.message) = (file, line, message)
  }

  package var description: String { "\(file):\(line): \(message)" }
}

// Which tests run when: GRACEWALK_TESTS=quick skips the long ones.

import Foundation
import Testing

extension Tag {
  /// Takes a second or more: whole catalogues, large searches, random programs by the thousand.
  @Tag public static var long: Self
  /// Compares searches with each other on random programs.
  @Tag public static var fuzz: Self
  /// Starts processes: the command itself, a browser, code that traps.
  @Tag public static var process: Self
}

extension Trait where Self == ConditionTrait {
  /// Runs unless `GRACEWALK_TESTS=quick`, which `.ci/quick` sets.
  public static var unlessQuick: Self {
    .disabled(if: isQuick, "GRACEWALK_TESTS=quick leaves it out")
  }
}

private let isQuick = ProcessInfo.processInfo.environment["GRACEWALK_TESTS"] == "quick"

// A first C program for gracewalk check: it has a race, and says how to mend it.

import Foundation
import GracewalkCommands
import GracewalkSupport

enum NewProgram {
  /// Writes the program to a new file.
  static func write(_ path: String, _ arguments: Arguments) throws(UsageError) -> Int32 {
    guard !arguments.has("gracewalk") else {
      throw UsageError("--gracewalk is about packages, and '\(path)' is a C program")
    }
    guard !FileManager.default.fileExists(atPath: path) else {
      throw UsageError("'\(path)' exists; name a new file")
    }
    do {
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    } catch {
      throw UsageError("cannot write '\(path)': \(error.localizedDescription)")
    }
    let check = "\(RunningProgram.invocation) check \(path.quotedForShell)"
    print(
      """
        \(path)

      It has a race; this finds it, and shows it as a page:

        \(check)
        \(check) --html race.html

      And this checks that the program holds without it:

        \(check) -- -DMENDED

      gracewalk.h is found by itself; \(RunningProgram.invocation) show gracewalk.h prints it, for
      other compilers, with all that a program can say.
      """)
    return ExitStatus.holds
  }

  static let text = """
    // A message is passed from one CPU to another.
    #include <gracewalk.h>

    int message;
    atomic_int ready;

    // What is published without release may be seen before the message is.
    #ifdef MENDED
    #define PUBLISH memory_order_release
    #else
    #define PUBLISH memory_order_relaxed
    #endif

    static void *sender(void *argument) {
      message = 42;
      atomic_store_explicit(&ready, 1, PUBLISH);
      return NULL;
    }

    static void *receiver(void *argument) {
      // Any loop that only reads is a wait; gw_wait says so to readers.
      gw_wait(atomic_load_explicit(&ready, memory_order_acquire));
      assert(message == 42);
      gw_must_happen("the message is received");
      return NULL;
    }

    int main(void) {
      gw_cpu(sender, NULL);
      gw_cpu(receiver, NULL);
      gw_run();
    }

    """
}

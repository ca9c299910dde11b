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
      """)
    return ExitStatus.holds
  }

  static let text = """
    // A message is passed from one thread to another.
    #include <assert.h>
    #include <pthread.h>
    #include <stdatomic.h>
    #include <stddef.h>

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
      // No annotation is needed for a loop that waits.
      while (!atomic_load_explicit(&ready, memory_order_acquire)) {
      }
      assert(message == 42);
      return NULL;
    }

    int main(void) {
      pthread_t threads[2];
      pthread_create(&threads[0], NULL, sender, NULL);
      pthread_create(&threads[1], NULL, receiver, NULL);
      for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    }

    """
}

// A random program as C code.

extension TwinProgram {
  /// What is before the programs of a file.
  package static let head = """
    #include <assert.h>
    #include <pthread.h>
    #include <stdatomic.h>

    """

  /// Names of what a program defines.
  struct Names {
    let number: Int

    var main: String { "main_\(number)" }
    var words: String { "words_\(number)" }
    var results: String { "results_\(number)" }
    var lock: String { "lock_\(number)" }
    func thread(_ index: Int) -> String { "thread_\(number)_\(index)" }
  }

  /// The program as functions, of which one starts it.
  func text(_ names: Names) -> String {
    var text = """
      _Atomic unsigned long \(names.words)[\(Self.wordCount)];
      unsigned long \(names.results)[\(threads.count)];
      pthread_mutex_t \(names.lock) = PTHREAD_MUTEX_INITIALIZER;

      """
    for (index, body) in threads.enumerated() {
      text += "void *\(names.thread(index))(void *unused) {\n  unsigned long a = 0;\n"
      for statement in body { text += line(statement, names) }
      text += "  \(names.results)[\(index)] = a;\n  return 0;\n}\n"
    }
    text += "int \(names.main)(void) {\n  pthread_t threads[\(threads.count)];\n"
    for index in threads.indices {
      text += "  pthread_create(&threads[\(index)], 0, \(names.thread(index)), 0);\n"
    }
    for index in threads.indices { text += "  pthread_join(threads[\(index)], 0);\n" }
    return text + "  return 0;\n}\n"
  }

  private func text(_ value: Value) -> String {
    switch value {
    case .number(let number): "\(number)"
    case .register: "a"
    }
  }

  private func block(_ body: [Statement], _ names: Names) -> String {
    "{\n" + body.map { line($0, names) }.joined() + "  }"
  }

  private func line(_ statement: Statement, _ names: Names) -> String {
    func word(_ index: Int) -> String { "&\(names.words)[\(index)]" }
    let unlock = "pthread_mutex_unlock(&\(names.lock));"
    switch statement {
    case .load(let index): return "  a = atomic_load(\(word(index)));\n"
    case .store(let index, let value): return "  atomic_store(\(word(index)), \(text(value)));\n"
    case .add(let index, let number):
      return "  a = atomic_fetch_add(\(word(index)), \(number));\n"
    case .exchange(let index, let value):
      return "  a = atomic_exchange(\(word(index)), \(text(value)));\n"
    case .compareExchange(let index, let expected, let desired):
      return "  { unsigned long e = \(text(expected));\n"
        + "    atomic_compare_exchange_strong(\(word(index)), &e, \(desired)); a = e; }\n"
    case .guarded(let body):
      return "  pthread_mutex_lock(&\(names.lock));\n  \(block(body, names))\n  \(unlock)\n"
    case .tried(let body):
      return "  if (pthread_mutex_trylock(&\(names.lock)) == 0) {\n"
        + "  \(block(body, names))\n  \(unlock)\n  }\n"
    case .branch(let number, let body, let otherwise):
      return "  if (a == \(number)) \(block(body, names)) else \(block(otherwise, names))\n"
    case .wait(let index, let number):
      return "  while (atomic_load(\(word(index))) == \(number)) {}\n"
    case .require(let number): return "  assert(a != \(number));\n"
    }
  }
}

// Random straight-line programs as LLVM IR.

extension OrderedProgram {
  /// The globals whose contents say how an execution has ended.
  package static let outcomes = ["results", "words"]

  /// The results of a thread have room for this many.
  static let resultsMax = 8

  package var text: String {
    var text = "@words = global [\(Self.wordMax) x i64] zeroinitializer\n"
    text += "@results = global [\(threads.count * Self.resultsMax) x i64] zeroinitializer\n"
    text += "declare i32 @pthread_create(ptr, ptr, ptr, ptr)\n"
    text += "declare i32 @pthread_join(i64, ptr)\n"
    text += "define i64 @same(i64 %0) {\n  ret i64 %0\n}\n"
    for (thread, steps) in threads.enumerated() {
      text += "define ptr @worker\(thread)(ptr %0) {\n  %area = alloca [2 x i64]\n"
      for number in steps.indices { text += Self.lines(steps, number) }
      for (number, step) in steps.enumerated() {
        guard case .access(let access) = step, access.isShown else { continue }
        let place = (thread * Self.resultsMax + number) * 8
        text += "  %q\(number) = getelementptr i8, ptr @results, i64 \(place)\n"
        text += "  store i64 %r\(number), ptr %q\(number)\n"
      }
      text += "  ret ptr null\n}\n"
    }
    text += "define i32 @main() {\n"
    for thread in threads.indices {
      text += "  %t\(thread) = alloca i64\n"
      text += "  %c\(thread) = call i32 @pthread_create(ptr %t\(thread), ptr null, "
      text += "ptr @worker\(thread), ptr null)\n"
    }
    for thread in threads.indices {
      text += "  %i\(thread) = load i64, ptr %t\(thread)\n"
      text += "  %j\(thread) = call i32 @pthread_join(i64 %i\(thread), ptr null)\n"
    }
    return text + "  ret i32 0\n}\n"
  }

  /// Lines that make a register of a value that is 0 and depends on a result.
  private static func zero(_ name: String, _ given: Dependency) -> String {
    let source = "%r\(given.step)"
    switch given.way {
    case .directly: return "  \(name) = xor i64 \(source), \(source)\n"
    case .memory:
      return
        "  \(name)p = getelementptr i64, ptr %area, i64 1\n  store i64 \(source), ptr \(name)p\n"
        + "  \(name)l = load i64, ptr \(name)p\n  \(name) = sub i64 \(name)l, \(name)l\n"
    case .call:
      return "  \(name)l = call i64 @same(i64 \(source))\n"
        + "  \(name) = and i64 \(name)l, 0\n"
    case .selection:
      return "  \(name)c = icmp eq i64 \(source), \(source)\n"
        + "  \(name)x = xor i64 \(source), \(source)\n"
        + "  \(name) = select i1 \(name)c, i64 \(name)x, i64 0\n"
    }
  }

  private static func lines(_ steps: [Step], _ number: Int) -> String {
    switch steps[number] {
    case .fence(let order): return "  fence \(order.rawValue)\n"
    case .branch(let source):
      return "  %b\(number) = icmp eq i64 %r\(source), 0\n"
        + "  br i1 %b\(number), label %y\(number), label %y\(number)\ny\(number):\n"
    case .access(let access): return lines(access, number)
    }
  }

  private static func lines(_ access: Access, _ number: Int) -> String {
    var text = ""
    var address = "@words"
    if let given = access.address {
      text += zero("%a\(number)", given)
      text += "  %o\(number) = add i64 %a\(number), \(access.word * 8)\n"
      text += "  %p\(number) = getelementptr i8, ptr @words, i64 %o\(number)\n"
      address = "%p\(number)"
    } else if access.word > 0 {
      text += "  %p\(number) = getelementptr i8, ptr @words, i64 \(access.word * 8)\n"
      address = "%p\(number)"
    }
    var value = "\(access.value)"
    if let given = access.data {
      text += zero("%d\(number)", given)
      text += "  %v\(number) = add i64 %d\(number), \(access.value)\n"
      value = "%v\(number)"
    }
    let order = access.order.rawValue
    let result = access.isUnused ? "%u\(number)" : "%r\(number)"
    switch access.kind {
    case .load: return text + "  \(result) = load atomic i64, ptr \(address) \(order), align 8\n"
    case .store: return text + "  store atomic i64 \(value), ptr \(address) \(order), align 8\n"
    case .add, .exchange:
      let name = access.kind == .add ? "add" : "xchg"
      return text
        + "  \(result) = atomicrmw \(name) ptr \(address), i64 \(value) \(order), align 8\n"
    case .compareExchange:
      let failure = access.order.acquires ? "acquire" : "monotonic"
      return text
        + "  %e\(number) = cmpxchg ptr \(address), i64 \(access.expected), i64 \(value) "
        + "\(order) \(failure), align 8\n"
        + "  \(result) = extractvalue { i64, i1 } %e\(number), 0\n"
    }
  }
}

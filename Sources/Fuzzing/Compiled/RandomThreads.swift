// Random programs with threads, as LLVM IR: what a compiler makes of C, without a compiler.

import GracewalkSupport

/// Writes one random program.
package struct RandomThreads {
  private var random: SplitMix64
  private var text = ""
  /// Numbers registers and blocks.
  private var next = 0
  /// Statements that the thread may still get.
  private var budget = 0

  /// The program that a seed stands for.
  package static func text(seed: UInt64) -> String {
    var program = RandomThreads(random: SplitMix64(seed: seed))
    return program.write()
  }

  private init(random: SplitMix64) { self.random = random }

  private static let head = """
    @x = global i32 0
    @y = global i32 0
    @plain = global i32 0
    @flag = global i32 0
    @heap = global ptr null
    @m = global [10 x i32] zeroinitializer
    @n = global [14 x i32] zeroinitializer
    @s = global [8 x i32] zeroinitializer
    @results = global [4 x i32] zeroinitializer
    declare i32 @pthread_create(ptr, ptr, ptr, ptr)
    declare i32 @pthread_join(i64, ptr)
    declare i32 @pthread_mutex_lock(ptr)
    declare i32 @pthread_mutex_unlock(ptr)
    declare i32 @pthread_mutex_trylock(ptr)
    declare i32 @pthread_rwlock_rdlock(ptr)
    declare i32 @pthread_rwlock_wrlock(ptr)
    declare i32 @pthread_rwlock_unlock(ptr)
    declare i32 @sem_post(ptr)
    declare i32 @sem_wait(ptr)
    declare void @rcu_read_lock()
    declare void @rcu_read_unlock()
    declare void @synchronize_rcu()
    declare ptr @malloc(i64)
    declare void @free(ptr)
    declare void @__VERIFIER_assume(i1)
    declare i32 @__VERIFIER_nondet_bool()
    define i32 @help(i32 %0) {
      %v = atomicrmw add ptr @y, i32 %0 seq_cst, align 4
      %w = add i32 %v, 1
      ret i32 %w
    }

    """

  private mutating func write() -> String {
    text = Self.head
    let threads = 2 + (random.below(4) == 0 ? 1 : 0)
    for thread in 0..<threads {
      text += "define ptr @worker\(thread)(ptr %0) {\n  %a = alloca i32\n  %i = alloca i32\n"
      text += "  store i32 0, ptr %a\n"
      budget = threads == 2 ? 2 + random.below(4) : 2 + random.below(2)
      while budget > 0 { statement(depth: 0) }
      let last = load("%a")
      text += "  %r = getelementptr i32, ptr @results, i64 \(thread)\n"
      text += "  store i32 \(last), ptr %r\n  ret ptr null\n}\n"
    }
    text += "define i32 @main() {\n"
    for thread in 0..<threads {
      text += "  %t\(thread) = alloca i64\n"
      text += "  %c\(thread) = call i32 @pthread_create(ptr %t\(thread), ptr null, "
      text += "ptr @worker\(thread), ptr null)\n"
    }
    for thread in 0..<threads {
      text += "  %i\(thread) = load i64, ptr %t\(thread)\n"
      text += "  %j\(thread) = call i32 @pthread_join(i64 %i\(thread), ptr null)\n"
    }
    return text + "  ret i32 0\n}\n"
  }

  // MARK: Pieces

  private mutating func name(_ prefix: String = "%v") -> String {
    next += 1
    return "\(prefix)\(next)"
  }

  private mutating func load(_ local: String) -> String {
    let value = name()
    text += "  \(value) = load i32, ptr \(local)\n"
    return value
  }

  private mutating func keep(_ value: String) { text += "  store i32 \(value), ptr %a\n" }

  private mutating func word() -> String { random.below(2) == 0 ? "@x" : "@y" }

  /// A small number, or what was read last.
  private mutating func value() -> String {
    random.below(3) == 0 ? load("%a") : "\(random.below(3))"
  }

  private mutating func ordering(_ all: [String]) -> String { random.pick(all) }

  private mutating func body(_ depth: Int) {
    for _ in 0..<1 + random.below(2) where budget > 0 { statement(depth: depth + 1) }
  }

  // MARK: Statements

  private mutating func statement(depth: Int) {
    budget -= 1
    switch random.below(depth > 1 ? 9 : 24) {
    case 0...1:
      let v = name()
      let order = ordering(["monotonic", "acquire", "seq_cst"])
      text += "  \(v) = load atomic i32, ptr \(word()) \(order), align 4\n"
      keep(v)
    case 2...3:
      let v = value()
      let order = ordering(["monotonic", "release", "seq_cst"])
      text += "  store atomic i32 \(v), ptr \(word()) \(order), align 4\n"
    case 4:
      let (v, by) = (name(), value())
      let order = ordering(["monotonic", "acquire", "release", "acq_rel"])
      let operation = random.pick(["add", "xchg", "or", "sub"])
      text += "  \(v) = atomicrmw \(operation) ptr \(word()), i32 \(by) \(order), align 4\n"
      keep(v)
    case 5:
      let (pair, v, expected) = (name(), name(), value())
      text += "  \(pair) = cmpxchg ptr \(word()), i32 \(expected), i32 \(random.below(3))"
      text += " acq_rel monotonic, align 4\n  \(v) = extractvalue { i32, i1 } \(pair), 0\n"
      keep(v)
    case 6:
      let (argument, v) = (value(), name())
      text += "  \(v) = call i32 @help(i32 \(argument))\n"
      keep(v)
    case 7: plain()
    case 8: text += "  fence \(ordering(["acquire", "release", "seq_cst"]))\n"
    default: compound(depth)
    }
  }

  private mutating func plain() {
    if random.below(2) == 0 {
      let v = name()
      text += "  \(v) = load i32, ptr @plain\n"
      keep(v)
    } else {
      let v = value()
      text += "  store i32 \(v), ptr @plain\n"
    }
  }

  private mutating func compound(_ depth: Int) {
    switch random.below(15) {
    case 0...2: between("@pthread_mutex_lock", "@pthread_mutex_unlock", "@m") { $0.guarded(depth) }
    case 3: between("@pthread_rwlock_rdlock", "@pthread_rwlock_unlock", "@n") { $0.guarded(depth) }
    case 4: between("@pthread_rwlock_wrlock", "@pthread_rwlock_unlock", "@n") { $0.guarded(depth) }
    case 5: text += "  \(name()) = call i32 @sem_post(ptr @s)\n"
    case 6: text += "  \(name()) = call i32 @sem_wait(ptr @s)\n"
    case 7: branch(depth)
    case 8: spin()
    case 9: spinLock(depth)
    case 10: loop(depth)
    case 11: publish()
    case 12: consume()
    case 13: tryLock(depth)
    default:
      if random.below(2) == 0 {
        let v = name()
        text += "  \(v) = call i32 @__VERIFIER_nondet_bool()\n"
        keep(v)
      } else {
        let (v, c) = (load("%a"), name())
        text += "  \(c) = icmp ule i32 \(v), 1\n  call void @__VERIFIER_assume(i1 \(c))\n"
      }
    }
  }

  private mutating func guarded(_ depth: Int) {
    if random.below(3) > 0 { plain() }
    body(depth)
  }

  private mutating func between(
    _ lock: String, _ unlock: String, _ what: String, _ body: (inout Self) -> Void
  ) {
    text += "  \(name()) = call i32 \(lock)(ptr \(what))\n"
    body(&self)
    text += "  \(name()) = call i32 \(unlock)(ptr \(what))\n"
  }

  private mutating func branch(_ depth: Int) {
    let (v, c) = (load("%a"), name())
    let (yes, no, out) = (name("b"), name("b"), name("b"))
    text += "  \(c) = icmp eq i32 \(v), \(random.below(3))\n"
    text += "  br i1 \(c), label %\(yes), label %\(no)\n\(yes):\n"
    body(depth)
    text += "  br label %\(out)\n\(no):\n"
    if random.below(2) == 0 { body(depth) }
    text += "  br label %\(out)\n\(out):\n"
  }

  /// Waits until a word has another value.
  private mutating func spin() {
    let (head, out, v, c) = (name("b"), name("b"), name(), name())
    text += "  br label %\(head)\n\(head):\n"
    text += "  \(v) = load atomic i32, ptr \(word()) acquire, align 4\n"
    text += "  \(c) = icmp eq i32 \(v), \(random.below(4) == 0 ? 0 : 3)\n"
    text += "  br i1 \(c), label %\(head), label %\(out)\n\(out):\n"
    keep(v)
  }

  private mutating func spinLock(_ depth: Int) {
    let (head, out, v, c) = (name("b"), name("b"), name(), name())
    text += "  br label %\(head)\n\(head):\n"
    text += "  \(v) = atomicrmw xchg ptr @flag, i32 1 acquire, align 4\n"
    text += "  \(c) = icmp eq i32 \(v), 0\n"
    text += "  br i1 \(c), label %\(out), label %\(head)\n\(out):\n"
    guarded(depth)
    let order = random.below(6) == 0 ? "monotonic" : "release"
    text += "  store atomic i32 0, ptr @flag \(order), align 4\n"
  }

  private mutating func loop(_ depth: Int) {
    let (head, out, c, sum) = (name("b"), name("b"), name(), name())
    text += "  store i32 0, ptr %i\n  br label %\(head)\n\(head):\n"
    budget = min(budget, 1)
    statement(depth: 2)
    let i = load("%i")
    text += "  \(sum) = add i32 \(i), 1\n  store i32 \(sum), ptr %i\n"
    text += "  \(c) = icmp ult i32 \(sum), 2\n"
    text += "  br i1 \(c), label %\(head), label %\(out)\n\(out):\n"
  }

  private mutating func tryLock(_ depth: Int) {
    let (r, c, yes, out) = (name(), name(), name("b"), name("b"))
    text += "  \(r) = call i32 @pthread_mutex_trylock(ptr @m)\n"
    text += "  \(c) = icmp eq i32 \(r), 0\n  br i1 \(c), label %\(yes), label %\(out)\n\(yes):\n"
    guarded(depth)
    text += "  \(name()) = call i32 @pthread_mutex_unlock(ptr @m)\n  br label %\(out)\n\(out):\n"
  }

  /// Publishes an object; what was there is freed, perhaps after a grace period.
  private mutating func publish() {
    let (p, old, c, yes, out) = (name(), name(), name(), name("b"), name("b"))
    let v = value()
    text += "  \(p) = call ptr @malloc(i64 8)\n  store i32 \(v), ptr \(p)\n"
    text += "  \(old) = atomicrmw xchg ptr @heap, ptr \(p) acq_rel, align 8\n"
    text += "  \(c) = icmp ne ptr \(old), null\n"
    text += "  br i1 \(c), label %\(yes), label %\(out)\n\(yes):\n"
    if random.below(4) > 0 { text += "  call void @synchronize_rcu()\n" }
    text += "  call void @free(ptr \(old))\n  br label %\(out)\n\(out):\n"
  }

  /// Reads a published object.
  private mutating func consume() {
    let (p, c, v, yes, out) = (name(), name(), name(), name("b"), name("b"))
    let isSection = random.below(4) > 0
    if isSection { text += "  call void @rcu_read_lock()\n" }
    text += "  \(p) = load atomic ptr, ptr @heap acquire, align 8\n"
    text += "  \(c) = icmp ne ptr \(p), null\n  br i1 \(c), label %\(yes), label %\(out)\n\(yes):\n"
    text += "  \(v) = load i32, ptr \(p)\n"
    keep(v)
    text += "  br label %\(out)\n\(out):\n"
    if isSection { text += "  call void @rcu_read_unlock()\n" }
  }
}

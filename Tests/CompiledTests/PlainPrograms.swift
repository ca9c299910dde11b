// Small programs as LLVM IR, so that no test here needs a compiler.

import GracewalkCompiled
import GracewalkExploration
import GracewalkLLVM

/// Programs with two threads that run `@worker`.
enum PlainPrograms {
  /// A module in which `main` creates threads, joins them, and then does something.
  static func module(
    _ globals: String, worker: String, threads: Int = 2, afterwards: String = ""
  ) -> String {
    var text = "\(globals)\n"
    text += "define ptr @worker(ptr %0) {\n\(worker)\n}\n"
    text += "define i32 @main() {\n"
    for thread in 0..<threads {
      text += "  %t\(thread) = alloca i64\n"
      text += "  %c\(thread) = call i32 @pthread_create(ptr %t\(thread), ptr null, ptr @worker, "
      text += "ptr inttoptr (i64 \(thread) to ptr))\n"
    }
    for thread in 0..<threads {
      text += "  %i\(thread) = load i64, ptr %t\(thread)\n"
      text += "  %j\(thread) = call i32 @pthread_join(i64 %i\(thread), ptr null)\n"
    }
    text += "\(afterwards)\n  ret i32 0\n}\n"
    text += "declare i32 @pthread_create(ptr, ptr, ptr, ptr)\ndeclare i32 @pthread_join(i64, ptr)\n"
    text += "declare void @abort()\ndeclare ptr @malloc(i64)\ndeclare void @free(ptr)\n"
    text += "declare i32 @pthread_mutex_lock(ptr)\ndeclare i32 @pthread_mutex_unlock(ptr)\n"
    text += "declare void @__VERIFIER_assume(i1)\n"
    return text
  }

  static func check(
    _ text: String, _ options: ProgramOptions = ProgramOptions(),
    by search: (TransitionSystem, SearchOptions) -> SearchResult = {
      OptimalSearch($0, $1).run()
    }
  ) throws -> ProgramResult {
    let module = try IRReader.read(Array(text.utf8), file: "test.ll")
    return try Program([module], options).search(SearchOptions(), by: search)
  }

  static let zero = "@x = global i32 0\n@y = global i32 0\n@m = global [10 x i32] zeroinitializer\n"

  /// Each thread adds 1 to `@x`, with a plain load and store.
  static let plainCounter = module(
    zero,
    worker: """
        %a = load i32, ptr @x
        %b = add nsw i32 %a, 1
        store i32 %b, ptr @x
        ret ptr null
      """)

  /// The same under a lock, and `main` looks at the result.
  static let lockedCounter = module(
    zero,
    worker: """
        %l = call i32 @pthread_mutex_lock(ptr @m)
        %a = load i32, ptr @x
        %b = add nsw i32 %a, 1
        store i32 %b, ptr @x
        %u = call i32 @pthread_mutex_unlock(ptr @m)
        ret ptr null
      """, afterwards: lookAtX)

  static let lookAtX = """
      %v = load i32, ptr @x
      %ok = icmp eq i32 %v, 2
      br i1 %ok, label %good, label %bad
    bad:
      call void @abort()
      unreachable
    good:
    """

  /// The same with a load and a store that are atomic, but not together.
  static let tornCounter = module(
    zero,
    worker: """
        %a = load atomic i32, ptr @x seq_cst, align 4
        %b = add nsw i32 %a, 1
        store atomic i32 %b, ptr @x seq_cst, align 4
        ret ptr null
      """, afterwards: lookAtX)

  /// Each thread adds 1 with a read-modify-write.
  static func atomicCounter(threads: Int) -> String {
    module(
      zero,
      worker: """
          %a = atomicrmw add ptr @x, i32 1 seq_cst, align 4
          ret ptr null
        """, threads: threads)
  }

  /// Each thread takes a lock that spins, and adds 1 to a plain word.
  static func spinLock(releases: String) -> String {
    module(
      zero,
      worker: """
          br label %try
        try:
          %old = atomicrmw xchg ptr @y, i32 1 acquire, align 4
          %free = icmp eq i32 %old, 0
          br i1 %free, label %in, label %try
        in:
          %a = load i32, ptr @x
          %b = add nsw i32 %a, 1
          store i32 %b, ptr @x
          store atomic i32 0, ptr @y \(releases), align 4
          ret ptr null
        """, afterwards: lookAtX)
  }
}

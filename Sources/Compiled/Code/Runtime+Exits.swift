// What is done at exit.

extension Runtime {
  /// Functions are run in the reverse of the order in which they were registered.
  static let exitCode = code("exit") + code("quick_exit")

  private static func code(_ exit: String) -> String {
    """
    @gw.at_\(exit) = internal global [32 x ptr] zeroinitializer
    @gw.at_\(exit)_count = internal global i32 0
    define i32 @at\(exit == "exit" ? exit : "_" + exit)(ptr %f) {
      %n = atomicrmw add ptr @gw.at_\(exit)_count, i32 1 seq_cst, align 4
      %fits = icmp ult i32 %n, 32
      br i1 %fits, label %there, label %full
    there:
      %i = zext i32 %n to i64
      %p = getelementptr [32 x ptr], ptr @gw.at_\(exit), i64 0, i64 %i
      store atomic ptr %f, ptr %p seq_cst, align 8
      ret i32 0
    full:
      ret i32 1
    }
    define void @gw.run_\(exit)() {
    entry:
      br label %head
    head:
      %n = load atomic i32, ptr @gw.at_\(exit)_count seq_cst, align 4
      %none = icmp eq i32 %n, 0
      br i1 %none, label %done, label %one
    one:
      %last = sub i32 %n, 1
      store atomic i32 %last, ptr @gw.at_\(exit)_count seq_cst, align 4
      %i = zext i32 %last to i64
      %p = getelementptr [32 x ptr], ptr @gw.at_\(exit), i64 0, i64 %i
      %f = load atomic ptr, ptr %p seq_cst, align 8
      call void %f()
      br label %head
    done:
      ret void
    }

    """
  }
}

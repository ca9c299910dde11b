// A module that has every kind of entity and instruction that is read.

enum SampleText {
  static let module = #"""
    ; ModuleID = 'sample.c'
    source_filename = "sample.c"
    target datalayout = "e-m:e-p270:32:32-i64:64-i128:128-f80:128-n8:16:32:64-S128"
    target triple = "x86_64-unknown-linux-gnu"

    %struct.node = type { i32, ptr, [3 x i16] }
    %struct.packed = type <{ i8, i64 }>
    %struct.hidden = type opaque

    $inlined = comdat any

    @counter = dso_local global i32 -7, align 4, !dbg !0
    @node = internal global %struct.node { i32 3, ptr @node, [3 x i16] [i16 1, i16 2, i16 3] }
    @text = private unnamed_addr constant [4 x i8] c"h\0Ai\00", align 1
    @middle = global ptr getelementptr inbounds (%struct.node, ptr @node, i64 0, i32 2, i64 1)
    @distance = global i64 sub (i64 ptrtoint (ptr @middle to i64), i64 ptrtoint (ptr @node to i64))
    @own = thread_local(localexec) global i64 5, align 8
    @elsewhere = external global i32
    @other = alias i32, ptr @counter

    ; Function Attrs: noinline nounwind
    define dso_local i32 @add(i32 noundef %0, ptr noundef nonnull align 8 %1) #0 !dbg !5 {
      %3 = alloca i32, align 4
      %4 = alloca [2 x i64], align 16
        #dbg_declare(ptr %3, !9, !DIExpression(), !7)
      store i32 %0, ptr %3, align 4, !dbg !7, !tbaa !10
      %5 = load i32, ptr %3, align 4, !dbg !7
      %6 = getelementptr inbounds nuw %struct.node, ptr %1, i32 0, i32 1
      %7 = load ptr, ptr %6, align 8
      %8 = load atomic i32, ptr %7 acquire, align 8
      store atomic volatile i32 %8, ptr @counter syncscope("singlethread") release, align 4
      %9 = cmpxchg weak ptr @counter, i32 %5, i32 %8 acq_rel monotonic, align 4
      %10 = extractvalue { i32, i1 } %9, 0
      %11 = extractvalue { i32, i1 } %9, 1
      br i1 %11, label %12, label %14

    12:                                               ; preds = %2
      %13 = atomicrmw add ptr @counter, i32 1 seq_cst, align 4
      fence seq_cst
      br label %14

    14:                                               ; preds = %12, %2
      %15 = phi i32 [ %10, %2 ], [ %13, %12 ]
      %16 = add nsw i32 %15, 1
      %17 = icmp slt i32 %16, 10
      %18 = select i1 %17, i32 %16, i32 10
      %19 = sext i32 %18 to i64
      %20 = freeze i64 %19
      switch i64 %20, label %24 [
        i64 1, label %21
        i64 -2, label %21
      ]

    21:                                               ; preds = %14, %14
      %22 = call i32 (ptr, ...) @printf(ptr noundef @text, i32 noundef %16), !dbg !8
      %23 = insertvalue { i64, i64 } poison, i64 %20, 1
      ret i32 %22

    24:                                               ; preds = %14
      unreachable
    }

    declare i32 @printf(ptr noundef, ...) #1

    define linkonce_odr void @inlined() comdat {
    entry:
      tail call void asm sideeffect "", "~{memory}"() #2, !srcloc !11
      ret void
    }

    attributes #0 = { noinline nounwind "target-cpu"="x86-64" }
    attributes #1 = { "no-trapping-math"="true" }

    !llvm.module.flags = !{!3}

    !0 = !DIGlobalVariableExpression(var: !1, expr: !DIExpression())
    !1 = distinct !DIGlobalVariable(name: "counter", scope: !2, file: !4, line: 3, isLocal: false)
    !2 = distinct !DICompileUnit(language: DW_LANG_C11, file: !4, producer: "clang")
    !3 = !{i32 7, !"Dwarf Version", i32 5}
    !4 = !DIFile(filename: "sample.c", directory: "/")
    !5 = distinct !DISubprogram(name: "add", scope: !4, file: !4, line: 7, type: !6, unit: !2)
    !6 = !DISubroutineType(types: !{})
    !7 = !DILocation(line: 8, column: 3, scope: !5)
    !8 = !DILocation(line: 2, column: 9, scope: !12, inlinedAt: !7)
    !9 = !DILocalVariable(name: "a", arg: 1, scope: !5, file: !4, line: 7)
    !10 = !{!"int", !3}
    !11 = !{i64 5}
    !12 = distinct !DISubprogram(name: "helper", scope: !4, file: !4, line: 1, unit: !2)
    """#
}

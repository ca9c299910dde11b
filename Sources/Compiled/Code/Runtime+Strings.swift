// String functions, byte by byte.

extension Runtime {
  static let strings = """
    define i64 @strlen(ptr %s) {
      %n = call i64 @strnlen(ptr %s, i64 -1)
      ret i64 %n
    }
    define i64 @strnlen(ptr %s, i64 %max) {
    entry:
      br label %head
    head:
      %i = phi i64 [ 0, %entry ], [ %next, %more ]
      %full = icmp eq i64 %i, %max
      br i1 %full, label %done, label %look
    look:
      %p = getelementptr i8, ptr %s, i64 %i
      %c = load i8, ptr %p
      %end = icmp eq i8 %c, 0
      br i1 %end, label %done, label %more
    more:
      %next = add i64 %i, 1
      br label %head
    done:
      ret i64 %i
    }
    define i32 @strcmp(ptr %a, ptr %b) {
      %r = call i32 @strncmp(ptr %a, ptr %b, i64 -1)
      ret i32 %r
    }
    define i32 @strncmp(ptr %a, ptr %b, i64 %max) {
    entry:
      br label %head
    head:
      %i = phi i64 [ 0, %entry ], [ %next, %more ]
      %full = icmp eq i64 %i, %max
      br i1 %full, label %same, label %look
    look:
      %p = getelementptr i8, ptr %a, i64 %i
      %q = getelementptr i8, ptr %b, i64 %i
      %c = load i8, ptr %p
      %d = load i8, ptr %q
      %x = zext i8 %c to i32
      %y = zext i8 %d to i32
      %equal = icmp eq i32 %x, %y
      br i1 %equal, label %on, label %differ
    on:
      %end = icmp eq i32 %x, 0
      br i1 %end, label %same, label %more
    more:
      %next = add i64 %i, 1
      br label %head
    differ:
      %r = sub i32 %x, %y
      ret i32 %r
    same:
      ret i32 0
    }
    define i32 @memcmp(ptr %a, ptr %b, i64 %n) {
    entry:
      br label %head
    head:
      %i = phi i64 [ 0, %entry ], [ %next, %more ]
      %full = icmp eq i64 %i, %n
      br i1 %full, label %same, label %look
    look:
      %p = getelementptr i8, ptr %a, i64 %i
      %q = getelementptr i8, ptr %b, i64 %i
      %c = load i8, ptr %p
      %d = load i8, ptr %q
      %x = zext i8 %c to i32
      %y = zext i8 %d to i32
      %equal = icmp eq i32 %x, %y
      br i1 %equal, label %more, label %differ
    more:
      %next = add i64 %i, 1
      br label %head
    differ:
      %r = sub i32 %x, %y
      ret i32 %r
    same:
      ret i32 0
    }
    define i32 @bcmp(ptr %a, ptr %b, i64 %n) {
      %r = call i32 @memcmp(ptr %a, ptr %b, i64 %n)
      ret i32 %r
    }
    define ptr @memchr(ptr %s, i32 %c, i64 %n) {
    entry:
      %wanted = trunc i32 %c to i8
      br label %head
    head:
      %i = phi i64 [ 0, %entry ], [ %next, %more ]
      %full = icmp eq i64 %i, %n
      br i1 %full, label %none, label %look
    look:
      %p = getelementptr i8, ptr %s, i64 %i
      %d = load i8, ptr %p
      %equal = icmp eq i8 %d, %wanted
      br i1 %equal, label %found, label %more
    more:
      %next = add i64 %i, 1
      br label %head
    found:
      ret ptr %p
    none:
      ret ptr null
    }
    define ptr @strchr(ptr %s, i32 %c) {
      %n = call i64 @strlen(ptr %s)
      %all = add i64 %n, 1
      %p = call ptr @memchr(ptr %s, i32 %c, i64 %all)
      ret ptr %p
    }
    define ptr @strrchr(ptr %s, i32 %c) {
    entry:
      %wanted = trunc i32 %c to i8
      %n = call i64 @strlen(ptr %s)
      br label %head
    head:
      %i = phi i64 [ %n, %entry ], [ %next, %more ]
      %p = getelementptr i8, ptr %s, i64 %i
      %d = load i8, ptr %p
      %equal = icmp eq i8 %d, %wanted
      br i1 %equal, label %found, label %less
    less:
      %start = icmp eq i64 %i, 0
      br i1 %start, label %none, label %more
    more:
      %next = sub i64 %i, 1
      br label %head
    found:
      ret ptr %p
    none:
      ret ptr null
    }
    define ptr @strcpy(ptr %to, ptr %from) {
      %n = call i64 @strlen(ptr %from)
      %all = add i64 %n, 1
      call ptr @memcpy(ptr %to, ptr %from, i64 %all)
      ret ptr %to
    }
    define ptr @stpcpy(ptr %to, ptr %from) {
      %n = call i64 @strlen(ptr %from)
      %all = add i64 %n, 1
      call ptr @memcpy(ptr %to, ptr %from, i64 %all)
      %end = getelementptr i8, ptr %to, i64 %n
      ret ptr %end
    }
    define ptr @strncpy(ptr %to, ptr %from, i64 %max) {
      %n = call i64 @strnlen(ptr %from, i64 %max)
      call ptr @memset(ptr %to, i32 0, i64 %max)
      call ptr @memcpy(ptr %to, ptr %from, i64 %n)
      ret ptr %to
    }
    define ptr @strcat(ptr %to, ptr %from) {
      %n = call i64 @strlen(ptr %to)
      %end = getelementptr i8, ptr %to, i64 %n
      call ptr @strcpy(ptr %end, ptr %from)
      ret ptr %to
    }
    define ptr @strdup(ptr %s) {
      %n = call i64 @strlen(ptr %s)
      %all = add i64 %n, 1
      %p = call ptr @malloc(i64 %all)
      call ptr @memcpy(ptr %p, ptr %s, i64 %all)
      ret ptr %p
    }
    define i32 @atoi(ptr %s) {
      %v = call i64 @strtol(ptr %s, ptr null, i32 10)
      %r = trunc i64 %v to i32
      ret i32 %r
    }
    define i64 @strtol(ptr %s, ptr %out, i32 %base) {
    entry:
      %first = load i8, ptr %s
      %minus = icmp eq i8 %first, 45
      %start = zext i1 %minus to i64
      br label %head
    head:
      %i = phi i64 [ %start, %entry ], [ %next, %more ]
      %sum = phi i64 [ 0, %entry ], [ %new, %more ]
      %p = getelementptr i8, ptr %s, i64 %i
      %c = load i8, ptr %p
      %digit = sub i8 %c, 48
      %is = icmp ult i8 %digit, 10
      br i1 %is, label %more, label %done
    more:
      %d = zext i8 %digit to i64
      %ten = mul i64 %sum, 10
      %new = add i64 %ten, %d
      %next = add i64 %i, 1
      br label %head
    done:
      %negative = sub i64 0, %sum
      %r = select i1 %minus, i64 %negative, i64 %sum
      %asked = icmp ne ptr %out, null
      br i1 %asked, label %tell, label %leave
    tell:
      store ptr %p, ptr %out
      br label %leave
    leave:
      ret i64 %r
    }
    declare ptr @memset(ptr, i32, i64)

    """
}

// A small set of tests: shapes that everybody knows by name, and what each comes to.

import GracewalkLitmus

/// A test, and what sequential consistency makes of it.
struct Shape: Sendable {
  var name: String
  var text: String
  var observation: LitmusReport.Observation
  /// Final states that pass the filter.
  var states: Int

  init(
    _ name: String, _ observation: LitmusReport.Observation, _ states: Int, _ text: String
  ) {
    self.name = name
    self.observation = observation
    self.states = states
    self.text = text
  }

  func read() throws(LitmusError) -> LitmusTest { try LitmusTest(reading: text) }

  static let all = kernel + x86 + arm

  static let kernel = [
    Shape(
      "MP", .never, 3,
      """
      C MP
      (* a message, and a flag that it is there *)
      {}
      P0(int *x, int *y)
      {
        WRITE_ONCE(*x, 1);
        smp_wmb();
        WRITE_ONCE(*y, 1);
      }
      P1(int *x, int *y)
      {
        int r0;
        int r1;
        r0 = READ_ONCE(*y);
        smp_rmb();
        r1 = READ_ONCE(*x);
      }
      exists (1:r0=1 /\\ 1:r1=0)
      """),
    Shape(
      "SB", .never, 3,
      """
      C SB
      { x = 0; y = 0; }
      P0(int *x, int *y) { int r0; WRITE_ONCE(*x, 1); smp_mb(); r0 = READ_ONCE(*y); }
      P1(int *x, int *y) { int r0; WRITE_ONCE(*y, 1); smp_mb(); r0 = READ_ONCE(*x); }
      exists (0:r0=0 /\\ 1:r0=0)
      """),
    Shape(
      "LB+ctrl", .never, 2,
      """
      C LB+ctrl
      {}
      P0(int *x, int *y) { int r0 = READ_ONCE(*x); if (r0) WRITE_ONCE(*y, 1); }
      P1(int *x, int *y) { int r0 = smp_load_acquire(y); smp_store_release(x, 1); }
      exists (0:r0=1 /\\ 1:r0=1)
      """),
    Shape(
      "IRIW", .never, 15,
      """
      C IRIW
      {}
      P0(int *x) { WRITE_ONCE(*x, 1); }
      P1(int *y) { WRITE_ONCE(*y, 1); }
      P2(int *x, int *y) { int r0; int r1; r0 = READ_ONCE(*x); r1 = READ_ONCE(*y); }
      P3(int *x, int *y) { int r0; int r1; r0 = READ_ONCE(*y); r1 = READ_ONCE(*x); }
      exists (2:r0=1 /\\ 2:r1=0 /\\ 3:r0=1 /\\ 3:r1=0)
      """),
    Shape(
      "MP+pointer", .always, 2,
      """
      C MP+pointer
      { int z = 7; p = &z; int y = 3; }
      P0(int **p, int *y) { rcu_assign_pointer(*p, y); }
      P1(int **p) { int *r0; int r1; r0 = rcu_dereference(*p); r1 = READ_ONCE(*r0); }
      forall (1:r0=&z /\\ 1:r1=7 \\/ 1:r0=y /\\ 1:r1=3)
      """),
    Shape(
      "RCU-MP", .never, 3,
      """
      C RCU-MP
      {}
      P0(int *x, int *y)
      {
        int r0; int r1;
        rcu_read_lock();
        r0 = READ_ONCE(*y);
        rcu_read_lock();
        r1 = READ_ONCE(*x);
        rcu_read_unlock();
        rcu_read_unlock();
      }
      P1(int *x, int *y) { WRITE_ONCE(*y, 1); synchronize_rcu(); WRITE_ONCE(*x, 1); }
      ~exists (0:r0=0 /\\ 0:r1=1)
      """),
    Shape(
      "RCU-MP+no-section", .sometimes, 4,
      """
      C RCU-MP+no-section
      {}
      P0(int *x, int *y) { int r0; int r1; r0 = READ_ONCE(*y); r1 = READ_ONCE(*x); }
      P1(int *x, int *y) { WRITE_ONCE(*y, 1); synchronize_rcu(); WRITE_ONCE(*x, 1); }
      ~exists (0:r0=0 /\\ 0:r1=1)
      """),
    Shape(
      "SRCU-MP", .never, 3,
      """
      C SRCU-MP
      {}
      P0(int *x, int *y, struct srcu_struct *s)
      {
        int r0; int r1; int r2;
        r2 = srcu_read_lock(s);
        r0 = READ_ONCE(*y);
        r1 = READ_ONCE(*x);
        srcu_read_unlock(s, r2);
      }
      P1(int *x, int *y, struct srcu_struct *s)
      {
        WRITE_ONCE(*y, 1);
        synchronize_srcu(s);
        WRITE_ONCE(*x, 1);
      }
      exists (0:r0=0 /\\ 0:r1=1)
      """),
    Shape(
      "SRCU-MP+others", .sometimes, 4,
      """
      C SRCU-MP+others
      {}
      P0(int *x, int *y, struct srcu_struct *s)
      {
        int r0; int r1;
        int r2 = srcu_read_lock(s);
        r0 = READ_ONCE(*y);
        r1 = READ_ONCE(*x);
        srcu_read_unlock(s, r2);
      }
      P1(int *x, int *y, struct srcu_struct *t)
      {
        WRITE_ONCE(*y, 1);
        synchronize_srcu(t);
        WRITE_ONCE(*x, 1);
      }
      exists (0:r0=0 /\\ 0:r1=1)
      """),
    Shape(
      "lock+count", .always, 1,
      """
      C lock+count
      { spinlock_t s; }
      P0(int *x, spinlock_t *s)
      { int r0; spin_lock(s); r0 = READ_ONCE(*x); WRITE_ONCE(*x, r0 + 1); spin_unlock(s); }
      P1(int *x, spinlock_t *s)
      { int r0; spin_lock(s); r0 = READ_ONCE(*x); WRITE_ONCE(*x, r0 + 1); spin_unlock(s); }
      forall (x=2)
      """),
    Shape(
      "no-lock+count", .sometimes, 2,
      """
      C no-lock+count
      {}
      P0(int *x) { int r0; r0 = READ_ONCE(*x); WRITE_ONCE(*x, r0 + 1); }
      P1(int *x) { int r0; r0 = READ_ONCE(*x); WRITE_ONCE(*x, r0 + 1); }
      forall (x=2)
      """),
    Shape(
      "trylock", .always, 3,
      """
      C trylock
      {}
      P0(spinlock_t *s) { int r0 = spin_trylock(s); if (r0) spin_unlock(s); }
      P1(spinlock_t *s) { int r0 = spin_trylock(s); if (r0 == 1) { spin_unlock(s); } }
      forall (0:r0=1 \\/ 1:r0=1)
      """),
    Shape(
      "atomics", .always, 1,
      """
      C atomics
      { atomic_t v = ATOMIC_INIT(5); }
      P0(atomic_t *v) { int r0; atomic_inc(v); r0 = atomic_add_unless(v, 10, 0); }
      P1(atomic_t *v) { int r0; r0 = atomic_add_return(2, v); atomic_or(256, v); }
      P2(atomic_t *v) { int r0; r0 = atomic_add_unless(v, 1, 300) ? 4 : 5; }
      forall (v=275 /\\ 0:r0=1 /\\ 2:r0=4)
      """),
    Shape(
      "postfix", .always, 1,
      """
      C postfix
      {}
      P0(int *x) { int r0 = 5; int r1 = r0++; int r2 = r0--; WRITE_ONCE(*x, r0); }
      forall (0:r0=5 /\\ 0:r1=5 /\\ 0:r2=6 /\\ x=5)
      """),
    Shape(
      "cmpxchg", .never, 2,
      """
      C cmpxchg
      {}
      P0(int *x) { int r0 = cmpxchg(x, 0, 1); }
      P1(int *x) { int r0 = cmpxchg_acquire(x, 0, 2); }
      locations [x]
      exists (0:r0=0 /\\ 1:r0=0)
      """),
    Shape(
      "await", .always, 1,
      """
      C await
      {}
      P0(int *x, int *y) { WRITE_ONCE(*y, 1); smp_store_release(x, 1); }
      P1(int *x, int *y)
      {
        int r0;
        while (!smp_load_acquire(x))
          cpu_relax();
        r0 = READ_ONCE(*y);
      }
      forall (1:r0=1)
      """),
    Shape(
      "filter", .never, 1,
      """
      C filter
      {}
      P0(int *x, int *y) { WRITE_ONCE(*x, 1); WRITE_ONCE(*y, 1); }
      P1(int *x, int *y) { int r0; int r1; r0 = READ_ONCE(*y); r1 = READ_ONCE(*x); }
      filter (1:r0=1)
      exists (~1:r1=1)
      """),
    Shape(
      "logic", .always, 1,
      """
      C logic
      {}
      P0(int *x)
      {
        int r0 = 0; int r1 = 0; int i;
        for (i = 0; i < 3; i++) { if (i == 1) continue; r0 += i + 1; }
        do { r1 = r1 + 2; if (r1 > 5 || READ_ONCE(*x)) break; } while (r1 < 9 && r0 != 0);
        r0 = r0 * 2 - (r1 << 1) / 3;
      }
      forall (0:r0=4 /\\ 0:r1=6)
      """),
  ]

  static let x86 = [
    Shape(
      "SB-Intel", .never, 3,
      """
      X86 SB
      "PodWR Fre PodWR Fre"
      { x=0; y=0; }
       P0          | P1          ;
       MOV [x],$1  | MOV [y],$1  ;
       MOV EAX,[y] | MOV EAX,[x] ;
      exists (0:EAX=0 /\\ 1:EAX=0)
      """),
    Shape(
      "MP-ATT", .never, 3,
      """
      X86_64 MP
      Orig=PodWW Rfe PodRR Fre
      {
      uint64_t y; uint64_t x;
      1:rdi=y;
      }
       P0          | P1                ;
       movq $1,(x) | movq (%rdi),%rax  ;
       movq $1,(y) | mfence            ;
                   | movq (x),%rbx     ;
      locations [x;]
      exists (1:rax=1 /\\ 1:rbx=0)
      """),
    Shape(
      "locked-add", .always, 1,
      """
      X86_64 locked-add
      {}
       P0               | P1               ;
       movl $2,%eax     | lock addl $5,(x) ;
       lock xaddl %eax,(x) |               ;
      forall ([x]=7)
      """),
    Shape(
      "not-keeps-flags", .always, 1,
      """
      X86 not-keeps-flags
      {}
       P0          ;
       MOV EAX,$0  ;
       CMP EAX,$0  ;
       NOT EAX     ;
       JE L        ;
       MOV [x],$1  ;
       L:          ;
       XOR EAX,$-1 ;
       JE M        ;
       MOV [x],$2  ;
       M:          ;
      forall (x=0 /\\ 0:EAX=0)
      """),
    Shape(
      "plain-add", .sometimes, 3,
      """
      X86 plain-add
      {}
       P0       | P1       ;
       INC [x]  | ADD [x],$2 ;
      forall (x=3)
      """),
    Shape(
      "branch", .always, 3,
      """
      X86 branch
      {}
       P0          | P1          ;
       MOV EAX,[x] | MOV [x],$1  ;
       CMP EAX,$0  | MOV [x],$2  ;
       JE L0       |             ;
       MOV [y],EAX |             ;
       L0:         |             ;
      forall ([y]=0:EAX)
      """),
  ]

  static let arm = [
    Shape(
      "MP-A64", .never, 3,
      """
      AArch64 MP
      { 0:X1=x; 0:X3=y; 1:X1=y; 1:X3=x; }
       P0          | P1              ;
       MOV W0,#1   | LDR W0,[X1]     ;
       STR W0,[X1] | EOR W2,W0,W0    ;
       DMB ISHST   | LDR W4,[X3,W2,SXTW] ;
       STR W0,[X3] |                 ;
      exists (1:X0=1 /\\ 1:X4=0)
      """),
    Shape(
      "exclusives", .never, 4,
      """
      AArch64 exclusives
      { 0:X1=x; 1:X1=x; }
       P0              | P1              ;
       LDXR W0,[X1]    | LDXR W0,[X1]    ;
       ADD W0,W0,#1    | ADD W0,W0,#1    ;
       STXR W2,W0,[X1] | STXR W2,W0,[X1] ;
      exists (0:X2=0 /\\ 1:X2=0 /\\ x=1)
      """),
    Shape(
      "swap", .always, 2,
      """
      AArch64 swap
      { 0:X1=x; 1:X1=x; }
       P0              | P1                ;
       MOV W0,#1       | MOV W0,#2         ;
       SWPAL W0,W2,[X1] | CMP W0,#2        ;
                       | B.NE L0           ;
                       | LDADD W0,W2,[X1]  ;
                       | L0:               ;
      forall (x=3 /\\ 0:X2=0 \\/ x=1 /\\ 0:X2=2)
      """),
  ]
}

// Every shape comes to what it must, by every search.

import GracewalkChecking
import GracewalkExploration
import GracewalkLitmus
import Testing

@Suite struct LitmusCheckTests {
  @Test(arguments: Shape.all.map(\.name))
  func verdictIsKnown(name: String) throws {
    let shape = try #require(Shape.all.first { $0.name == name })
    let report = try shape.read().check()
    #expect(report.reason == nil)
    #expect(report.flags.isEmpty)
    #expect(report.observation == shape.observation)
    #expect(report.states.count == shape.states, "\(report.states.map(report.text))")
  }

  @Test func searchesAgree() throws {
    for shape in Shape.all {
      let test = try shape.read()
      var options = LitmusOptions()
      options.strategy = .exhaustive
      let all = test.check(options)
      #expect(all.isComplete)
      for strategy in [Strategy.stateful, .optimal, .source] {
        for isExact in strategy.mergesStates ? [false, true] : [false] {
          options.strategy = strategy
          options.isExact = isExact
          let report = test.check(options)
          #expect(report.isComplete)
          #expect(report.states == all.states, "\(shape.name), \(strategy)")
        }
      }
    }
  }

  @Test func answersFollowFromTheQuantifier() throws {
    let answers = try ["exists", "~exists", "forall"].map { quantifier in
      let shape = try #require(Shape.all.first { $0.name == "no-lock+count" })
      let text = shape.text.replacing("forall", with: quantifier)
      return try LitmusTest(reading: text).check().answer
    }
    #expect(answers == [.validated, .refuted, .refuted])
  }

  @Test func aBoundLeavesItOpen() throws {
    let shape = try #require(Shape.kernel.first { $0.name == "IRIW" })
    var options = LitmusOptions()
    options.limits = Limits(states: 10)
    let report = try shape.read().check(options)
    #expect(report.reason != nil)
    #expect(report.answer == .open)
  }

  /// What a test must not do is said, and ends the process.
  @Test func mistakesAreFlagged() throws {
    let text = """
      C wild
      {}
      P0(int *x, struct srcu_struct *s)
      {
        int r0 = READ_ONCE(*x);
        rcu_read_unlock();
        srcu_read_unlock(s, 3);
      }
      P1(int *x) { int *r0; r0 = READ_ONCE(*x); WRITE_ONCE(*r0, 1); }
      exists (0:r0=0)
      """
    let report = try LitmusTest(reading: text).check()
    #expect(
      report.flags == [
        "line 6: P0 leaves a read-side section that it is not in",
        "line 7: P0 leaves a section of s that there is not",
        "line 9: P1 reaches for 0, where there is no word",
      ])
    #expect(report.states.isEmpty)
    #expect(report.observation == .never)
  }

  /// A section that is left twice is flagged, and the test goes on.
  @Test func aSectionIsLeftOnce() throws {
    let text = """
      C twice
      {}
      P0(int *x, struct srcu_struct *s)
      {
        int r0 = srcu_read_lock(s);
        srcu_read_unlock(s, r0);
        srcu_read_unlock(s, r0);
      }
      P1(int *x, struct srcu_struct *s) { synchronize_srcu(s); WRITE_ONCE(*x, 1); }
      forall (x=1)
      """
    let report = try LitmusTest(reading: text).check()
    #expect(report.flags == ["line 7: P0 leaves a section that is not open"])
    #expect(report.observation == .always)
  }

  /// A lock that nobody gives back leaves no final state; nor does a loop without an end.
  @Test func whatNeverEndsHasNoFinalState() throws {
    for body in ["spin_lock(s); spin_lock(s);", "while (1) ;", "while (!READ_ONCE(*x)) ;"] {
      let text = "C stuck\n{}\nP0(int *x, spinlock_t *s) { \(body) }\nexists (x=0)"
      let report = try LitmusTest(reading: text).check()
      #expect(report.isComplete)
      #expect(report.states.isEmpty)
    }
  }
}

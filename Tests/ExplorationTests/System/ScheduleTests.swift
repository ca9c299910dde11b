// Schedules as text: every written form can be read, and no other.

import GracewalkExploration
import GracewalkSupport
import Testing

struct ScheduleTests {
  @Test(arguments: [
    "0", "63", "0*4,1,0*2,2:1", "0:1*3,0", "1,0,1,0", "5:12", "(0)", "0*4,(0*3,1*2)", "1,(1,0:1)",
  ])
  func textsAreReadAndWrittenTheSame(text: String) {
    #expect(Schedule(text: text)?.text == text)
  }

  /// A violation before the first step needs no steps.
  @Test func noStepsAreASchedule() {
    #expect(Schedule(text: "") == Schedule())
    #expect(Schedule().text == "")
  }

  @Test func runsAreSpelledOut() throws {
    let schedule = try #require(Schedule(text: "0*2,1:3,2:1*2"))
    let expected = [(0, 0), (0, 0), (1, 3), (2, 1), (2, 1)]
    #expect(schedule.steps == expected.map { Schedule.Step(cpu: $0, choice: $1) })
  }

  @Test func randomSchedulesSurvive() {
    var random = SplitMix64(seed: 7)
    for _ in 0..<500 {
      let steps = (0...random.below(30)).map { _ in
        Schedule.Step(cpu: random.below(3), choice: random.below(2))
      }
      #expect(Schedule(text: Schedule(steps).text) == Schedule(steps))
      let round = Schedule(steps, loop: random.below(steps.count))
      #expect(Schedule(text: round.text) == round)
    }
  }

  @Test(arguments: [
    ",", "0,", ",0", "0,,1", "0*0", "0**2", "0*", "*2", "+1", "-1", "0:", ":1", "0:1:2", "0*+2",
    "0:-1", "64", "100", "a", "0x1", " 0", "0 ", "0, 1", "0*2:1", "0*1*1", "٣", "0*10000000",
    "0*1000001", "0*999999,1*2", "()", "0,()", "(0", "0)", "0(1)", "(0),1", "(0)(1)", "((0))",
    "0,,(1)",
    "(0,)", ",(0)", "(0) ", "(,0)", "0,(1),", "99999999999999999999", "0*99999999999999999999",
  ])
  func malformedTextsAreRejected(text: String) {
    #expect(Schedule(text: text) == nil)
  }

  @Test func theLongestIsAMillionSteps() {
    #expect(Schedule(text: "0*1000000")?.steps.count == 1_000_000)
    #expect(Schedule(text: "0*999999,1")?.steps.count == 1_000_000)
  }
}

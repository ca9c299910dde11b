// All questions on one page, by date, with the tool's answers.

import GracewalkChecking

/// The questions of all systems.
struct QuestionsPage {
  private let systems: [SystemPage]

  init(_ systems: [SystemPage]) { self.systems = systems }

  var page: DocumentPage {
    let asked = systems.flatMap { system in system.origins.map { (system: system, origin: $0) } }
    // Sorting is stable, so questions of one day stay in the order of the catalogue.
    let ordered = asked.sorted { $0.origin.date < $1.origin.date }
    var lines = [
      "# Questions", "",
      "Each question was asked on a mailing list (reworded here) about an interleaving that was "
        + "hard to judge by reading the code. The answers are verdicts over every interleaving of "
        + "a scenario.", "",
    ]
    for (system, origin) in ordered {
      lines += ["## \(markdown(origin.question))", "", SystemPage.source(origin)]
      lines += ["see [\(system.system.title)](Systems/\(system.system.name).md).", ""]
      lines += SystemPage.answer(system.evidence(for: origin)).map {
        $0.replacing("](../Invariants/", with: "](Invariants/")
      }
    }
    return DocumentPage("Questions.md", lines)
  }
}

// The race that Gracewalk was made for, in the toy: a table is collapsed while a fault fills it.

// The root leads to a table of two entries. The collapser replaces the table by a block and frees
// the pages below it; the mapper installs a page in the first entry. The values of a word other
// than 0, which is an empty entry and, in the root, the table:
let (block, locked, page) = (-1, -2, 1)

func collapse(_ cpu: inout CPU, locks: Bool) throws {
  try cpu.store("root", block)
  for entry in ["table[0]", "table[1]"] {
    var found = try cpu.load(entry)
    if locks {
      // A mapper that comes later finds the entry locked and gives up.
      while try !cpu.compareExchange(entry, found, locked) { found = try cpu.load(entry) }
    }
    if found == page { try cpu.store("page is allocated", 0) }
  }
}

func map(_ cpu: inout CPU) throws {
  guard try cpu.load("root") != block else { return }
  try cpu.store("page is allocated", 1)
  if try !cpu.compareExchange("table[0]", 0, page) { try cpu.store("page is allocated", 0) }
}

func collapsing(locks: Bool) -> Program {
  Program(
    cpus: [
      ("collapser", { cpu in try collapse(&cpu, locks: locks) }),
      ("mapper", { cpu in try map(&cpu) }),
    ],
    memory: [:],
    problem: { memory in
      let isReachable = memory["root"] != block && memory["table[0]"] == page
      return memory["page is allocated"] == 1 && !isReachable ? "the page is leaked" : nil
    })
}

/// CPUs that share no word: one interleaving represents all.
let strangers = Program(
  cpus: (0..<5).map { number in
    ("cpu \(number)", { cpu in for turn in 1...3 { try cpu.store("word \(number)", turn) } })
  },
  memory: [:], problem: { _ in nil })

for (name, program) in [
  ("collapse with locks", collapsing(locks: true)),
  ("collapse without locks", collapsing(locks: false)),
  ("five strangers", strangers),
] {
  var checker = Checker(program)
  let problem = checker.check()
  print("\(name): \(problem ?? "holds"), \(checker.states) states, \(checker.steps) steps")
  for line in problem == nil ? [] : checker.trace { print("  \(line)") }
}
var unreduced = Checker(strangers, reduces: false)
_ = unreduced.check()
print("without sleep sets: \(unreduced.states) states, \(unreduced.steps) steps")

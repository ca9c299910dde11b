// swift run -c release checks: every command of gracewalk, for the models of this package.

import Gracewalk
import LateFlush

@main struct Checks {
  static func main() { Gracewalk.run(models: models) }
}

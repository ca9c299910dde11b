// The only module that users import: `import Gracewalk` gives the whole API.

// Underscored, but the only way for a module to re-export others.
@_exported import GracewalkChecking
@_exported import GracewalkExploration
@_exported import GracewalkInvariants
@_exported import GracewalkMachine
@_exported import GracewalkTraces

// The one module a user imports: `import Gracewalk` brings the whole vocabulary.

// Underscored, but the only way for one module to pass on the names of others.
@_exported import GracewalkChecking
@_exported import GracewalkExploration
@_exported import GracewalkInvariants
@_exported import GracewalkMachine
@_exported import GracewalkTraces

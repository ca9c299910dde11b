// The one module a user imports: `import Gracewalk` brings the whole vocabulary.

// Underscored, but the only way for one module to pass on the names of others.
@_exported import Checking
@_exported import Exploration
@_exported import Invariants
@_exported import Machine
@_exported import Traces

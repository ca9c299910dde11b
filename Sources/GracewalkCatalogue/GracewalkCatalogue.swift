// The models of Gracewalk's catalogue, for packages that use them in addition to their own.

// Underscored, but the only way for a module to re-export another.
@_exported import GracewalkModels

// The models of Gracewalk's own catalogue, for packages that want them beside their own.

// Underscored, but the only way for one module to pass on the names of another.
@_exported import GracewalkModels

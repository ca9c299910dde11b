// A constant that the other module needs.

/// The number of CPUs that fault at once.
public let cpuCount = 2

// Something small that the other module needs.

/// How many CPUs fault at once.
public let cpuCount = 2

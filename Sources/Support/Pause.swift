// Letting other threads run while there is nothing to do.

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Sleeps for about so long.
///
/// For threads that wait for something seldom and not for long: they look again after each pause,
/// so no wake-up can be lost.
public func pause(microseconds: UInt32) { usleep(microseconds) }

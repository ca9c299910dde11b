// Letting other threads run while a thread waits.

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Sleeps for about the given time.
///
/// For threads that wait rarely and briefly: they poll after each pause, so no wake-up can be lost.
public func pause(microseconds: UInt32) { usleep(microseconds) }

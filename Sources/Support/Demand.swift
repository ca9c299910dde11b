// Gracewalk's own mistakes: reported on standard error, also in release builds.

/// Ends the process with a message unless a condition holds that Gracewalk itself must ensure.
///
/// `precondition` would end it without the message in optimised code. Mistakes of a model's author
/// are not handled here: for those, a check throws an error.
@inlinable
public func demand(_ condition: @autoclosure () -> Bool, _ text: @autoclosure () -> String) {
  if !condition() { fatalError(text()) }
}

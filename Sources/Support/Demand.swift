// Mistakes of Gracewalk's own: said on standard error in release builds, too.

/// Ends the process with a message unless a condition holds that Gracewalk itself must see to.
///
/// `precondition` would end it without the message where code is optimised. What a model's author
/// may get wrong is no matter for this: it is an error that a check throws.
@inlinable
public func demand(_ condition: @autoclosure () -> Bool, _ text: @autoclosure () -> String) {
  if !condition() { fatalError(text()) }
}

/// What went wrong in a fixture.
package struct Failure: Error, CustomStringConvertible {
    package var description: String
    package init(_ description: String) { self.description = description }
}

func require(_ condition: Bool, _ reason: @autoclosure () -> String) throws {
    if !condition { throw Failure(reason()) }
}

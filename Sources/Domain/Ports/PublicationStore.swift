/// The record of pull requests in the making. One process writes it.
public protocol PublicationStore: Sendable {
    /// Puts one on record.
    ///
    /// - Returns: It with its number and attempt.
    func insert(_ publication: Publication) async throws(CodeForgeError) -> Publication

    /// - Returns: It with an attempt that no other of the task had.
    func retry(_ publication: Publication) async throws(CodeForgeError) -> Publication

    /// Keeps branch and state.
    func update(_ publication: Publication) async throws(CodeForgeError)

    /// The last one of a task; `nil` before there was one.
    func latest(of taskID: String) async throws(CodeForgeError) -> Publication?

    /// Those that are not over, oldest first.
    func open() async throws(CodeForgeError) -> [Publication]
}

import ServerKit

/// The built command, at a shell that knows where a test's server is.
enum Commands {
    /// Starts it.
    static func start(
        _ server: ServerFixture, _ arguments: [String], environment: [String: String] = [:]
    ) throws -> ChildProcess {
        let usual = ["CODEFORGE_URL": "http://127.0.0.1:\(server.port)", "CODEFORGE_TOKEN": ServerFixture.token]
        return try ChildProcess(
            try BuiltProducts.executable("codeforge"), arguments, environment: usual.merging(environment) { $1 })
    }

    /// Runs it to its end.
    static func run(
        _ server: ServerFixture, _ arguments: [String], environment: [String: String] = [:]
    ) async throws -> (status: Int32, output: String) {
        let process = try start(server, arguments, environment: environment)
        let status = try await process.wait()
        return (status, process.output)
    }
}

import ArgumentParser
import Foundation
import Hummingbird
import Logging

/// A model that says what a file tells it to, over the APIs that Claude Code and Codex speak. For tests and the demo.
@main
struct ScriptedModel: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scripted-model",
        abstract: "Speaks the Anthropic Messages and the OpenAI Responses API from a scenario file.",
        discussion: "Prints its URL as its first line, and ends on SIGTERM.")

    @Option(help: "Scenario file (YAML or JSON); without one, a file is written and a command is run.")
    var scenarios: String?

    @Option(help: "Loopback port; 0 takes a free one.")
    var port = 0

    @Option(help: "Key that a request must carry, as x-api-key or bearer token; without one, any passes.")
    var key: String?

    @Option(help: "File to append one line of JSON to for each request.")
    var log: String?

    @Option(help: "File to append the body of each request to, one line each.")
    var bodies: String?

    func run() async throws {
        let yaml = try scenarios.map { try String(contentsOfFile: $0, encoding: .utf8) } ?? DefaultScript.yaml
        let server = ModelServer(
            script: try Script.load(yaml: yaml), key: key, log: try RequestLog(path: log, bodies: bodies))
        var logger = Logger(label: "scripted-model") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .error
        let application = Application(
            responder: server, configuration: .init(address: .hostname("127.0.0.1", port: port)),
            onServerRunning: { channel in
                let line = Data("http://127.0.0.1:\(channel.localAddress?.port ?? 0)\n".utf8)
                FileHandle.standardOutput.write(line)  // unbuffered: whoever started us waits for it
            },
            logger: logger)
        try await application.runService()
    }
}

import Domain
import Foundation

/// One line of JSON for each request, so that a test can see what reached the model.
actor RequestLog {
    struct Entry: Encodable, Sendable {
        var method: String
        var path: String
        /// Size of the body.
        var bytes: Int
        /// Credentials as they arrived.
        var apiKey: String?
        var authorization: String?
        var status = 0
        var conversation: String?
        var model: String?
        var prompt: String?
        var promptNumber: Int?
        var results: Int?
        var scenario: String?
        var turn: Int?

        init(method: String, path: String, bytes: Int) {
            self.method = method
            self.path = path
            self.bytes = bytes
        }

        mutating func note(_ request: ModelRequest, scenario: String, turn: Int) {
            conversation = request.conversation
            model = request.model
            prompt = String(request.prompt.prefix(500))
            promptNumber = request.promptNumber
            results = request.results
            self.scenario = scenario
            self.turn = turn
        }
    }

    private let file: FileHandle?
    private let bodies: FileHandle?
    private let encoder = JSONEncoder()

    /// Files are appended to, and created when missing; `nil` keeps no log.
    init(path: String?, bodies: String?) throws {
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        file = try path.map(RequestLog.open)
        self.bodies = try bodies.map(RequestLog.open)
    }

    private static func open(_ path: String) throws -> FileHandle {
        if !FileManager.default.fileExists(atPath: path) {
            _ = FileManager.default.createFile(atPath: path, contents: nil)  // the next line says why it is not there
        }
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try file.seekToEnd()
        return file
    }

    func append(_ entry: Entry, body: Data) {
        try? bodies?.write(contentsOf: body + [0x0A])  // as below
        guard let file, var line = try? encoder.encode(entry) else { return }  // plain values: it always encodes
        line.append(0x0A)
        try? file.write(contentsOf: line)  // a full disk must not change the answer
    }
}

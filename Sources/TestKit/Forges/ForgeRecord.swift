import Domain
import Foundation
import Synchronization

/// Keeps what tests sent to the forges' stand-ins, was answered by them, and made up as webhooks, for a judge who knows
/// the forges from elsewhere: a line of JSON each in the file that `CODEFORGE_FORGE_RECORD` names; nothing without.
package enum ForgeRecord {
    private static let file = Mutex<FileHandle?>(open())

    private static func open() -> FileHandle? {
        guard let path = ProcessInfo.processInfo.environment["CODEFORGE_FORGE_RECORD"] else { return nil }
        if !FileManager.default.fileExists(atPath: path) {
            _ = FileManager.default.createFile(atPath: path, contents: nil)  // what fails shows when it is opened
        }
        let handle = FileHandle(forWritingAtPath: path)
        _ = try? handle?.seekToEnd()
        return handle
    }

    static func append(_ request: ForgeRequest, _ answer: ForgeAnswer, isFailure: Bool) {
        guard !isFailure else { return }
        append([
            "kind": "request", "method": .string(request.method), "path": .string(request.path),
            "query": .object(request.query.mapValues { .string($0) }), "body": request.body ?? .null,
            "status": .int(Int64(answer.status)), "answer": answer.body,
        ])
    }

    /// A webhook's payload.
    package static func append(webhook body: [UInt8], event: String) {
        let payload = try? JSONDecoder().decode(JSONValue.self, from: Data(body))
        append(["kind": "webhook", "event": .string(event), "payload": payload ?? .null])
    }

    private static func append(_ line: JSONValue) {
        file.withLock { file in
            guard let file else { return }
            var json = JSONWriter()
            json.value(line)
            try? file.write(contentsOf: json.bytes + [0x0A])
        }
    }
}

import Foundation
import Synchronization

/// A program under test, with its output kept.
final class ChildProcess: Sendable {
    private struct State: @unchecked Sendable {  // guarded by `state`
        var process: Process
        var output = ""
    }
    private let state: Mutex<State>
    let pid: Int32

    init(_ executable: String, _ arguments: [String], environment: [String: String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: executable)
        process.arguments = arguments
        process.environment = environment.merging(["PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"]) { a, _ in a
        }
        process.standardInput = FileHandle.nullDevice
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        pid = process.processIdentifier
        state = Mutex(State(process: process))
        pipe.fileHandleForReading.readabilityHandler = { [weak self] handle in
            let data = handle.availableData
            if data.isEmpty {
                handle.readabilityHandler = nil
            } else {
                self?.state.withLock { $0.output += String(decoding: data, as: UTF8.self) }
            }
        }
    }

    deinit { if isRunning { kill(pid, SIGKILL) } }

    var output: String { state.withLock(\.output) }
    var isRunning: Bool { state.withLock(\.process.isRunning) }

    func signal(_ signal: Int32) { if isRunning { kill(pid, signal) } }

    /// Waits for the end; kills after `seconds`.
    @discardableResult
    func wait(seconds: Double = 30) async throws -> Int32 {
        for _ in 0..<Int(seconds * 50) where isRunning { try await Task.sleep(for: .milliseconds(20)) }
        if isRunning { kill(pid, SIGKILL) }
        while isRunning { try await Task.sleep(for: .milliseconds(5)) }
        return state.withLock(\.process.terminationStatus)
    }

    /// Waits until the output has a match of `pattern`, and gives its first capture.
    func output(matching pattern: String, seconds: Double = 30) async throws -> String {
        let expression = try NSRegularExpression(pattern: pattern)
        for _ in 0..<Int(seconds * 50) {
            let text = output
            if let match = expression.firstMatch(in: text, range: NSRange(text.startIndex..., in: text)),
                let range = Range(match.range(at: match.numberOfRanges - 1), in: text)
            {
                return String(text[range])
            }
            if !isRunning { break }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw Failure("no output matching \(pattern) in: \(output)")
    }
}

struct Failure: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

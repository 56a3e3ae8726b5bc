package import Foundation
import HostProcess
import Synchronization
import TestKit

/// A program under test, with its output kept.
///
/// Not Foundation's `Process`: that takes a child for running as long as any process holds a socket the child left
/// behind, and here children are killed whose own children live on.
package final class ChildProcess: Sendable {
    package var pid: Int32 { process.pid }
    private let process: HostProcess
    /// Exit code or signal; `nil` until it was reaped. The pid is signalled and reaped under the lock only.
    private let status = Mutex<Int32?>(nil)
    private let directory: TemporaryDirectory

    /// - Parameter input: What it finds on descriptor 3; at most what a pipe holds (64 KiB).
    package init(_ executable: String, _ arguments: [String], environment: [String: String], input: Data? = nil) throws
    {
        directory = try TemporaryDirectory()
        let log = directory.file("output")
        var descriptors: [HostProcess.Descriptor] = [.null, .log(log), .log(log)]
        let pipe = try input.map { bytes in
            let pipe = Pipe()
            try pipe.fileHandleForWriting.write(contentsOf: bytes)
            try pipe.fileHandleForWriting.close()
            return pipe
        }
        if let pipe { descriptors.append(.inherit(pipe.fileHandleForReading.fileDescriptor)) }
        let path = ["PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"]
        process = try HostProcess.start(
            executable, [executable] + arguments, environment: path.merging(environment) { $1 },
            descriptors: descriptors)
        try pipe?.fileHandleForReading.close()
    }

    deinit {
        guard isRunning else { return }
        kill(pid, SIGKILL)
        _ = process.waitBlocking()
    }

    /// Standard output and standard error so far.
    package var output: String { (try? String(contentsOfFile: directory.file("output"), encoding: .utf8)) ?? "" }

    package var isRunning: Bool { status.withLock { reap(&$0) == nil } }

    package func signal(_ signal: Int32) {
        status.withLock { if reap(&$0) == nil { kill(pid, signal) } }
    }

    /// Waits for the end; kills after `seconds`.
    ///
    /// - Returns: The exit code, or the number of the signal that ended it.
    @discardableResult
    package func wait(seconds: Double = 30) async throws -> Int32 {
        // A killed process may still be busy in the kernel, but not for long.
        for patience in [seconds, 10] {
            for _ in 0..<Int(patience * 50) where isRunning { try await Task.sleep(for: .milliseconds(20)) }
            signal(SIGKILL)
        }
        guard let status = status.withLock({ $0 }) else { throw Failure("\(pid) does not end") }
        return status
    }

    /// Waits until the output has a match of `pattern`, and gives its first capture.
    package func output(matching pattern: String, seconds: Double = 30) async throws -> String {
        let expression = try NSRegularExpression(pattern: pattern)
        for _ in 0..<Int(seconds * 50) {
            let ended = !isRunning
            let text = output
            if let match = expression.firstMatch(in: text, range: NSRange(text.startIndex..., in: text)),
                let range = Range(match.range(at: match.numberOfRanges - 1), in: text)
            {
                return String(text[range])
            }
            if ended { break }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw Failure("no output matching \(pattern) in: \(output)")
    }

    /// Takes note of the end when it has come.
    private func reap(_ status: inout Int32?) -> Int32? {
        var raw: Int32 = 0
        if status == nil, waitpid(pid, &raw, WNOHANG) == pid {
            status = raw & 0x7f == 0 ? raw >> 8 & 0xff : raw & 0x7f
        }
        return status
    }
}

import CLinux
import Domain
import Glibc
import HostProcess

/// Asks many supervisors for their sandboxes at once, on the calling thread.
struct ControlSurvey {
    /// From those who answered in time.
    private(set) var answers: [ControlAnswer] = []

    /// - Parameter directories: State directories; one without a living supervisor is passed over.
    init(_ directories: [HostDescriptor], within patience: Duration) {
        let deadline = ContinuousClock.now + patience
        var waiting = directories.compactMap { directory in
            ControlConnection.open(directory).flatMap { connection in
                let sent: Void? = try? connection.send(  // it died just now
                    ControlRequest(.list), limit: ControlRequest.limit, within: .zero)
                return sent == nil ? nil : connection
            }
        }
        while !waiting.isEmpty {
            let left = Int32(max(0, min(60_000, (deadline - .now) / .milliseconds(1))))
            var watched = waiting.map { pollfd(fd: $0.socket.raw, events: Int16(POLLIN), revents: 0) }
            let ready = poll(&watched, nfds_t(watched.count), left)
            if ready == 0 || (ready < 0 && errno != EINTR) { break }
            for (index, entry) in watched.enumerated().reversed() where entry.revents != 0 {
                // Sent in one go by the other end, which must not hold the others up if it stops in the middle.
                let received = try? waiting[index].receive(
                    ControlAnswer.self, limit: ControlRequest.answerLimit, within: .milliseconds(100))
                if let answer = received?.message, answer.version == ControlRequest.version { answers.append(answer) }
                waiting.remove(at: index)
            }
        }
    }
}

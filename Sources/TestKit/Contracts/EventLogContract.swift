package import Domain
import Synchronization

/// What every `EventLog` must do. The subject is an empty log.
package enum EventLogContract {
    package typealias Case = ContractCase<any EventLog>

    package static let cases: [Case] = [
        Case("an empty log is caught up at once") { log in
            for try await batch in log.follow("t", after: nil) {
                try expect(batch.entries.isEmpty && batch.caughtUp, "the first batch")
                return
            }
            throw ContractViolation(description: "no batch")
        },
        Case("history comes whole and in order, then the log is caught up") { log in
            let bodies = (0..<3000).map(body)
            for start in stride(from: 0, to: 3000, by: 500) {
                try await log.append(Array(bodies[start..<start + 500]), to: "t")
            }
            try await log.append([body(9)], to: "another")
            var seen: [LoggedEvent] = []
            for try await batch in log.follow("t", after: nil) {
                try expect(batch.entries.count <= 1024, "a batch of \(batch.entries.count)")
                seen += batch.entries
                if batch.caughtUp { break }
            }
            try expectEqual(seen.map(\.body), bodies, "the history")
            try expectEqual(Set(seen.map(\.id)).count, 3000, "the number of ids")
        },
        Case("live entries come in order, each once, also to those who come meanwhile") { log in
            try await withThrowingTaskGroup { group in
                for number in 0..<20 {
                    group.addTask {
                        try await Task.sleep(for: .milliseconds(number))
                        try expectEqual(try await collect(log, 400), (0..<400).map(body), "follower \(number)")
                    }
                }
                group.addTask { for number in 0..<400 { try await log.append([body(number)], to: "t") } }
                try await group.waitForAll()
            }
        },
        Case("any id resumes right after itself") { log in
            try await log.append((0..<10).map(body), to: "t")
            var ids: [String] = []
            for try await batch in log.follow("t", after: nil) {
                ids += batch.entries.map(\.id)
                if batch.caughtUp { break }
            }
            for (index, id) in ids.enumerated() {
                var rest: [LoggedEvent.Body] = []
                for try await batch in log.follow("t", after: id) {
                    rest += batch.entries.map(\.body)
                    if batch.caughtUp { break }
                }
                try expectEqual(rest, ((index + 1)..<10).map(body), "what follows entry \(index)")
            }
        },
        Case("a strange id shows the log from the start") { log in
            try await log.append([body(1)], to: "t")
            for id in ["", "0", "0-0", "abc", "-", "+", "$", "99999999999999999999999999-1"] {
                for try await batch in log.follow("t", after: id) {
                    try expectEqual(batch.entries.map(\.body), [body(1)], "after \(id)")
                    break
                }
            }
        },
        Case("events and ends keep their kind and every byte") { log in
            let odd = Array("{\"data\":\"".utf8) + [0, 1, 255, 13, 10, 36] + Array("\"}".utf8)
            let bodies: [LoggedEvent.Body] = [.event(json: odd), .done(json: Array("{}".utf8)), .event(json: [])]
            try await log.append(bodies, to: "t")
            try expectEqual(try await collect(log, 3), bodies, "the bodies")
        },
        Case("what has a key is appended once") { log in
            try expect(try await log.appendOnce([body(1), body(2)], to: "t", key: "k"), "the first time")
            try expect(try await !log.appendOnce([body(1), body(2)], to: "t", key: "k"), "the second time")
            try expect(try await log.appendOnce([body(3)], to: "t", key: "l"), "another key")
            try expect(try await log.appendOnce([body(4)], to: "u", key: "k"), "another task")
            try expectEqual(try await collect(log, 3), [body(1), body(2), body(3)], "the log")
        },
        Case("a cancelled follower ends") { log in
            let follower = Task {
                var count = 0
                for try await _ in log.follow("t", after: nil) { count += 1 }
                return count
            }
            try await Task.sleep(for: .milliseconds(30))
            follower.cancel()
            try expectEqual(try await follower.value, 1, "batches before the cancel")
            try await log.append([body(1)], to: "t")
            try expectEqual(try await collect(log, 1), [body(1)], "what another follower sees")
        },
        Case("a reader that had nothing is told of news, once") { log in
            let told = Mutex(0)
            let reader = log.reader(of: "t", after: nil) { told.withLock { $0 += 1 } }
            try expect(try await reader.next()?.caughtUp == true, "the end at once")
            for round in 1...3 {
                try expect(try await reader.next() == nil, "nothing more in round \(round)")
                try await log.append([body(round)], to: "t")
                try await eventually("the news of round \(round)") { told.withLock { $0 == round } ? () : nil }
                try expectEqual(try await reader.next()?.entries.map(\.body), [body(round)], "round \(round)")
            }
            try await log.append([body(99)], to: "t")
            try await Task.sleep(for: .milliseconds(50))
            try expectEqual(told.withLock { $0 }, 3, "told without having asked")
        },
        Case("a reader that is gone keeps nothing") { log in
            final class Owner: Sendable {}
            weak var seen: Owner?
            do {
                let owner = Owner()
                seen = owner
                let reader = log.reader(of: "t", after: nil) { withExtendedLifetime(owner) {} }
                while try await reader.next() != nil {}
            }
            try await eventually("the owner to be gone") { seen == nil ? () : nil }
        },
        Case("large entries come through") { log in
            let large = LoggedEvent.Body.event(json: [UInt8](repeating: 120, count: 1 << 20))
            for _ in 0..<12 { try await log.append([large], to: "t") }
            try await log.append([body(1)], to: "t")
            try expectEqual(try await collect(log, 13).last, body(1), "the last entry")
        },
    ]

    package static func body(_ number: Int) -> LoggedEvent.Body { .event(json: Array("{\"n\":\(number)}".utf8)) }

    /// The first `count` entries of task `t`.
    package static func collect(_ log: any EventLog, _ count: Int) async throws -> [LoggedEvent.Body] {
        var seen: [LoggedEvent.Body] = []
        for try await batch in log.follow("t", after: nil) {
            seen += batch.entries.map(\.body)
            if seen.count >= count { break }
        }
        return seen
    }
}

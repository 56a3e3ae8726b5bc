import Domain

/// A piece of an event log, as read.
struct EventPage: Sendable {
    var entries: [LoggedEvent] = []
    /// Id of the last entry, or where the reading began when there is none.
    var last: StreamID
    /// There was nothing more when it was read.
    var isEnd: Bool
    /// Sum of the values.
    var bytes = 0
}

/// Reads a log page by page, adapting the size of the pages to that of the entries: an entry may have 100 bytes or
/// megabytes, and Redis can only be asked for a number of entries.
struct EventPager: Sendable {
    private let reader: RedisClient
    private let taskID: String
    private var count = 256

    private static let mostEntries = 1024
    private static let goodBytes = 512 << 10
    private static let mostBytes = 4 << 20

    init(_ reader: RedisClient, _ taskID: String) {
        self.reader = reader
        self.taskID = taskID
    }

    mutating func read(after id: StreamID) async throws(CodeForgeError) -> EventPage {
        while true {
            do {
                let page = try await page(after: id, count: count)
                if page.bytes > EventPager.goodBytes {
                    count = max(1, count / 4)
                } else if !page.isEnd {
                    count = min(EventPager.mostEntries, count * 2)
                }
                return page
            } catch  where error.code == .limited && count > 1 {
                count = max(1, count / 8)
            }
        }
    }

    private func page(after id: StreamID, count: Int) async throws(CodeForgeError) -> EventPage {
        let command = RedisCommand(
            "XRANGE",
            .text(reader.keys.events(taskID)),
            .text(id == .zero ? "-" : "(\(id)"),
            "+",
            "COUNT",
            .int(count)
        )
        return try await reader.perform("read events of task \(taskID)") { connection throws(RedisError) in
            let limit = count > 1 ? EventPager.mostBytes : .max
            return EventPager.parse(try connection.send(command, maxBytes: limit).root, after: id, wanted: count)
        }
    }

    /// `[[id, [field, value, …]], …]`; entries of other fields than ours are passed over.
    private static func parse(_ list: RedisValue, after id: StreamID, wanted: Int) -> EventPage {
        let total = list.count
        var page = EventPage(last: id, isEnd: total < wanted)
        page.entries.reserveCapacity(total)
        for index in 0..<total {
            guard let entry = list[index], let name = entry[0], let fields = entry[1] else { continue }
            if index == total - 1 { page.last = name.withBytes { StreamID($0) } ?? id }
            guard let kind = fields[0]?.withBytes({ $0.first }), let value = fields[1]?.bytes else { continue }
            switch kind {
            case EventField.event: page.entries.append(LoggedEvent(id: name.text, body: .event(json: value)))
            case EventField.done: page.entries.append(LoggedEvent(id: name.text, body: .done(json: value)))
            default: continue
            }
            page.bytes += value.count
        }
        return page
    }
}

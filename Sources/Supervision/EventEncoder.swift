import Domain

/// Encodes the stream events of one run. What is the same in every event is encoded once, and the time once for each
/// chunk of output, since a task can print a million lines.
struct EventEncoder {
    private static let head = Array(#"{"type":"stream","event":"output","data":"#.utf8)
    private var tail: [UInt8] = []

    init(time: Timestamp) { setTime(time) }

    mutating func setTime(_ time: Timestamp) {
        tail = Array(#","ts":"\#(time)"}"#.utf8)
    }

    /// - Parameter data: One JSON value.
    func output(_ data: [UInt8]) -> LoggedEvent.Body {
        var json: [UInt8] = []
        json.reserveCapacity(EventEncoder.head.count + data.count + tail.count)
        json.append(contentsOf: EventEncoder.head)
        json.append(contentsOf: data)
        json.append(contentsOf: tail)
        return .event(json: json)
    }
}

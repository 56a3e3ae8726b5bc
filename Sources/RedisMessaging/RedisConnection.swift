import CHiredis
import Domain

#if canImport(Glibc)
    import Glibc
#endif

/// One blocking connection. Belongs to one thread at a time; any error other than a rejected command ends its use.
final class RedisConnection {
    private let context: UnsafeMutablePointer<redisContext>
    /// Scripts this server knows, by text.
    private var scripts: [String: String] = [:]

    /// How long a command may take to be answered when the caller says nothing else.
    static let patience: Duration = .seconds(10)

    /// - Parameter timeout: Longest wait for each of connect and the first answers.
    init(_ endpoint: RedisEndpoint, timeout: Duration = .seconds(3)) throws(RedisError) {
        let opened: UnsafeMutablePointer<redisContext>? =
            switch endpoint.address {
            case .tcp(let host, let port): redisConnectWithTimeout(host, port, timeout.interval)
            case .unix(let path): redisConnectUnixWithTimeout(path, timeout.interval)
            }
        guard let opened else { throw RedisError(.away, "out of memory") }
        context = opened
        guard context.pointee.err == 0 else { throw failure() }
        // hiredis opens its sockets without close-on-exec; a child must not hold them.
        _ = fcntl(context.pointee.fd, F_SETFD, FD_CLOEXEC)
        // Bounds a write to a peer that no longer reads; reads wait in poll(2) below.
        redisSetTimeout(context, RedisConnection.patience.interval)
        if case .tcp = endpoint.address { redisEnableKeepAlive(context) }
        if let password = endpoint.password {
            let user = endpoint.user.map { [RedisArgument.text($0)] } ?? []
            try login(RedisCommand(["AUTH"] + user + [.text(password)]), timeout)
        }
        if endpoint.database != 0 {
            try login(RedisCommand("SELECT", .int(endpoint.database)), timeout)
        }
    }

    deinit { redisFree(context) }

    /// Queues a command, or several in one buffer.
    func append(_ command: borrowing RedisCommand) {
        command.bytes.withUnsafeBytes { bytes in
            _ = redisAppendFormattedCommand(context, bytes.bindMemory(to: CChar.self).baseAddress, bytes.count)
        }
    }

    /// Writes everything queued.
    func flush() throws(RedisError) {
        var done: Int32 = 0
        while done == 0 {
            guard redisBufferWrite(context, &done) == REDIS_OK else { throw failure() }
        }
    }

    /// The next reply; an error reply is a value here.
    ///
    /// - Parameters:
    ///   - wait: Longest wait; afterwards `nil`, and the connection stays usable.
    ///   - maxBytes: Gives up with `.tooLarge` once about as many bytes came; the connection is then useless.
    func reply(wait: Duration = patience, maxBytes: Int = .max) throws(RedisError) -> RedisReply? {
        let deadline = Deadline.after(wait)
        var received = 0
        while true {
            var reply: UnsafeMutableRawPointer?
            guard redisReaderGetReply(context.pointee.reader, &reply) == REDIS_OK else { throw readerFailure() }
            if let reply { return RedisReply(reply) }
            guard try readable(until: deadline) else { return nil }
            guard redisBufferRead(context) == REDIS_OK else { throw failure() }
            received += RedisConnection.readSize
            if received > maxBytes { throw RedisError(.tooLarge, "reply over \(maxBytes) bytes") }
        }
    }

    /// Sends one command and takes its reply.
    ///
    /// - Throws: Error replies too.
    @discardableResult
    func send(
        _ command: borrowing RedisCommand,
        wait: Duration = patience,
        maxBytes: Int = .max
    ) throws(RedisError) -> RedisReply {
        append(command)
        try flush()
        guard let reply = try reply(wait: wait, maxBytes: maxBytes) else {
            throw RedisError(.away, "no answer within \(wait)")
        }
        if let error = reply.root.error { throw RedisError(reply: error) }
        return reply
    }

    @discardableResult
    func send(_ arguments: RedisArgument...) throws(RedisError) -> RedisReply {
        try send(RedisCommand(arguments))
    }

    /// Runs a script by its digest.
    @discardableResult
    func run(_ script: String, keys: [String], _ arguments: [RedisArgument]) throws(RedisError) -> RedisReply {
        let digest = try digest(of: script)
        let head: [RedisArgument] = ["EVALSHA", .text(digest), .int(keys.count)]
        do {
            return try send(RedisCommand(head + keys.map { .text($0) } + arguments))
        } catch  where error.word == "NOSCRIPT" {
            scripts[script] = nil
            let digest = try self.digest(of: script)
            let head: [RedisArgument] = ["EVALSHA", .text(digest), .int(keys.count)]
            return try send(RedisCommand(head + keys.map { .text($0) } + arguments))
        }
    }

    /// Loads a script unless this connection did already.
    func digest(of script: String) throws(RedisError) -> String {
        if let known = scripts[script] { return known }
        let digest = try send("SCRIPT", "LOAD", .text(script)).root.text
        scripts[script] = digest
        return digest
    }

    /// hiredis reads at most as much in one `redisBufferRead`.
    private static let readSize = 16 * 1024

    private func login(_ command: RedisCommand, _ timeout: Duration) throws(RedisError) {
        try send(command, wait: timeout)
    }

    private func readable(until deadline: Deadline) throws(RedisError) -> Bool {
        while true {
            var descriptor = pollfd(fd: context.pointee.fd, events: Int16(POLLIN), revents: 0)
            // Rounded up: a remaining 0.4 ms must not become a busy loop.
            let milliseconds = min(deadline.remaining.wholeNanoseconds / 1_000_000 + 1, 3_600_000)
            let count = poll(&descriptor, 1, Int32(deadline.hasPassed ? 0 : milliseconds))
            if count > 0 { return true }
            if count == 0 {
                if deadline.hasPassed { return false }
            } else if errno != EINTR {
                throw RedisError(.away, "poll: errno \(errno)")
            }
        }
    }

    private func failure() -> RedisError { RedisError(.away, RedisConnection.text(&context.pointee.errstr)) }

    private func readerFailure() -> RedisError {
        RedisError(.away, RedisConnection.text(&context.pointee.reader.pointee.errstr))
    }

    private static func text<Array>(_ characters: inout Array) -> String {
        withUnsafeBytes(of: &characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}

/// A reply and all that hangs on it.
final class RedisReply {
    fileprivate let pointer: UnsafeMutablePointer<redisReply>

    fileprivate init(_ pointer: UnsafeMutableRawPointer) {
        self.pointer = pointer.assumingMemoryBound(to: redisReply.self)
    }

    deinit { freeReplyObject(pointer) }

    var root: RedisValue { RedisValue(pointer, of: self) }
}

/// A part of a reply, which it keeps alive.
struct RedisValue {
    private let pointer: UnsafeMutablePointer<redisReply>
    private let owner: RedisReply

    fileprivate init(_ pointer: UnsafeMutablePointer<redisReply>, of owner: RedisReply) {
        self.pointer = pointer
        self.owner = owner
    }

    var isNull: Bool { read { $0.type == REDIS_REPLY_NIL } }

    var error: String? { read { $0.type == REDIS_REPLY_ERROR } ? text : nil }

    /// Bytes of a string, status or error; none for anything else.
    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        read { reply in
            guard let start = reply.str else { return body(UnsafeRawBufferPointer(start: nil, count: 0)) }
            return body(UnsafeRawBufferPointer(start: start, count: Int(reply.len)))
        }
    }

    var text: String { withBytes { String(decoding: $0, as: UTF8.self) } }

    var bytes: [UInt8] { withBytes { Array($0) } }

    var integer: Int { read { Int($0.integer) } }

    /// Elements of an array; 0 for anything else.
    var count: Int { read { $0.type == REDIS_REPLY_ARRAY ? Int($0.elements) : 0 } }

    /// `nil` for an index that is not in 0..<`count`.
    subscript(_ index: Int) -> RedisValue? {
        guard index < count, let element = read({ $0.element[index] }) else { return nil }
        return RedisValue(element, of: owner)
    }

    func elements() -> [RedisValue] { (0..<count).compactMap { self[$0] } }

    /// The memory belongs to the owner, whose last use would otherwise be before the read.
    private func read<Result>(_ body: (redisReply) -> Result) -> Result {
        withExtendedLifetime(owner) { body(pointer.pointee) }
    }
}

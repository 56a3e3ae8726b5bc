import Domain
import Synchronization

/// Serves the requests of one connection, one after the other.
struct Connection: Sendable {
    let client: ByteChannel
    let policy: GatewayPolicy
    let router: Router
    let ledger: Ledger
    let transport: any HTTPTransport
    let dialer: Dialer
    let audit: AuditGate

    private static let maximumTarget = 200

    func run() async {
        let reader = RequestReader(client, policy: policy, ledger: ledger)
        while !Task.isCancelled, await serve(reader) {}
        await client.close()
    }

    /// Tells a client that there is no room for it.
    func refuseAll() async {
        let note = Note(time: .now(), method: "", target: "", route: .none)
        _ = await refuse(Refusal.tooManyConnections, note, reader: nil)
        await client.close()
    }

    /// One request.
    ///
    /// - Returns: Whether another may follow.
    private func serve(_ reader: RequestReader) async -> Bool {
        var note = Note(time: .now(), method: "", target: "", route: .none)
        do throws(Refusal) {
            guard let head = try await reader.head() else { return false }
            note = Note(
                time: .now(),
                method: PlainText.start(of: head.method, 32),
                target: PlainText.start(of: head.target.prefix { $0 != "?" }, Connection.maximumTarget),
                route: Router.route(of: head)
            )
            try ledger.takeRequest()
            if head.method == "CONNECT" {
                let target = try router.tunnelTarget(of: head)
                note.target = target.authority
                try ledger.take(out: head.size)
                return await tunnel(to: target, reader, note)
            }
            let destination = try router.destination(of: head)
            note.target = PlainText.start(of: destination.template, Connection.maximumTarget, keeping: "{}")
            try ledger.take(out: head.size)
            note.allowed = true
            return await forward(head, destination, reader, note)
        } catch {
            return await refuse(error, note, reader: reader)
        }
    }

    /// Opens a tunnel and serves it to its end.
    private func tunnel(to target: Router.TunnelTarget, _ reader: RequestReader, _ note: Note) async -> Bool {
        var note = note
        let upstream: ByteChannel
        do throws(CodeForgeError) {
            upstream = try await dialer.dial(target.host, port: target.port)
        } catch {
            note.allowed = error.code != .forbidden
            return await refuse(Refusal(error), note, reader: reader)
        }
        do throws(Refusal) {
            let granted = Array("HTTP/1.1 200 Connection established\r\n\r\n".utf8)
            guard await client.write(granted, within: policy.idleTimeout) else {
                throw .hello("client_gone", detail: "before its ClientHello")
            }
            let first = try await Tunnel.hello(
                client, early: await reader.takeRest(), target: target, within: policy.headerTimeout
            )
            note.allowed = true
            let tunnel = Tunnel(client: client, upstream: upstream, target: target, policy: policy, ledger: ledger)
            let outcome = await tunnel.run(first: first)
            note.requestBytes = outcome.bytesOut
            note.responseBytes = outcome.bytesIn
            audit.report(note.decision(status: 200, reason: outcome.reason, detail: outcome.detail))
        } catch {
            // Not a byte of the client's has gone out.
            await upstream.close()
            note.allowed = ["client_gone", "request_timeout"].contains(error.error)
            audit.report(note.decision(status: error.status, reason: error.error, detail: error.detail))
            _ = await client.write(Tunnel.alert, within: policy.idleTimeout)
            await client.closeOutput()
            await reader.drain()
        }
        return false
    }

    /// Passes a request on and its answer back.
    private func forward(
        _ head: RequestHead,
        _ destination: Router.Destination,
        _ reader: RequestReader,
        _ note: Note
    ) async -> Bool {
        if case .length(let length) = head.framing, length > destination.maxBodyBytes {
            return await refuse(Refusal.bodyTooLarge(destination.maxBodyBytes), note, reader: reader)
        }
        do {
            if case .length(let length) = head.framing { try ledger.checkRoom(out: length) }
        } catch {
            return await refuse(error, note, reader: reader)
        }
        let number = await reader.startBody(head.framing, limit: destination.maxBodyBytes)
        if head.expectsContinue, head.framing != .none {
            guard await client.write(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8), within: policy.idleTimeout) else {
                audit.report(note.decision(status: 0, reason: "client_gone"))
                return false
            }
        }
        let body = TransportBody { () async throws(CodeForgeError) -> [UInt8]? in
            try await reader.bodyChunk(of: number)
        }
        var held = 0
        defer { ledger.giveBack(held) }
        do {
            var content = Connection.body(head.framing, body)
            if let api = destination.inspected {
                switch try await inspected(body, api, &held) {
                case .success(let whole): content = whole
                case .failure(let refusal):
                    var note = note
                    note.requestBytes = await reader.bodyBytes
                    note.allowed = false
                    return await refuse(refusal, note, reader: reader)
                }
            }
            let request = TransportRequest(
                method: head.method,
                url: destination.url,
                headers: destination.headers,
                body: content,
                limits: TransportLimits(idle: policy.upstreamIdleTimeout),
                addresses: policy.addresses
            )
            let response = try await transport.send(request)
            ledger.giveBack(held)
            held = 0
            var relay = ResponseRelay(
                client: client,
                policy: policy,
                ledger: ledger,
                secrets: router.secrets,
                destination: destination,
                method: head.method
            )
            // An answer before the body's end: what still comes of it must not be read as the next request.
            let mayStay = await reader.isBodyDone && !head.wantsClose
            let failure = await relay.run(response, keepAlive: mayStay)
            var note = note
            note.requestBytes = await reader.bodyBytes
            note.responseBytes = relay.sentBytes
            note.inputTokens = relay.meter.inputTokens
            note.outputTokens = relay.meter.outputTokens
            if destination.isMetered { charge(note, relay) }
            if let failure = failure.refusal, relay.status == 0 {
                return await refuse(failure, note, reader: reader)
            }
            audit.report(note.decision(status: relay.status, reason: failure.reason, detail: failure.detail))
            guard failure.refusal == nil, failure.reason == "ok" else { return false }
            if mayStay { return true }
            await client.closeOutput()
            await reader.drain()
            return false
        } catch {
            var note = note
            note.requestBytes = await reader.bodyBytes
            if let refusal = await reader.bodyRefusal { return await refuse(refusal, note, reader: reader) }
            if error.code == .cancelled {
                audit.report(note.decision(status: 0, reason: "client_gone"))
                return false
            }
            note.allowed = error.code != .forbidden
            return await refuse(Refusal(error), note, reader: reader)
        }
    }

    /// Takes the whole of a model request's body in and looks through it: what goes out is what was looked through.
    ///
    /// - Parameter held: Grows by what is in memory from now on; the caller gives it back to the ledger.
    /// - Throws: As the body does when it does not come to its end.
    private func inspected(
        _ body: TransportBody, _ api: ModelBody.API, _ held: inout Int
    ) async throws(CodeForgeError) -> Result<TransportRequest.Body, Refusal> {
        var bytes: [UInt8] = []
        var chunks = body.makeAsyncIterator()
        while let chunk = try await chunks.next() {
            do throws(Refusal) {
                try ledger.hold(chunk.count, within: policy.maxHeldBytes)
            } catch {
                return .failure(error)
            }
            held += chunk.count
            bytes += chunk
        }
        do throws(Refusal) {
            try ModelBody.check(bytes, api)
        } catch {
            return .failure(error)
        }
        // In a box, so that the transport alone keeps it, and no longer than it has to.
        let length = Int64(bytes.count)
        let box = Mutex<[UInt8]?>(bytes)
        return .success(
            .stream(
                TransportBody { () async throws(CodeForgeError) -> [UInt8]? in
                    box.withLock { bytes in
                        defer { bytes = nil }
                        return bytes
                    }
                }, length: length))
    }

    /// Charges the tokens of an answer. A client can have a model answer without a count, or leave before it comes: then
    /// a token for every four bytes is charged, so that no budget is passed that way.
    private func charge(_ note: Note, _ relay: ResponseRelay) {
        guard (200..<300).contains(relay.status) else { return }
        if let output = note.outputTokens {
            ledger.add(tokens: (note.inputTokens ?? 0) + output)
        } else {
            ledger.add(tokens: (note.requestBytes + note.responseBytes) / 4)
        }
    }

    private static func body(_ framing: RequestHead.Framing, _ body: TransportBody) -> TransportRequest.Body {
        switch framing {
        case .none: .none
        case .length(let length): .stream(body, length: Int64(length))
        case .chunked: .stream(body, length: nil)
        }
    }

    /// Answers "no" and ends the connection.
    private func refuse(_ refusal: Refusal, _ note: Note, reader: RequestReader?) async -> Bool {
        var json = JSONWriter()
        json.beginObject()
        json.name("error")
        json.string(refusal.error)
        json.name("message")
        json.string(refusal.message)
        json.endObject()
        let body = json.bytes + [UInt8(ascii: "\n")]
        var head = "HTTP/1.1 \(refusal.status) \(ResponseRelay.reason(refusal.status))\r\n"
        head += "content-type: application/json\r\ncontent-length: \(body.count)\r\nconnection: close\r\n"
        for field in refusal.headers { head += "\(field.name): \(field.value)\r\n" }
        head += "\r\n"
        let isTaken = await client.write(
            Array(head.utf8) + (note.method == "HEAD" ? [] : body),
            within: policy.idleTimeout
        )
        var note = note
        note.responseBytes += note.method == "HEAD" ? 0 : body.count
        audit.report(
            note.decision(status: isTaken ? refusal.status : 0, reason: refusal.error, detail: refusal.detail)
        )
        await client.closeOutput()
        await reader?.drain()
        return false
    }
}

/// A decision in the making.
private struct Note: Sendable {
    var time: Timestamp
    var method: String
    var target: String
    var route: GatewayDecision.Route
    var allowed = false
    var requestBytes = 0
    var responseBytes = 0
    var inputTokens: Int?
    var outputTokens: Int?
    let started = ContinuousClock().now

    init(time: Timestamp, method: String, target: String, route: GatewayDecision.Route) {
        self.time = time
        self.method = method
        self.target = target
        self.route = route
    }

    func decision(status: Int, reason: String, detail: String? = nil) -> GatewayDecision {
        let spent = (ContinuousClock().now - started).components
        return GatewayDecision(
            time: time,
            route: route,
            method: method,
            target: target,
            // Also when the budget ended in the middle of an answer.
            allowed: allowed && reason != "budget_exceeded",
            reason: reason,
            status: status,
            requestBytes: requestBytes,
            responseBytes: responseBytes,
            milliseconds: Int(spent.seconds * 1000 + spent.attoseconds / 1_000_000_000_000_000),
            inputTokens: inputTokens,
            outputTokens: outputTokens,
            detail: detail
        )
    }
}

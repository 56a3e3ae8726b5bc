import CCurl
import Domain
import Glibc

/// One transfer as curl runs it; lives on the curl thread only.
final class EasyTransfer {
    private static let maximumHeaderBytes = 64 * 1024
    private static let maximumHeaders = 128

    let transfer: Transfer
    let handle: UnsafeMutableRawPointer
    private let curl = CurlLibrary.shared.functions
    private let addresses: Set<IPAddress>
    private var lists: [UnsafeMutablePointer<curl_slist>] = []
    private let errorText: UnsafeMutablePointer<CChar>

    private var status = 0
    private var headers = HeaderList()
    private var headerBytes = 0
    private var hasHead = false
    /// Why a callback of ours ended the transfer.
    private var ownError: CodeForgeError?

    private var moved: Int64 = 0
    private var lastMove: ContinuousClock.Instant

    /// - Parameter spent: Time the name lookup took; it counts against the limits.
    init(
        _ transfer: Transfer,
        addresses: [IPAddress],
        spent: Duration,
        authorities: String?
    ) throws(CodeForgeError) {
        guard let handle = CurlLibrary.shared.functions.pointee.easy_init() else {
            throw CodeForgeError(.unavailable, "\(transfer.plan.label): no memory for the transfer")
        }
        self.transfer = transfer
        self.handle = handle
        // All were checked; six are enough to dial, and their name below stays within DNS's 253 bytes.
        let addresses = Array(addresses.prefix(6))
        self.addresses = Set(addresses)
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        lastMove = ContinuousClock().now
        var setup = CurlSetup(handle: handle)
        setup.pointer(CURLOPT_ERRORBUFFER, errorText)
        configure(&setup, addresses: addresses, spent: spent, authorities: authorities)
        setup.callbacks(Unmanaged.passUnretained(self).toOpaque())
        lists = setup.lists
        guard setup.code == CURLE_OK else {
            let reason = CurlLibrary.shared.describe(setup.code)
            throw CodeForgeError(.internal, "\(transfer.plan.label): curl takes no such option: \(reason)")
        }
    }

    deinit {
        curl.pointee.easy_cleanup(handle)
        for list in lists { curl.pointee.slist_free_all(list) }
        errorText.deallocate()
    }

    private func configure(_ setup: inout CurlSetup, addresses: [IPAddress], spent: Duration, authorities: String?) {
        let plan = transfer.plan
        setup.text(CURLOPT_URL, plan.url.description)
        setup.text(CURLOPT_PROTOCOLS_STR, plan.url.isSecure ? "https" : "http")
        setup.text(CURLOPT_PROXY, "")
        setup.text(CURLOPT_NOPROXY, "*")
        setup.number(CURLOPT_PATH_AS_IS, 1)
        setup.number(CURLOPT_FOLLOWLOCATION, 0)
        setup.number(CURLOPT_NOSIGNAL, 1)
        setup.number(CURLOPT_NETRC, 0)
        setup.number(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS))
        setup.number(CURLOPT_BUFFERSIZE, 16 * 1024)
        setup.number(CURLOPT_UPLOAD_BUFFERSIZE, 16 * 1024)
        setup.number(CURLOPT_MAXAGE_CONN, 30)
        setup.number(CURLOPT_TCP_KEEPALIVE, 1)
        setup.number(CURLOPT_SSL_VERIFYPEER, 1)
        setup.number(CURLOPT_SSL_VERIFYHOST, 2)
        setup.number(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        if let authorities { setup.text(CURLOPT_CAINFO, authorities) }
        setup.number(CURLOPT_CONNECTTIMEOUT_MS, EasyTransfer.milliseconds(plan.limits.connect - spent))
        if let total = plan.limits.total { setup.number(CURLOPT_TIMEOUT_MS, EasyTransfer.milliseconds(total - spent)) }

        // The peer is named after the checked addresses, under a suffix that no resolver knows: curl dials exactly
        // these, and reuses a connection only for a request whose own lookup gave the same ones.
        let list = addresses.map { if case .v6 = $0 { "[\($0)]" } else { "\($0)" } }
        let name = EasyTransfer.name(of: addresses) + ".checked.invalid"
        setup.list(CURLOPT_RESOLVE, ["+\(name):\(plan.url.port):" + list.joined(separator: ",")])
        setup.list(CURLOPT_CONNECT_TO, ["::\(name):\(plan.url.port)"])

        setup.list(CURLOPT_HTTPHEADER, plan.headerLines)
        configureBody(&setup, plan)
    }

    private func configureBody(_ setup: inout CurlSetup, _ plan: TransferPlan) {
        let length: Int64?
        switch plan.body {
        case .none: length = ["POST", "PUT", "PATCH"].contains(plan.method) ? 0 : nil
        case .bytes(let bytes): length = Int64(bytes.count)
        case .stream(_, let known): length = known ?? -1
        }
        if let length {
            setup.number(CURLOPT_UPLOAD, 1)
            setup.size(CURLOPT_INFILESIZE_LARGE, length)
            setup.text(CURLOPT_CUSTOMREQUEST, plan.method)
        } else if plan.method == "HEAD" {
            setup.number(CURLOPT_NOBODY, 1)
        } else {
            setup.number(CURLOPT_HTTPGET, 1)
            setup.text(CURLOPT_CUSTOMREQUEST, plan.method)
        }
    }

    private static func milliseconds(_ duration: Duration) -> Int {
        let parts = duration.components
        // Zero would mean "no limit" to curl.
        return max(1, Int(parts.seconds) * 1000 + Int(parts.attoseconds / 1_000_000_000_000_000))
    }

    /// One name for one set of addresses: a label for each, in hexadecimal.
    private static func name(of addresses: [IPAddress]) -> String {
        addresses.map {
            switch $0 {
            case .v4(let bits): String(bits, radix: 16)
            case .v6(let high, let low): "x" + String(high, radix: 16) + "-" + String(low, radix: 16)
            }
        }.sorted().joined(separator: ".")
    }

    // MARK: - Callbacks

    /// One header line, line end included; also called for interim responses and trailers.
    func header(_ line: UnsafeRawBufferPointer) -> Bool {
        lastMove = ContinuousClock().now
        guard !hasHead else { return true }
        headerBytes += line.count
        guard headerBytes <= EasyTransfer.maximumHeaderBytes, headers.fields.count < EasyTransfer.maximumHeaders else {
            return fail(.unavailable, "the response's headers are too large")
        }
        var text = line[...]
        while let last = text.last, last == 0x0A || last == 0x0D { text = text.dropLast() }
        if text.isEmpty { return headEnded() }
        if text.starts(with: "HTTP/".utf8) {
            let parts = text.split(separator: 0x20, maxSplits: 2)
            guard parts.count >= 2, parts[1].count == 3, let code = Int(String(decoding: parts[1], as: UTF8.self))
            else {
                return fail(.unavailable, "the response's status line is malformed")
            }
            status = code
            headers = HeaderList()
            return true
        }
        guard let colon = text.firstIndex(of: UInt8(ascii: ":")) else {
            return fail(.unavailable, "a response header is malformed")
        }
        let field = HeaderList.Field(
            String(decoding: text[..<colon], as: UTF8.self),
            String(decoding: EasyTransfer.trimmed(text[text.index(after: colon)...]), as: UTF8.self)
        )
        guard HeaderList.isValid(field) else { return fail(.unavailable, "a response header is malformed") }
        headers.fields.append(field)
        return true
    }

    private func headEnded() -> Bool {
        if (100..<200).contains(status), status != 101 { return true }
        guard (200..<600).contains(status) else { return fail(.unavailable, "the response's status is \(status)") }
        hasHead = true
        transfer.receivedHead((status, headers))
        return true
    }

    private static func trimmed(_ text: Slice<UnsafeRawBufferPointer>) -> Slice<UnsafeRawBufferPointer> {
        var text = text
        while let first = text.first, first == 0x20 || first == 0x09 { text = text.dropFirst() }
        while let last = text.last, last == 0x20 || last == 0x09 { text = text.dropLast() }
        return text
    }

    private func fail(_ code: CodeForgeError.Code, _ reason: String) -> Bool {
        ownError = CodeForgeError(code, "\(transfer.plan.label): \(reason)")
        return false
    }

    /// The last gate before the network: only an address that was checked gets a socket.
    func open(_ family: Int32, _ type: Int32, _ protocolNumber: Int32, _ address: IPAddress?) -> Int32 {
        guard let address, addresses.contains(address) else {
            _ = fail(.forbidden, "curl wanted to dial an address that was not checked")
            return ccurl_bad_socket
        }
        return socket(family, type | Int32(SOCK_CLOEXEC.rawValue), protocolNumber)
    }

    func resume() {
        let keep = transfer.pausesToKeep()
        _ = curl.pointee.easy_pause(
            handle,
            (keep.receive ? ccurl_pause_receive : 0) | (keep.send ? ccurl_pause_send : 0)
        )
    }

    // MARK: - The end

    /// When the transfer is given up unless something moves before; establishing a connection has its own limit.
    func idleDeadline(_ now: ContinuousClock.Instant) -> ContinuousClock.Instant {
        let count = Int64(ccurl_moved(curl, handle))
        if count != moved || transfer.isHeldBack || ccurl_connected(curl, handle) == 0 {
            moved = count
            lastMove = now
        }
        return lastMove + transfer.plan.limits.idle
    }

    func result(of code: CURLcode) -> Result<Void, CodeForgeError> {
        if code == CURLE_OK { return .success(()) }
        if let error = ownError ?? transfer.uploadError { return .failure(error) }
        let detail = String(cString: errorText)
        let reason = detail.isEmpty ? CurlLibrary.shared.describe(code) : detail
        return .failure(
            CodeForgeError(
                code == CURLE_OPERATION_TIMEDOUT ? .timeout : .unavailable,
                "\(transfer.plan.label): \(reason)"
            )
        )
    }
}

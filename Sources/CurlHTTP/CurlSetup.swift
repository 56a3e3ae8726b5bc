import CCurl
import Domain

/// Sets options of one handle and keeps the first failure.
struct CurlSetup {
    let handle: UnsafeMutableRawPointer
    private let curl = CurlLibrary.shared.functions
    private(set) var code = CURLE_OK
    /// To be freed after the handle.
    private(set) var lists: [UnsafeMutablePointer<curl_slist>] = []

    init(handle: UnsafeMutableRawPointer) { self.handle = handle }

    private mutating func note(_ result: CURLcode) { if code == CURLE_OK { code = result } }

    mutating func number(_ option: CURLoption, _ value: Int) { note(ccurl_set_long(curl, handle, option, value)) }

    mutating func size(_ option: CURLoption, _ value: Int64) {
        note(ccurl_set_size(curl, handle, option, curl_off_t(value)))
    }

    mutating func text(_ option: CURLoption, _ value: String) { note(ccurl_set_text(curl, handle, option, value)) }

    mutating func pointer(_ option: CURLoption, _ value: UnsafeMutableRawPointer) {
        note(ccurl_set_pointer(curl, handle, option, value))
    }

    mutating func list(_ option: CURLoption, _ lines: [String]) {
        var list: UnsafeMutablePointer<curl_slist>?
        for line in lines {
            guard let longer = curl.pointee.slist_append(list, line) else {
                if let list { lists.append(list) }
                return note(CURLE_OUT_OF_MEMORY)
            }
            list = longer
        }
        if let list { lists.append(list) }
        note(ccurl_set_list(curl, handle, option, list))
    }

    /// - Parameter context: The `EasyTransfer`, unretained: the loop's table keeps it while curl may call.
    mutating func callbacks(_ context: UnsafeMutableRawPointer) {
        note(
            ccurl_set_callbacks(
                curl,
                handle,
                context,
                { data, size, count, context in
                    guard let data, let easy = EasyTransfer.from(context) else { return 0 }
                    return easy.header(UnsafeRawBufferPointer(start: data, count: size * count)) ? size * count : 0
                },
                { data, size, count, context in
                    guard let data, let easy = EasyTransfer.from(context) else { return 0 }
                    let bytes = UnsafeRawBufferPointer(start: data, count: size * count)
                    return bytes.isEmpty || easy.transfer.received(bytes) ? bytes.count : ccurl_write_pause
                },
                { data, size, count, context in
                    guard let data, let easy = EasyTransfer.from(context) else { return ccurl_read_abort }
                    switch easy.transfer.send(into: .init(start: data, count: size * count)) {
                    case .bytes(let sent): return sent
                    case .pause: return ccurl_read_pause
                    case .end: return 0
                    case .abort: return ccurl_read_abort
                    }
                },
                { context, offset, origin in
                    guard offset == 0, origin == SEEK_SET, let easy = EasyTransfer.from(context) else { return 2 }
                    return easy.transfer.rewind() ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_CANTSEEK
                },
                { context, _, address in
                    guard let address, let easy = EasyTransfer.from(context) else { return ccurl_bad_socket }
                    let peer = address.pointee
                    let offset = MemoryLayout<curl_sockaddr>.offset(of: \.addr) ?? 16
                    return easy.open(
                        peer.family,
                        peer.socktype,
                        peer.protocol,
                        IPAddress(socketAddress: UnsafeRawPointer(address) + offset, length: peer.addrlen)
                    )
                }
            )
        )
    }
}

extension EasyTransfer {
    /// Callbacks run on the curl thread, inside `curl_multi_perform` or `curl_easy_pause`.
    static func from(_ context: UnsafeMutableRawPointer?) -> EasyTransfer? {
        context.map { Unmanaged<EasyTransfer>.fromOpaque($0).takeUnretainedValue() }
    }
}

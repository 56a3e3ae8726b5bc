import CCurl

/// The loaded libcurl, or why there is none.
///
/// Unchecked: function pointers that are written once, into a library that is never unloaded.
struct CurlLibrary: @unchecked Sendable {
    /// Lives as long as the process, as the library does.
    let functions: UnsafePointer<ccurl>
    let failure: String?

    static let shared = CurlLibrary()

    private init() {
        let memory = UnsafeMutablePointer<ccurl>.allocate(capacity: 1)
        memory.initialize(to: ccurl())
        failure = ccurl_load(memory).map { String(cString: $0) }
        functions = UnsafePointer(memory)
    }

    func describe(_ code: CURLcode) -> String {
        functions.pointee.easy_strerror(code).map { String(cString: $0) } ?? "curl error \(code.rawValue)"
    }
}

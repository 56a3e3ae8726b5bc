// Where the compiler files <sys/socket.h>, which curl.h includes.
import CCurl
package import Domain
import Glibc
import Synchronization

/// The system's resolver: `/etc/hosts`, DNS and whatever else `nsswitch.conf` names.
package struct SystemResolver: NameResolver {
    package init() {}

    package func addresses(of name: String, within limit: Duration) async throws(CodeForgeError) -> [IPAddress] {
        let answer = FirstAnswer<Result<[IPAddress], CodeForgeError>>()
        Resolver.lookUp(name) { answer.give($0) }
        let timer = Task {
            try await Task.sleep(for: limit)
            answer.give(.failure(CodeForgeError(.timeout, "\(name): the name lookup took too long")))
        }
        defer { timer.cancel() }
        return try await withTaskCancellationHandler {
            await answer.take()
        } onCancel: {
            answer.give(.failure(CodeForgeError(.cancelled, "\(name): the name lookup was given up")))
        }.get()
    }
}

/// Waits for the first of several answers; later ones are dropped.
private final class FirstAnswer<Value: Sendable>: Sendable {
    private struct State {
        var value: Value?
        var waiter: CheckedContinuation<Value, Never>?
    }
    private let state = Mutex(State())

    func give(_ value: Value) {
        let waiter = state.withLock { state -> CheckedContinuation<Value, Never>? in
            guard state.value == nil else { return nil }
            state.value = value
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: value)
    }

    /// For one caller.
    func take() async -> Value {
        await withCheckedContinuation { waiter in
            let value = state.withLock { state in
                if state.value == nil { state.waiter = waiter }
                return state.value
            }
            if let value { waiter.resume(returning: value) }
        }
    }
}

/// Looks names up with the system's resolver, each lookup on a short-lived thread of its own: `getaddrinfo` blocks.
enum Resolver {
    /// Lookups at a time; more are refused, so that a dead DNS server cannot pile up threads.
    static let maximum = 16
    private static let running = Atomic<Int>(0)

    static func lookUp(
        _ name: String,
        _ done: @escaping @Sendable (Result<[IPAddress], CodeForgeError>) -> Void
    ) {
        let count = running.add(1, ordering: .relaxed).newValue
        let started =
            count <= maximum
            && OwnThread.start(stackBytes: 256 * 1024) {
                let result = addresses(of: name)
                running.subtract(1, ordering: .relaxed)
                done(result)
            }
        if !started {
            running.subtract(1, ordering: .relaxed)
            done(.failure(CodeForgeError(.unavailable, "too many name lookups at once")))
        }
    }

    private static func addresses(of name: String) -> Result<[IPAddress], CodeForgeError> {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(name, nil, &hints, &list)
        guard code == 0 else {
            let reason = String(cString: gai_strerror(code))
            return .failure(CodeForgeError(.unavailable, "cannot resolve \(name): \(reason)"))
        }
        defer { freeaddrinfo(list) }
        var found: [IPAddress] = []
        var entry = list
        while let info = entry {
            if let address = IPAddress(socketAddress: info.pointee.ai_addr, length: info.pointee.ai_addrlen),
                !found.contains(address)
            {
                found.append(address)
            }
            entry = info.pointee.ai_next
        }
        return .success(found)
    }
}

extension IPAddress {
    /// Reads an `AF_INET` or `AF_INET6` socket address.
    init?(socketAddress: UnsafeRawPointer?, length: socklen_t) {
        guard let socketAddress, length >= MemoryLayout<sockaddr_in>.size else { return nil }
        switch Int32(socketAddress.loadUnaligned(as: sa_family_t.self)) {
        case AF_INET:
            self = .v4(UInt32(bigEndian: socketAddress.loadUnaligned(as: sockaddr_in.self).sin_addr.s_addr))
        case AF_INET6 where length >= MemoryLayout<sockaddr_in6>.size:
            guard let offset = MemoryLayout<sockaddr_in6>.offset(of: \.sin6_addr) else { return nil }
            self = .v6(
                high: UInt64(bigEndian: socketAddress.loadUnaligned(fromByteOffset: offset, as: UInt64.self)),
                low: UInt64(bigEndian: socketAddress.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self))
            )
        default: return nil
        }
    }
}

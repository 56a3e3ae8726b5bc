import Domain
import Engine
import FoundationEssentials
import Logging

/// Asks a server for JSON and picks outputs out of it.
extension StepRun {
    /// Longest answer that is read.
    private static let bodyBytes = 1_048_576
    private static let redirects = 3

    func fetch() async throws(StepFailure) -> [String: String] {
        let config = try StepRun.read { () throws(CodeForgeError) in try FetchConfig(step) }
        let isIdempotent = ["GET", "HEAD"].contains(config.method)
        guard isIdempotent || !isResumed else { throw .failed("interrupted by a restart, not repeated") }
        let paths = try StepRun.read { () throws(CodeForgeError) in
            var paths: [(name: String, path: JSONPath)] = []
            for output in config.outputs { paths.append((output.name, try JSONPath(output.path))) }
            return paths
        }
        var headers: HeaderList = ["User-Agent": "CodeForge", "Accept": "application/json"]
        for header in config.headers {
            let value = try render(header.value, "headers.\(header.name)")
            headers.set(header.name, value)
        }
        let url = parts.directory.configured(try render(config.url, "url"))
        let key = try render(config.keyName ?? "", "key_name").filled
        let answer: Answer
        do throws(CodeForgeError) {
            answer = try await ask(config.method, url, headers, key: key, retries: isIdempotent ? 1 : 0)
        } catch {
            throw StepFailure(error)
        }
        let document = try StepRun.document(answer, isEmptyFine: config.method == "HEAD")
        return Dictionary(paths.map { ($0.name, $0.path.value(in: document)) }, uniquingKeysWith: { $1 })
    }

    private struct Answer {
        var status: Int
        var body: [UInt8]
        /// Must not be shown.
        var secret: String?
    }

    /// - Parameter retries: How often it is tried again after a failure of the network.
    private func ask(
        _ method: String, _ url: String, _ headers: HeaderList, key: String?, retries: Int
    ) async throws(CodeForgeError) -> Answer {
        var retries = retries
        while true {
            do throws(CodeForgeError) {
                return try await follow(method, url, headers, key: key)
            } catch {
                guard retries > 0, error.code == .unavailable || error.code == .timeout, !Task.isCancelled else {
                    throw error
                }
                retries -= 1
                Logger.current.info(
                    "fetch failed, trying again", metadata: ["run.id": "\(run.id)", "error": "\(error.message)"])
            }
        }
    }

    /// Follows redirects that stay with the server, when the method may be repeated.
    private func follow(
        _ method: String, _ url: String, _ headers: HeaderList, key name: String?
    ) async throws(CodeForgeError) -> Answer {
        var place = try HTTPURL(url)
        for _ in 0...StepRun.redirects {
            var headers = headers
            var secret: String?
            if let name {
                let key = try await parts.credentials.key(named: name, for: place)
                secret = key.token
                headers.remove("Authorization")
                headers.remove("PRIVATE-TOKEN")
                if key.key.provider == .gitlab {
                    headers.append("PRIVATE-TOKEN", key.token)
                } else {
                    headers.append("Authorization", "Bearer " + key.token)
                }
            }
            let limits = TransportLimits(
                connect: rules.fetchTimeout, idle: rules.fetchTimeout, total: rules.fetchTimeout)
            let response = try await parts.transport.send(
                TransportRequest(
                    method: method, url: place.description, headers: headers, limits: limits,
                    addresses: rules.addresses))
            guard [301, 302, 303, 307, 308].contains(response.status) else {
                let body: [UInt8]
                do throws(CodeForgeError) {
                    body = try await response.body.collect(upTo: StepRun.bodyBytes)
                } catch {
                    guard error.code == .limited else { throw error }
                    throw CodeForgeError(.limited, "the answer is longer than \(StepRun.bodyBytes) bytes")
                }
                return Answer(status: response.status, body: body, secret: secret)
            }
            guard ["GET", "HEAD"].contains(method), let next = response.headers["location"],
                let target = try? HTTPURL(next.hasPrefix("/") && !next.hasPrefix("//") ? place.origin + next : next),
                target.origin == place.origin
            else {
                throw CodeForgeError(
                    .failed, "HTTP \(response.status): redirects are followed on the same server only")
            }
            place = target
        }
        throw CodeForgeError(.failed, "more than \(StepRun.redirects) redirects")
    }

    private static func document(_ answer: Answer, isEmptyFine: Bool) throws(StepFailure) -> JSONValue {
        if answer.status >= 400 {
            var body = answer.body
            if let secret = answer.secret {
                body = Array(String(decoding: body, as: UTF8.self).replacing(secret, with: "***").utf8)
            }
            throw .failed("HTTP \(answer.status): \(SafeText.start(of: body, limit: 200))")
        }
        if answer.body.isEmpty, isEmptyFine { return .null }
        do {
            return try JSONDecoder().decode(JSONValue.self, from: Data(answer.body))
        } catch {
            throw .failed("the answer is not JSON")
        }
    }
}

import ArgumentParser
import Client
import CurlHTTP
import Domain
import FoundationEssentials
import Settings

/// Which service a command talks to.
struct ServiceOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "URL of the service. Default: CODEFORGE_URL, else url of client.yaml, else this host at server.port.",
            discussion: """
                The token is CODEFORGE_TOKEN or in the file CODEFORGE_TOKEN_FILE names; without, token or token_file of \
                ~/.config/codeforge/client.yaml, which goes to its url alone; without, server.auth_token, which goes to \
                the configured server alone.
                """))
    var url: String?
    @OptionGroup var settings: SettingsOptions

    /// - Throws: `ExitCode` when it is not known where the service is, or no token is.
    func client() throws -> APIClient {
        let environment = ProcessInfo.processInfo.environment
        func given(_ name: String) -> String? { environment[name]?.filled }
        return try reportingNow {
            let place = url ?? given("CODEFORGE_URL")
            let token = try SecretText.environment("CODEFORGE_TOKEN")
            // What is given needs no configuration, which may be on another host.
            if let place, let token { return try Self.client(place, token) }
            let file = try ClientFile.path(in: environment).flatMap { path throws(CodeForgeError) in
                try ClientFile.read(path)
            }
            if let file, let home = file.url {
                if let token { return try Self.client(place ?? home, token) }
                if place == nil || Self.origin(place ?? "") == Self.origin(home), let token = try file.secret {
                    return try Self.client(place ?? home, token)
                }
            }
            return try configured(place ?? file?.url, token)
        }
    }

    /// With what the service's own configuration says.
    private func configured(_ place: String?, _ token: String?) throws -> APIClient {
        let server = try settings.loadForTools().server
        let own = Self.address(host: server.host, port: server.port)
        guard let address = place ?? own else {
            complain("server.port is 0: set CODEFORGE_URL to where the service listens")
            throw ExitCode(2)
        }
        if let token { return try Self.client(address, token) }
        guard Self.origin(address) == own.flatMap(Self.origin) else {
            complain(
                "no token for \(SafeText.start(of: address.utf8, limit: 200)): set CODEFORGE_TOKEN; server.auth_token "
                    + "goes to the configured server alone" + (own.map { ", \($0)" } ?? ""))
            throw ExitCode(4)
        }
        guard !server.authToken.isEmpty else {
            complain("no token: set CODEFORGE_TOKEN, or server.auth_token as for the service")
            throw ExitCode(4)
        }
        return try Self.client(address, server.authToken)
    }

    private static func client(_ url: String, _ token: String) throws(CodeForgeError) -> APIClient {
        try APIClient(url: url, token: token, transport: CurlTransport())
    }

    /// Names are not looked up: what `localhost` is, somebody else may decide.
    private static func origin(_ url: String) -> String? { try? HTTPURL(url).origin }  // no URL: no server of ours

    /// A service that listens everywhere is asked on loopback.
    private static func address(host: String, port: Int) -> String? {
        guard port > 0 else { return nil }
        let isEverywhere = host == "0.0.0.0" || host == "::" || host == "[::]"
        let name = isEverywhere ? "127.0.0.1" : host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
        return "http://\(name):\(port)"
    }
}

extension CodeForgeError {
    /// Says what went wrong; the exit status tells what kind it was: 3 there is no such thing, 4 the token is not good,
    /// 69 (`EX_UNAVAILABLE`) nobody answers, 1 anything else.
    var reported: ExitCode {
        complain("codeforge: \(SafeText.start(of: message.utf8, limit: 2000))")
        // The message is one of them.
        for text in fields.map({ "\($0.name): \($0.reason)" }) where text != message {
            complain("  " + SafeText.start(of: text.utf8, limit: 2000))
        }
        switch code {
        case .notFound: return ExitCode(3)
        case .unauthorized, .forbidden: return ExitCode(4)
        case .unavailable, .timeout: return ExitCode(69)
        default: return ExitCode(1)
        }
    }
}

/// The part of a help text that tells the exit statuses.
let exitStatuses = "Exit status: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 not authorized, 69 no answer."

/// Runs what may fail with the error of a port, and reports that.
func reporting<Value>(_ body: () async throws -> Value) async throws -> Value {
    do {
        return try await body()
    } catch let error as CodeForgeError {
        throw error.reported
    }
}

/// Likewise, for what does not wait.
func reportingNow<Value>(_ body: () throws -> Value) throws -> Value {
    do {
        return try body()
    } catch let error as CodeForgeError {
        throw error.reported
    }
}

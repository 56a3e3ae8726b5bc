import ArgumentParser
import Client
import CurlHTTP
import Domain
import FoundationEssentials

/// Which service a command talks to.
struct ServiceOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "URL of the service. Default: CODEFORGE_URL, else this host at the configured server.port.",
            discussion: "The token is CODEFORGE_TOKEN, else the configured server.auth_token."))
    var url: String?
    @OptionGroup var settings: SettingsOptions

    /// - Throws: `ExitCode` when it is not known where the service is, or no token is.
    func client() throws -> APIClient {
        let environment = ProcessInfo.processInfo.environment
        func given(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        let place = url ?? given("CODEFORGE_URL")
        let token = given("CODEFORGE_TOKEN")
        // What is given needs no configuration, which may be on another host.
        let loaded = place == nil || token == nil ? try settings.loadForTools() : nil
        guard let address = place ?? loaded.flatMap({ Self.address(host: $0.server.host, port: $0.server.port) }) else {
            complain("server.port is 0: set CODEFORGE_URL to where the service listens")
            throw ExitCode(2)
        }
        guard let secret = token ?? loaded?.server.authToken, !secret.isEmpty else {
            complain("no token: set CODEFORGE_TOKEN, or server.auth_token as for the service")
            throw ExitCode(4)
        }
        do throws(CodeForgeError) {
            return try APIClient(url: address, token: secret, transport: CurlTransport())
        } catch {
            throw error.reported
        }
    }

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

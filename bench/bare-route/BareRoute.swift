import ArgumentParser
import Foundation
import Hummingbird
import Logging
import NIOCore

/// The least that answers a request with the same bytes: what `bench/api` compares with. Not shipped.
@main struct BareRoute: AsyncParsableCommand {
    @Argument(help: "File with the body to answer.")
    var file: String

    func run() async throws {
        let body = ByteBuffer(string: try String(contentsOf: .init(filePath: file), encoding: .utf8))
        let router = Router()
        router.get("api/v1/tasks/{taskID}") { _, _ in
            Response(
                status: .ok, headers: [.contentType: "application/json"], body: ResponseBody(byteBuffer: body))
        }
        var logger = Logger(label: "bare-route")
        logger.logLevel = .error
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0), serverName: nil),
            onServerRunning: { channel in
                print("port \(channel.localAddress?.port ?? 0)")
                fflush(nil)  // a pipe's reader waits for it
            }, logger: logger)
        try await application.runService()
    }
}

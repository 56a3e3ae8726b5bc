import Domain
import Engine
import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOCore

/// The body of `POST /tasks`. Unknown members are ignored; `null` is like absent.
struct CreateTaskRequest: Decodable {
    var draft: TaskDraft

    private enum Key: String, CodingKey {
        case repoURL = "repo_url"
        case prompt
        case taskType = "task_type"
        case providerKey = "provider_key"
        case accessToken = "access_token"
        case callbackURL = "callback_url"
        case workflowRunID = "workflow_run_id"
        case config
    }

    private enum ConfigKey: String, CodingKey { case aiAPIKey = "ai_api_key" }

    init(from decoder: any Decoder) throws {
        let body = try decoder.container(keyedBy: Key.self)
        let config = try body.decodeIfPresent(TaskConfig.self, forKey: .config)
        let key = try config.map { _ in
            try body.nestedContainer(keyedBy: ConfigKey.self, forKey: .config)
                .decodeIfPresent(String.self, forKey: .aiAPIKey)
        }
        func text(_ key: Key) throws -> String? { try body.decodeIfPresent(String.self, forKey: key) }
        draft = TaskDraft(
            repoURL: try text(.repoURL) ?? "",
            prompt: try text(.prompt) ?? "",
            taskType: try text(.taskType),
            providerKey: try text(.providerKey),
            callbackURL: try text(.callbackURL),
            workflowRunID: try text(.workflowRunID),
            config: config,
            secrets: TaskSecrets(accessToken: try text(.accessToken)?.filled, aiAPIKey: (key ?? nil)?.filled)
        )
    }
}

/// The body of `POST /tasks/{taskID}/instruct`.
struct InstructRequest: Decodable {
    var prompt: String?
}

/// The body of `POST /tasks/{taskID}/approve`; may be missing.
struct ApproveRequest: Decodable {
    var headSHA: String?

    private enum CodingKeys: String, CodingKey { case headSHA = "head_sha" }
}

/// Reads request bodies.
struct BodyReader: Sendable {
    let limit: Int

    /// - Throws: 413 for a body over the limit, 400 for one that is not the JSON asked for.
    func decode<Body: Decodable>(_ type: Body.Type, from request: Request) async throws -> Body {
        try read(type, from: await bytes(of: request))
    }

    /// For bodies that may be left out.
    ///
    /// - Returns: `nil` when there is none.
    /// - Throws: As `decode`.
    func decodeIfAny<Body: Decodable>(_ type: Body.Type, from request: Request) async throws -> Body? {
        let bytes = try await bytes(of: request)
        return bytes.isEmpty ? nil : try read(type, from: bytes)
    }

    /// - Throws: 413 for a body over the limit, 400 for one that breaks off or is no HTTP.
    func bytes(of request: Request) async throws -> [UInt8] {
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > limit {
            throw HTTPFailure.tooLarge(limit: limit)
        }
        var buffer: ByteBuffer
        do {
            buffer = try await request.body.collect(upTo: limit)
        } catch is NIOTooManyBytesError {
            throw HTTPFailure.tooLarge(limit: limit)
        } catch  where !(error is CancellationError || error is HTTPFailure || Task.isCancelled) {
            // Whatever else a body ends with came over the wire.
            throw HTTPFailure(.badRequest, "the request's body could not be read")
        }
        return buffer.readBytes(length: buffer.readableBytes) ?? []
    }

    private func read<Body: Decodable>(_ type: Body.Type, from bytes: [UInt8]) throws -> Body {
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch {
            throw HTTPFailure(.badRequest, "invalid JSON body")
        }
    }
}

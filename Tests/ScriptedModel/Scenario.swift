import Domain
import Yams

/// What the model answers: a list of scenarios, of which a conversation's prompt picks the first that matches.
struct Script: Decodable {
    var scenarios: [Scenario]

    static func load(yaml: String) throws -> Script { try YAMLDecoder().decode(Script.self, from: yaml) }

    func scenario(for prompt: String) -> Scenario {
        scenarios.first { $0.match.map(prompt.contains) ?? true } ?? Scenario(name: "none", turns: [])
    }
}

/// One way a conversation goes.
struct Scenario: Decodable {
    var name: String?
    /// Substring of the prompt; without one the scenario fits all.
    var match: String?
    /// The answers in order; each is the model's reply to one request.
    var turns: [Turn]

    init(name: String? = nil, match: String? = nil, turns: [Turn]) {
        self.name = name
        self.match = match
        self.turns = turns
    }

    /// The turn that follows when the conversation holds this many tool results since its prompt.
    ///
    /// It depends on nothing but the request, so any number of conversations go on at once, and a repeated request
    /// gets the same answer.
    func turn(afterResults results: Int) -> (index: Int, turn: Turn) {
        var passed = 0
        for (index, turn) in turns.enumerated() {
            if passed >= results { return (index, turn) }
            passed += turn.toolCalls
        }
        return (turns.count, Turn(steps: [.say("Done.")]))
    }
}

/// One answer.
struct Turn: Decodable {
    var steps: [Step]

    init(steps: [Step]) { self.steps = steps }

    /// A list of steps, or one step alone.
    init(from decoder: any Decoder) throws {
        if let steps = try? [Step](from: decoder) {  // not a list: then one step, whose error is the telling one
            self.steps = steps
        } else {
            steps = [try Step(from: decoder)]
        }
    }

    var toolCalls: Int { steps.count { $0.toolAction != nil } }
}

/// One part of an answer. In YAML a map with the step's name as its only key.
enum Step: Decodable {
    case think(String)
    case say(String)
    case act(Action)
    /// Nothing is sent for that long.
    case stall(seconds: Double)
    case fail(Failure)
    /// So many requests of this turn are answered 529 before it goes on.
    case overload(times: Int, retryAfter: Int?)
    /// That much text.
    case flood(bytes: Int)
    /// The connection ends in the middle of the answer.
    case disconnect

    /// Something the CLI is asked to do, with whichever of its tools does it.
    enum Action {
        case write(path: String, content: String)
        case edit(path: String, old: String, new: String)
        case read(path: String)
        case run(command: String)
        /// A tool by its own name.
        case tool(name: String, input: JSONValue)
    }

    struct Failure: Decodable {
        var status: Int
        var message: String?
    }

    var toolAction: Action? {
        if case .act(let action) = self { return action }
        return nil
    }

    private enum Key: String, CodingKey, CaseIterable {
        case think, say, write, edit, read, run, tool, stall, fail, overload, flood, disconnect
    }
    private struct Write: Decodable { var path: String, content: String }
    private struct Edit: Decodable { var path: String, old: String, new: String }
    private struct Tool: Decodable { var name: String, input: JSONValue }
    private struct Overload: Decodable {
        var times: Int
        var retryAfter: Int?
        enum CodingKeys: String, CodingKey { case times, retryAfter = "retry_after" }
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        guard container.allKeys.count == 1, let key = container.allKeys.first else {
            let known = Key.allCases.map(\.rawValue).joined(separator: ", ")
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "a step is one of: \(known)"))
        }
        switch key {
        case .think: self = .think(try container.decode(String.self, forKey: key))
        case .say: self = .say(try container.decode(String.self, forKey: key))
        case .write:
            let write = try container.decode(Write.self, forKey: key)
            self = .act(.write(path: write.path, content: write.content))
        case .edit:
            let edit = try container.decode(Edit.self, forKey: key)
            self = .act(.edit(path: edit.path, old: edit.old, new: edit.new))
        case .read: self = .act(.read(path: try container.decode(String.self, forKey: key)))
        case .run: self = .act(.run(command: try container.decode(String.self, forKey: key)))
        case .tool:
            let tool = try container.decode(Tool.self, forKey: key)
            self = .act(.tool(name: tool.name, input: tool.input))
        case .stall: self = .stall(seconds: try container.decode(Double.self, forKey: key))
        case .fail: self = .fail(try container.decode(Failure.self, forKey: key))
        case .overload:
            let overload = try container.decode(Overload.self, forKey: key)
            self = .overload(times: overload.times, retryAfter: overload.retryAfter)
        case .flood: self = .flood(bytes: try container.decode(Int.self, forKey: key))
        case .disconnect:
            _ = try container.decode(Bool.self, forKey: key)
            self = .disconnect
        }
    }
}

import Domain
import FoundationEssentials

/// Reads the members of a step's `config` and gathers what is wrong with them. Members nobody knows are left alone.
struct StepConfigReader {
    /// By member, as `config.url`.
    private(set) var problems: [(name: String, reason: String)] = []
    private let members: [String: JSONValue]

    /// Most members of an object like `headers`.
    private static let mostMembers = 100

    init(_ config: JSONValue) {
        switch config {
        case .object(let members): self.members = members.filter { $0.value != .null }
        case .null: members = [:]
        default:
            members = [:]
            problems.append(("config", "must be an object"))
        }
    }

    mutating func refuse(_ name: String, _ reason: String) { problems.append(("config." + name, reason)) }

    /// - Returns: `nil` for one that is absent or empty.
    mutating func text(_ name: String) -> String? {
        guard let value = members[name] else { return nil }
        guard let text = value.stringValue else {
            refuse(name, "must be a text")
            return nil
        }
        return text.filled
    }

    /// - Returns: `""` when it is not there.
    mutating func requiredText(_ name: String) -> String {
        let known = problems.count
        if let text = text(name) { return text }
        if problems.count == known { refuse(name, "field is required") }
        return ""
    }

    /// - Returns: `nil` for one that is absent or 0, which clients write for it.
    mutating func count(_ name: String) -> Int? {
        guard let value = members[name], value != 0 else { return nil }
        guard let number = value.intValue, (1...Int64(Int32.max)).contains(number) else {
            refuse(name, "must be an integer from 1")
            return nil
        }
        return Int(number)
    }

    /// - Returns: `nil` for one that is absent or 0.
    mutating func amount(_ name: String) -> Double? {
        let amount: Double
        switch members[name] {
        case nil: return nil
        case .int(let value): amount = Double(value)
        case .double(let value): amount = value
        default: amount = -1
        }
        guard amount >= 0, amount.isFinite else {
            refuse(name, "must be a number from 0")
            return nil
        }
        return amount > 0 ? amount : nil
    }

    /// An object of texts, in the order of its names.
    mutating func texts(_ name: String) -> [(name: String, value: String)] {
        guard let value = members[name] else { return [] }
        guard case .object(let object) = value, object.count <= StepConfigReader.mostMembers else {
            refuse(name, "must be an object of at most \(StepConfigReader.mostMembers) texts")
            return []
        }
        var texts: [(name: String, value: String)] = []
        for (member, value) in object.sorted(by: { $0.key < $1.key }) where value != .null {
            if let text = value.stringValue {
                texts.append((member, text))
            } else {
                refuse("\(name).\(member)", "must be a text")
            }
        }
        return texts
    }

    /// - Parameter shape: What an element looks like, for the message.
    mutating func list<Element: Decodable>(_ name: String, _ shape: String) -> [Element]? {
        guard let value = members[name] else { return nil }
        var writer = JSONWriter()
        writer.value(value)
        do {
            return try JSONDecoder().decode([Element].self, from: Data(writer.bytes))
        } catch {
            refuse(name, "must be a list of \(shape)")
            return nil
        }
    }
}

/// What a step of one type says in its `config`.
protocol StepConfig {
    init(reading reader: inout StepConfigReader)

    /// Members that are templates, by their name in `config`.
    var templates: [(member: String, text: String)] { get }
    /// Members that name another step, which must be a task.
    var taskReferences: [(member: String, step: String)] { get }
}

extension StepConfig {
    /// - Throws: `.invalidArgument`; `fields` has everything that is wrong.
    static func read(_ step: WorkflowStep) throws(CodeForgeError) -> Self {
        var reader = StepConfigReader(step.config)
        let config = Self(reading: &reader)
        if let first = reader.problems.first {
            throw CodeForgeError(.invalidArgument, "\(first.name): \(first.reason)", fields: reader.problems)
        }
        return config
    }
}

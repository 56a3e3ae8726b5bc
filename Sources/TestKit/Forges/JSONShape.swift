import Domain

/// What a request's body must look like.
indirect enum JSONShape {
    case string
    case filled
    /// An integer ≥ 1.
    case positive
    case bool
    case oneOf([String])
    case array(JSONShape)
    /// Members not named are violations; those in `required` may not be missing.
    case object([String: JSONShape], required: [String])

    /// One line for each place of `value` that does not fit.
    func violations(of value: JSONValue, at place: String = "body") -> [String] {
        switch (self, value) {
        case (.string, .string), (.bool, .bool): return []
        case (.filled, .string(let text)): return text.isEmpty ? ["\(place) is empty"] : []
        case (.positive, .int(let number)): return number > 0 ? [] : ["\(place) is \(number)"]
        case (.oneOf(let words), .string(let text)):
            return words.contains(text) ? [] : ["\(place) is \(text), not one of \(words)"]
        case (.array(let shape), .array(let elements)):
            return elements.enumerated().flatMap { shape.violations(of: $1, at: "\(place)[\($0)]") }
        case (.object(let members, let required), .object(let given)):
            let missing = required.filter { given[$0] == nil }.map { "\(place).\($0) is missing" }
            return missing
                + given.sorted { $0.key < $1.key }.flatMap { name, value in
                    members[name]?.violations(of: value, at: "\(place).\(name)") ?? ["\(place).\(name) is unknown"]
                }
        default: return ["\(place) is \(value), not \(self)"]
        }
    }
}

/// HTTP header fields in the order they are sent; names compare without regard to ASCII case.
package struct HeaderList: Sendable {
    package struct Field: Sendable, Hashable {
        package var name: String
        package var value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    package var fields: [Field]

    package init(_ fields: [Field] = []) { self.fields = fields }

    /// The first value of `name`.
    package subscript(name: String) -> String? { fields.first { HeaderList.same($0.name, name) }?.value }

    /// Every value of `name`, in order.
    package func all(_ name: String) -> [String] { fields.filter { HeaderList.same($0.name, name) }.map(\.value) }

    package mutating func append(_ name: String, _ value: String) { fields.append(Field(name, value)) }

    /// Replaces every field of that name by one at the end.
    package mutating func set(_ name: String, _ value: String) {
        remove(name)
        append(name, value)
    }

    package mutating func remove(_ name: String) { fields.removeAll { HeaderList.same($0.name, name) } }

    /// A name is an RFC 9110 token, and a value holds no control character but tab: nothing that could start a line.
    package static func isValid(_ field: Field) -> Bool {
        isToken(field.name) && field.value.utf8.allSatisfy { ($0 >= 0x20 && $0 != 0x7F) || $0 == 0x09 }
    }

    /// Whether `text` is an RFC 9110 token, as methods and header names are.
    package static func isToken(_ text: some StringProtocol) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
                case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x5E, 0x5F, 0x60, 0x7C, 0x7E: true
                default: false
                }
            }
    }

    static func same(_ a: String, _ b: String) -> Bool {
        a.utf8.count == b.utf8.count && zip(a.utf8, b.utf8).allSatisfy { lower($0) == lower($1) }
    }

    private static func lower(_ byte: UInt8) -> UInt8 { byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte }
}

extension HeaderList: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (String, String)...) { fields = elements.map { Field($0.0, $0.1) } }
}

extension HeaderList: Sequence {
    package func makeIterator() -> IndexingIterator<[Field]> { fields.makeIterator() }
}

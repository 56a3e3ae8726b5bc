import Domain
import Testing
import Workflows

@Suite struct JSONPathTests {
    private static let document: JSONValue = [
        "title": "Bug", "number": 42, "big": .double(5), "huge": .double(1e20), "ratio": .double(0.25), "open": true,
        "closed": false, "nothing": nil, "empty": "", "none": [],
        "metadata": ["value": "boom", "deep": ["er": "x"], "a.b": "dotted", "it's": "quoted"],
        "labels": [["name": "bug"], ["name": "p1"], ["id": 3], ["name": nil]], "tags": ["a", "b", "c"],
        "matrix": [[1, 2], [3]],
    ]

    @Test(arguments: [
        ("$.title", "Bug"), ("$.number", "42"), ("$.big", "5"), ("$.huge", "1e+20"), ("$.ratio", "0.25"),
        ("$.open", "true"), ("$.closed", "false"), ("$.nothing", ""), ("$.empty", ""), ("$.absent", ""),
        ("$.metadata.value", "boom"), ("$.metadata.deep.er", "x"), ("$.title.length", ""), ("$.absent.more", ""),
        ("$.metadata.deep", #"{"er":"x"}"#), ("$.tags", #"["a","b","c"]"#), ("$['title']", "Bug"),
        ("$[\"metadata\"]['value']", "boom"), ("$.metadata['a.b']", "dotted"), (#"$.metadata['it\'s']"#, "quoted"),
        ("$.tags[0]", "a"), ("$.tags[-1]", "c"), ("$.tags[3]", ""), ("$.tags[-4]", ""), ("$.labels[1].name", "p1"),
        ("$.title[0]", ""), ("$.labels[*].name", #"["bug","p1",null]"#), ("$.tags[*]", #"["a","b","c"]"#),
        ("$.matrix[*][*]", "[1,2,3]"), ("$.none[*]", ""), ("$.absent[*].x", ""), ("$.metadata.deep.*", #"["x"]"#),
    ])
    func picks(path: String, value: String) throws {
        #expect(try JSONPath(path).value(in: Self.document) == value)
    }

    @Test func theWholeDocumentCanBeMeant() throws {
        #expect(try JSONPath("$").value(in: ["b": 1, "a": [nil, true]]) == #"{"a":[null,true],"b":1}"#)
        #expect(try JSONPath("$").value(in: "text") == "text")
        #expect(try JSONPath("$[0]").value(in: ["x"]) == "x")
    }

    @Test(arguments: [
        ("", 1), ("title", 1), ("$title", 2), ("$.", 3), ("$..a", 3), ("$.a.", 5), ("$[", 3), ("$[x]", 3), ("$['a'", 6),
        ("$['a", 5), ("$[0", 4), ("$[-]", 4), ("$[1.5]", 4), ("$[*", 4), ("$.a]", nil), ("$[?(@.a)]", 3),
        ("$[99999999999999999999]", 23), ("$[٣]", 3),
    ])
    func refusesWhatItCannotRead(path: String, character: Int?) throws {
        guard let character else { return #expect(try JSONPath(path).value(in: ["a]": "x"]) == "x") }
        let error = #expect(throws: CodeForgeError.self) { try JSONPath(path) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.hasPrefix("character \(character) ") == true, "\(path): \(String(describing: error))")
    }

    @Test func aPathHasALength() {
        #expect(throws: CodeForgeError.self) { try JSONPath("$" + String(repeating: ".a", count: 600)) }
    }
}

import Domain
import Settings
import Testing

@Suite struct YAMLDocumentTests {
    @Test func aDefinitionIsReadAsItWouldBeSent() throws {
        let text = """
            # Triage
            name: triage
            steps:
              - name: fix
                type: task
                config:
                  repo_url: "{{.Params.repo}}"
                  prompt: |
                    Fix it.
                      Really.
                  pr_number: 7
                  max_budget_usd: 1.5
                  tools: [{name: sentry}]
            parameters:
              - {name: repo, required: true}
              - name: note
                default: "42"
            """
        #expect(
            try YAMLDocument.json(text) == [
                "name": "triage",
                "steps": [
                    [
                        "name": "fix", "type": "task",
                        "config": [
                            "repo_url": "{{.Params.repo}}", "prompt": "Fix it.\n  Really.\n", "pr_number": 7,
                            "max_budget_usd": .double(1.5), "tools": [["name": "sentry"]],
                        ],
                    ]
                ],
                "parameters": [["name": "repo", "required": true], ["name": "note", "default": "42"]],
            ])
    }

    @Test func jsonIsReadToo() throws {
        #expect(try YAMLDocument.json("{\n\t\"a\":\t[1, \"x\", null, 2.5]}\n") == ["a": [1, "x", nil, .double(2.5)]])
        #expect(try YAMLDocument.json("{a: 1}") == ["a": 1])
    }

    @Test(
        arguments: [
            ("null", nil), ("~", nil), ("", nil), ("true", true), ("False", false), ("yes", "yes"), ("on", "on"),
            ("42", 42), ("-7", -7), ("1e3", .double(1000)), ("0.5", .double(0.5)), ("0x10", "0x10"), (".inf", ".inf"),
            ("nan", "nan"), ("2026-01-02", "2026-01-02"), ("1-2", "1-2"), ("'42'", "42"), ("\"true\"", "true"),
            ("'~'", "~"), ("99999999999999999999", "99999999999999999999"), ("1_000", "1_000"), ("$.title", "$.title"),
        ] as [(String, JSONValue)])
    func scalars(text: String, value: JSONValue) throws { #expect(try YAMLDocument.json("a: \(text)") == ["a": value]) }

    @Test(arguments: [
        ("", "is empty"), ("# nothing", "is empty"), ("a: [1", "line "), ("a: 1\nb: }", "line 2"),
        ("a: 1\na: 2", "same key"),
        ("a: &x 1\nb: *x", "line 1: anchors"), ("a: &x [1]", "line 1: anchors"), ("b: *x", "is not YAML"),
        ("a: 1\n? [x]\n: 2", "line 2: a key must be a text"), ("a: 1\n---\nb: 2", "is not YAML"),
        ("a:\n\t- 1", "line 2"),
    ])
    func mistakesAreToldByLine(text: String, message: String) {
        let error = #expect(throws: CodeForgeError.self) { try YAMLDocument.json(text) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains(message) == true, "\(text): \(String(describing: error))")
    }

    @Test func secretsAreNotRepeated() {
        let error = #expect(throws: CodeForgeError.self) { try YAMLDocument.json("token: hunter2: [") }
        #expect(error?.message.contains("hunter2") == false)
    }

    /// Nine lines of it would be a thousand million texts.
    @Test func bombsAreRefused() {
        var bomb = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n"
        for level in 1...9 {
            let links = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
            bomb += "a\(level): &a\(level) [\(links)]\n"
        }
        let deep = String(repeating: "[", count: 100_000)
        let nested = String(repeating: "[", count: 100) + String(repeating: "]", count: 100)
        for text in [bomb, deep, nested, String(repeating: "a", count: (1 << 20) + 1)] {
            #expect(throws: CodeForgeError.self) { try YAMLDocument.json(text) }
        }
    }
}

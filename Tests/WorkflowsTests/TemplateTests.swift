import Domain
import Testing
import Workflows

@Suite struct TemplateTests {
    private static let context = TemplateContext(
        params: [
            "x": "eggs", "empty": "", "my-name": "dash", "größe": "42", "repo": "https://github.com/octo/app.git",
            "braces": "{{.Params.x}}",
        ],
        steps: ["fetch": ["title": "Bug & fear", "body": ""], "fix-it": ["task_id": "t1"]], runID: "run-1")

    private func render(_ text: String) throws -> String { try Template(text).render(Self.context) }

    @Test(arguments: [
        ("", ""), ("plain } } {", "plain } } {"), ("{ {.Params.x}}", "{ {.Params.x}}"),
        ("a}}b", "a}}b"), ("{{.Params.x}}", "eggs"), ("a {{ .Params.x }} b", "a eggs b"),
        ("{{.RunID}}/{{.Steps.fetch.title}}", "run-1/Bug & fear"), ("{{\n.Params.x\n}}", "eggs"),
        ("{{.Params.my-name}} {{.Steps.fix-it.task_id}} {{.Params.größe}}", "dash t1 42"),
        // What a value says is not evaluated again.
        ("{{.Params.braces}}", "{{.Params.x}}"), ("{{\"{{\"}}", "{{"), ("{{`a\nb`}}", "a\nb"),
        (#"{{"q\"\\\n\t\u00e9"}}"#, "q\"\\\n\té"), ("{{true}}", "true"),
        ("日本 {{.Params.x}} 🙂", "日本 eggs 🙂"),
    ])
    func fieldsAndTexts(text: String, expected: String) throws { #expect(try render(text) == expected) }

    @Test(arguments: [
        ("a  {{- .Params.x}}  b", "aeggs  b"), ("a  {{.Params.x -}}\n\t b", "a  eggsb"),
        ("a \n {{- .Params.x -}} \n b", "aeggsb"), ("a {{/* note */}} b", "a  b"), ("a {{- /* }} */ -}} b", "ab"),
        ("{{/* a */}}{{/* b */}}", ""), ("{{.Params.x -}}", "eggs"), ("{{- .Params.x}}", "eggs"),
        ("{{if .Params.x -}} yes {{- end}}!", "yes!"),
    ])
    func trimmingAndComments(text: String, expected: String) throws { #expect(try render(text) == expected) }

    @Test(arguments: [
        ("{{if .Params.x}}a{{end}}", "a"), ("{{if .Params.empty}}a{{end}}", ""),
        ("{{if .Params.empty}}a{{else}}b{{end}}", "b"),
        ("{{if .Params.empty}}a{{else if .Steps.fetch.body}}b{{else if .Params.x}}c{{else}}d{{end}}", "c"),
        ("{{if .Params.x}}{{if .Params.empty}}a{{else}}b{{end}}c{{end}}", "bc"),
        (#"{{if eq .Params.x "eggs"}}a{{end}}"#, "a"), (#"{{if eq .Params.x "a" "b"}}a{{else}}b{{end}}"#, "b"),
        (#"{{if ne .Params.x "eggs"}}a{{else}}b{{end}}"#, "b"), ("{{if not .Params.empty}}a{{end}}", "a"),
        ("{{if and .Params.x .Params.empty}}a{{else}}b{{end}}", "b"), ("{{or .Params.empty .Params.x}}", "eggs"),
        (#"{{if or (eq .Params.x "a") (eq .Params.x "eggs")}}a{{end}}"#, "a"), ("{{if false}}a{{end}}", ""),
        // Not reached, not worked out.
        ("{{if .Params.empty}}{{.Params.absent}}{{end}}", ""), ("{{or .Params.x .Params.absent}}", "eggs"),
        ("{{if eq \"\u{E9}\" \"e\u{301}\"}}same{{else}}bytes differ{{end}}", "bytes differ"),
    ])
    func conditions(text: String, expected: String) throws { #expect(try render(text) == expected) }

    @Test(arguments: [
        ("https://github.com/octo/app.git", "octo/app", "https://github.com", "octo/app"),
        ("https://git.example.com:8443/g/sub/app/", "sub/app", "https://git.example.com:8443", "g/sub/app"),
        ("http://me:secret@127.0.0.1:3000/octo/app", "octo/app", "http://127.0.0.1:3000", "octo/app"),
        ("git@gitlab.com:octo/app.git", "octo/app", "https://gitlab.com", "octo/app"),
        ("ssh://git@host.example:2222/octo/app.git", "octo/app", "https://host.example", "octo/app"),
        ("https://h/octo/app.git?x=1#y", "octo/app", "https://h", "octo/app"), ("octo/app", "octo/app", "", "octo/app"),
        ("https://h", "", "https://h", ""), ("", "", "", ""), ("://", "", "", ""), ("https:///x", "x", "", "x"),
        ("git://[::1]:9418/a/b.git", "a/b", "https://[::1]", "a/b"),
    ])
    func partsOfRepositories(url: String, path: String, host: String, project: String) throws {
        var context = Self.context
        context.params["u"] = url
        #expect(try Template("{{repoPath .Params.u}}").render(context) == path)
        #expect(try Template("{{.Params.u | repoHost}}").render(context) == host)
        #expect(try Template("{{projectPath .Params.u}}").render(context) == project)
    }

    @Test(arguments: [
        ("{{urlEncode (repoPath .Params.repo)}}", "octo%2Fapp"),
        ("{{.Params.repo | repoPath | urlEncode}}", "octo%2Fapp"),
        ("{{urlEncode .Steps.fetch.title}}", "Bug%20%26%20fear"), (#"{{"ä/%" | urlEncode}}"#, "%C3%A4%2F%25"),
        (#"{{if "x" | eq .Params.x}}a{{else}}b{{end}}"#, "b"), ("{{((.Params.x))}}", "eggs"),
    ])
    func calls(text: String, expected: String) throws { #expect(try render(text) == expected) }

    @Test(arguments: [
        ("{{", 1, 1, "never closed"), ("ab\ncd {{.Params.x", 2, 4, "never closed"), ("{{}}", 1, 1, "empty"),
        ("{{ . }}", 1, 5, "a name is missing after '.'"), ("{{.}}", 1, 4, "a name is missing"),
        ("{{.Params}}", 1, 3, ".Params.NAME"), ("{{.Steps.a}}", 1, 3, ".Steps.STEP.OUTPUT"),
        ("{{.RunID.x}}", 1, 3, ".RunID has no members"), ("{{.Foo}}", 1, 3, "unknown field '.Foo'"),
        ("{{.Params.a.b}}", 1, 3, ".Params.NAME"), ("{{.Params.a.b.c}}", 1, 3, "at most three"),
        ("{{.a.b.c.d}}", 1, 3, "at most three"),
        ("ä{{foo .Params.x}}", 1, 4, "unknown function 'foo'; there are repoPath"),
        ("{{urlEncode}}", 1, 3, "one argument, not 0"),
        ("{{eq .Params.x}}", 1, 3, "2 to 64"), ("{{.Params.x .Params.x}}", 1, 13, "only functions take arguments"),
        ("{{.Params.x | .Params.x}}", 1, 15, "a function is missing"),
        ("{{.Params.x |}}", 1, 14, "a function is missing"),
        ("{{urlEncode urlEncode}}", 1, 13, "in parentheses"), ("{{(.Params.x}}", 1, 3, "')' is missing"),
        ("{{()}}", 1, 4, "empty"), ("{{.Params.x)}}", 1, 12, "')' is not expected"), ("{{$x}}", 1, 3, "variables"),
        ("{{1}}", 1, 3, "numbers"), ("{{'a'}}", 1, 3, "double quotes"), ("{{\"a}}", 1, 3, "never closed"),
        ("{{`a}}", 1, 3, "never closed"), (#"{{"\q"}}"#, 1, 4, "unknown escape"),
        (#"{{"\ud800"}}"#, 1, 4, "no character"),
        (#"{{"\u00+1"}}"#, 1, 4, "four hexadecimal digits"),
        ("{{.Params.x @}}", 1, 13, "'@'"), ("{{range .Params.x}}", 1, 3, "'range' is not supported"),
        ("a\n{{if .Params.x}}b", 2, 1, "'if' is never closed"), ("{{end}}", 1, 3, "'end' without 'if'"),
        ("{{else}}", 1, 3, "'else' without 'if'"), ("{{if}}a{{end}}", 1, 3, "needs a condition"),
        ("{{if .Params.x}}{{else}}{{else}}{{end}}", 1, 27, "after the last 'else'"),
        ("{{if .Params.x}}{{else if}}{{end}}", 1, 19, "needs a condition"),
        ("{{if .Params.x}}{{end .Params.x}}", 1, 23, "not expected"), ("{{-x}}", 1, 3, "after '{{-'"),
        ("{{.Params.x-}}", 1, 12, "before '-}}'"), ("{{/* x", 1, 3, "'*/' is missing"),
        ("{{/* x */ .Params.x}}", 1, 11, "not expected"), ("{{nil}}", 1, 3, "unknown function 'nil'"),
        // Found when it is rendered.
        ("a\n {{.Params.absent}}", 2, 4, "no parameter 'absent'"), ("{{.Steps.no.x}}", 1, 3, "no step 'no'"),
        ("{{.Steps.fetch.no}}", 1, 3, "no output 'no'"), ("{{urlEncode true}}", 1, 3, "takes a text"),
        ("{{eq .Params.x true}}", 1, 3, "compares"),
    ])
    func mistakesAreToldByPlace(text: String, line: Int, column: Int, message: String) throws {
        let error = #expect(throws: TemplateError.self) { try render(text) }
        #expect(error?.line == line && error?.column == column, "\(text): \(String(describing: error))")
        #expect(error?.message.contains(message) == true, "\(text): \(String(describing: error))")
        #expect(error?.description.hasPrefix("line \(line), column \(column): ") == true)
    }

    @Test func errorsShowNoValues() throws {
        var context = Self.context
        context.params["secret"] = "hunter2"
        let template = try Template("{{if eq .Params.secret true}}{{end}}")
        let error = #expect(throws: TemplateError.self) { try template.render(context) }
        #expect(error?.description.contains("hunter2") == false)
    }

    @Test func referencesAreInOrderOfAppearance() throws {
        let template = try Template(
            "{{.Steps.b.x}}{{if .Params.p}}{{urlEncode (repoPath .Params.q)}}{{else}}{{.Steps.a.y}}{{end}}{{.Steps.b.x}}"
        )
        #expect(template.stepReferences.map(\.step) == ["b", "a", "b"])
        #expect(template.stepReferences.map(\.output) == ["x", "y", "x"])
        #expect(template.parameterReferences == ["p", "q"])
        #expect(try Template("no {.Params.p}").parameterReferences.isEmpty)
    }

    @Test func declaredParametersAreEmptyWhenAbsent() throws {
        let workflow = Workflow(
            name: "w", parameters: [.init(name: "given"), .init(name: "late", default: "d"), .init(name: "none")],
            createdAt: Timestamp(nanoseconds: 0))
        let run = WorkflowRun(
            id: "r", workflow: workflow, params: ["given": "g", "extra": "e"], createdAt: workflow.createdAt)
        var step = RunStep(runID: "r", index: 0, name: "s", type: "fetch", startedAt: workflow.createdAt)
        step.result = ["o": "out"]
        let context = TemplateContext(of: run, steps: [step])
        let text = "{{.Params.given}}{{.Params.late}}{{.Params.none}}{{.Params.extra}} {{.Steps.s.o}} {{.RunID}}"
        #expect(try Template(text).render(context) == "gde out r")
        #expect(throws: TemplateError.self) { try Template("{{.Params.undeclared}}").render(context) }
    }
}

/// A definition is a client's, its values a stranger's: neither may cost more than a bounded time and memory.
@Suite struct HostileTemplateTests {
    private func context(_ value: String) -> TemplateContext {
        TemplateContext(params: ["x": value], steps: [:], runID: "r")
    }

    private func repeated(_ text: String, _ count: Int) -> String { String(repeating: text, count: count) }

    @Test func outputIsBoundedToTheByte() throws {
        let mebibyte = repeated("a", 1 << 20)
        #expect(try Template("{{.Params.x}}").render(context(mebibyte)).utf8.count == 1 << 20)
        for text in ["{{.Params.x}}b", "b{{.Params.x}}", "{{.Params.x}}{{.Params.x}}"] {
            let error = #expect(throws: TemplateError.self) { try Template(text).render(context(mebibyte)) }
            #expect(error?.message == "the output is longer than 1 MiB")
        }
        // Text without an action has the same bound.
        #expect(throws: TemplateError.self) { try Template(mebibyte + "b") }
    }

    @Test func valuesOfCallsAreBounded() throws {
        let template = try Template("{{if urlEncode .Params.x}}a{{end}}")
        #expect(throws: TemplateError.self) { try template.render(context(repeated("/", 400_000))) }
    }

    @Test func workIsBounded() throws {
        let template = try Template(repeated("{{if urlEncode .Params.x}}{{end}}", 1000))
        let error = #expect(throws: TemplateError.self) { try template.render(context(repeated("a", 1 << 19))) }
        #expect(error?.message == "the template does too much")
        #expect(try template.render(context("a")) == "")
        #expect(try Template("{{repoPath .Params.x}}").render(context(repeated("a", 1 << 20))) == "")
    }

    @Test(arguments: [
        ("{{if .Params.x}}", "{{end}}"), ("{{if .Params.x}}{{else}}{{if .Params.x}}", "{{end}}{{end}}"),
    ])
    func conditionalsNestToADepth(open: String, close: String) throws {
        #expect(throws: TemplateError.self) { try Template(repeated(open, 20_000) + repeated(close, 20_000)) }
        _ = try Template(repeated(open, 16) + repeated(close, 16))
    }

    @Test func callsNestToADepth() throws {
        for text in [
            "{{" + repeated("(", 100_000) + ".Params.x" + repeated(")", 100_000) + "}}",
            "{{" + repeated("not (", 50_000) + ".Params.x" + repeated(")", 50_000) + "}}",
            "{{.Params.x" + repeated(" | not", 100_000) + "}}", "{{" + repeated("(", 500_000),
        ] {
            let error = #expect(throws: TemplateError.self) { try Template(text) }
            #expect(error?.message.contains("nested more than") == true, "\(String(describing: error))")
        }
    }

    @Test func manyBranchesAreNoNesting() throws {
        let chain =
            "{{if eq .Params.x \"a\"}}" + repeated("{{else if eq .Params.x \"b\"}}b", 10_000) + "{{else}}c{{end}}"
        #expect(try Template(chain).render(context("z")) == "c")
    }

    /// Each would take hours if reading looked back at what it has read.
    @Test func readingIsLinear() throws {
        _ = try Template(repeated("{{.Params.x}}\n", 70_000))
        _ = try Template(repeated("{{- .Params.x -}}", 60_000) + repeated(" ", 20_000))
        _ = try Template(repeated("{{/**/}}", 130_000))
        #expect(try Template(repeated(" ", 1_000_000) + "{{- .Params.x}}").render(context("a")) == "a")
        for text in [repeated("{", 1 << 20), repeated("{{/*", 250_000), repeated("{{\"", 300_000)] {
            #expect(throws: TemplateError.self) { try Template(text) }
        }
    }

    @Test func noTextMakesItTrap() {
        let parts = [
            "{{", "}}", "-", " ", "\n", "if", "else", "end", ".", "Params", ".Params.x", "(", ")", "|", "\"", "`", "\\",
            "/*", "*/", "urlEncode", "eq", "\u{301}", "\0", "é",
        ]
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        for _ in 0..<20_000 {
            var text = "{{"
            for _ in 0..<12 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                text += parts[Int(state >> 33) % parts.count]
            }
            // Only that it returns.
            _ = try? Template(text).render(context("v"))
        }
    }
}

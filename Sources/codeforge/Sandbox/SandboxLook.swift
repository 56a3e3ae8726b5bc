import ArgumentParser
import Client
import Domain
import Glibc
import HostProcess

extension SandboxCommand {
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "ls", abstract: "List running sandboxes, oldest first.",
            discussion: """
                Examples:
                  codeforge sandbox ls
                  codeforge sandbox ls --json | jq -r '.sandboxes[].id'
                """)

        @OptionGroup var output: AnswerOptions

        func run() async throws {
            try await output.list(.sandboxes) { Terminal.show(SandboxTable.lines($0, rates: nil)) }
        }
    }

    struct Inspect: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a running sandbox: its limits and use of them, its layers, its profile.",
            discussion: """
                Examples:
                  codeforge sandbox inspect 77a2
                  codeforge sandbox inspect 77a2 --json | jq .usage.memory
                """)

        @Argument(help: "Id, or the beginning of one.")
        var id: String
        @OptionGroup var output: AnswerOptions

        func run() async throws {
            try await output.show(id, of: .sandboxes) { say(SandboxTable.sheet($0).joined(separator: "\n")) }
        }
    }

    struct Processes: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "ps", abstract: "Show the processes in a sandbox as a tree.",
            discussion: """
                PID is the host's number, INNER the one inside. Unprintable characters of a command are shown as `?`.

                Examples:
                  codeforge sandbox ps 77a2
                """)

        @Argument(help: "Id, or the beginning of one.")
        var id: String
        @OptionGroup var output: AnswerOptions

        func run() async throws {
            try await output.show(id, of: .sandboxes, "/processes") { answer in
                var table = TextTable([
                    .number("PID"), .number("INNER"), .text("STATE"), .number("CPU"), .number("MEMORY"),
                    .number("THREADS"), .text("COMMAND"),
                ])
                for process in answer.list("processes") { add(process, depth: 0, to: &table) }
                table.show()
            }
        }

        private func add(_ process: JSONValue, depth: Int, to table: inout TextTable) {
            let command = process.list("argv").map(\.plain).joined(separator: " ")
            table.add([
                process.text("pid"), process.text("inner_pid"), process.text("state"),
                Units.tenths(process["cpu_seconds"]?.number ?? 0) + "s", process.bytes("resident_bytes"),
                process.text("threads"),
                String(repeating: "  ", count: depth) + (command.isEmpty ? "[no arguments]" : command),
            ])
            for child in process.list("children") { add(child, depth: depth + 1, to: &table) }
        }
    }

    struct Top: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what running sandboxes use, again and again.",
            discussion: """
                `q` or Ctrl-C ends it. When standard output is no terminal it shows one picture and ends.

                Examples:
                  codeforge sandbox top
                """)

        @Option(help: "Seconds between two pictures, 1…3600.")
        var interval = 2
        @OptionGroup var options: ServiceOptions

        func validate() throws {
            guard (1...3600).contains(interval) else { throw ValidationError("--interval must be from 1 to 3600") }
        }

        func run() async throws {
            try await reporting {
                let api = try options.client()
                guard Terminal.isInteractive else {
                    let answer = try await api.get(Resource.sandboxes.path)
                    return Terminal.show(SandboxTable.lines(answer, rates: nil))
                }
                try await Terminal.fullScreen { try await watch(api) }
            }
        }

        private func watch(_ api: APIClient) async throws {
            var rates = ProcessorRates()
            while true {
                let answer = try await api.get(Resource.sandboxes.path)
                rates.take(answer, at: .now)
                let size = Terminal.size ?? (80, 24)
                var lines = SandboxTable.lines(answer, rates: rates, width: size.width)
                if let title = lines.first { lines[0] = Terminal.bold(title) }
                Terminal.draw(lines, height: size.height)
                let end = ContinuousClock.now + .seconds(interval)
                while ContinuousClock.now < end {
                    let left = Int32(max(1, (end - .now) / .milliseconds(1)))
                    let key = await withoutBlocking { Terminal.key(within: left) }
                    // With signals off, Ctrl-C is a key like any other.
                    if key == UInt8(ascii: "q") || key == 3 { return }
                }
            }
        }
    }
}

/// How many processors each sandbox used between two pictures.
struct ProcessorRates {
    private var last: [String: (seconds: Double, at: ContinuousClock.Instant)] = [:]
    private(set) var values: [String: Double] = [:]

    mutating func take(_ answer: JSONValue, at now: ContinuousClock.Instant) {
        var next: [String: (seconds: Double, at: ContinuousClock.Instant)] = [:]
        values = [:]
        for sandbox in answer.list("sandboxes") {
            guard let id = sandbox["id"]?.stringValue, let seconds = sandbox["usage"]?["cpu_seconds"]?.number else {
                continue
            }
            next[id] = (seconds, now)
            guard let before = last[id] else { continue }
            let passed = (now - before.at) / .seconds(1)
            if passed > 0 { values[id] = max(0, seconds - before.seconds) / passed }
        }
        last = next
    }
}

/// Sandboxes as text.
enum SandboxTable {
    /// One line for each sandbox.
    ///
    /// - Parameter rates: For a column with the processors in use now; those that use most come first.
    static func lines(_ answer: JSONValue, rates: ProcessorRates?, width: Int? = Terminal.size?.width) -> [String] {
        var sandboxes = answer.list("sandboxes")
        func rate(_ sandbox: JSONValue) -> Double? { rates?.values[sandbox.text("id")] }
        if rates != nil { sandboxes.sort { (rate($0) ?? 0) > (rate($1) ?? 0) } }
        let ids = sandboxes.map { $0.text("id") }
        var table = TextTable(
            [.text("ID"), .text("PHASE"), .text("PROFILE"), .text("STATE"), .number("UP")]
                + (rates == nil ? [] : [.number("CPU%")])
                + [
                    .number("CPU"), .number("MEMORY"), .number("PROCS"), .number("DISK"), .number("OUT"),
                    .number("REFUSED"),
                ]
        )
        for sandbox in sandboxes {
            let usage = sandbox["usage"] ?? .null
            table.add(
                [
                    rates == nil ? sandbox.text("id") : short(sandbox.text("id"), among: ids), sandbox.text("phase"),
                    sandbox.text("profile"), sandbox.text("state"),
                    Units.duration(sandbox["uptime_seconds"]?.number ?? 0),
                ] + (rates == nil ? [] : [rate(sandbox).map { Units.tenths($0 * 100) } ?? "-"])
                    + [
                        Units.duration(usage["cpu_seconds"]?.number ?? 0), ofLimit(usage["memory"], bytes: true),
                        ofLimit(usage["processes"], bytes: false), ofLimit(usage["disk"], bytes: true),
                        usage["gateway_out"]?.bytes("now_bytes") ?? "-", usage.text("refused_syscalls"),
                    ])
        }
        return table.lines(width: width)
    }

    /// The beginning of an id that is enough to name it, where a screen is narrow.
    private static func short(_ id: String, among ids: [String]) -> String {
        var length = min(8, id.count)
        while length < id.count, ids.count(where: { $0.hasPrefix(id.prefix(length)) }) > 1 { length += 1 }
        return String(id.prefix(length))
    }

    /// Everything about one sandbox.
    static func sheet(_ sandbox: JSONValue) -> [String] {
        var facts = TextTable([.text("FACT"), .text("VALUE")])
        facts.add(["id", sandbox.text("id")])
        facts.add(["task", "\(sandbox.text("task_id")), iteration \(sandbox.text("iteration"))"])
        for name in ["phase", "state", "profile", "image", "pid"] { facts.add([name, sandbox.text(name)]) }
        let up = Units.duration(sandbox["uptime_seconds"]?.number ?? 0)
        facts.add(["started", "\(sandbox.text("started_at")) (\(up) ago)"])
        let usage = sandbox["usage"] ?? .null
        facts.add([
            "cpu", "\(Units.tenths(usage["cpu_seconds"]?.number ?? 0))s, at most \(usage.text("cpu_limit")) at once",
        ])
        facts.add(["refused calls", usage.text("refused_syscalls")])
        facts.add(["read, written", "\(usage.bytes("read_bytes")), \(usage.bytes("written_bytes"))"])
        facts.add(["layers", sandbox.list("layers").map(\.plain).joined(separator: " ")])
        for layer in sandbox.list("missing_layers") {
            facts.add(["without", "\(layer.text("layer")): \(layer.text("detail"))"])
        }
        let profile = sandbox["effective_profile"] ?? .null
        facts.add(["workspace", profile.text("workspace")])
        for (name, list) in [
            ("system calls", profile["seccomp"]?["groups"]), ("gateway", profile["gateway"]?["routes"]),
            ("egress", profile["gateway"]?["egress"]),
        ] {
            facts.add([name, (list?.arrayValue ?? []).map(\.plain).joined(separator: " ")])
        }
        var gauges = TextTable([.text("USE"), .number("NOW"), .number("PEAK"), .number("LIMIT")])
        for name in ["memory", "disk", "output", "gateway_out", "gateway_in"] {
            guard let gauge = usage[name] else { continue }
            gauges.add([name, gauge.bytes("now_bytes"), gauge.bytes("peak_bytes"), gauge.bytes("limit_bytes")])
        }
        for name in ["processes", "inodes", "gateway_requests", "gateway_tokens"] {
            guard let gauge = usage[name] else { continue }
            gauges.add([name, gauge.text("now"), gauge.text("peak"), gauge.text("limit")])
        }
        return facts.lines().dropFirst() + [""] + gauges.lines()
    }

    private static func ofLimit(_ gauge: JSONValue?, bytes: Bool) -> String {
        guard let gauge else { return "-" }
        if bytes { return gauge.bytes("now_bytes") + "/" + gauge.bytes("limit_bytes") }
        return gauge.text("now") + "/" + gauge.text("limit")
    }
}

import Domain
import Foundation
import TestKit
import Testing

@testable import Settings

@Suite struct ProfileTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static func builtIn(_ name: String) throws -> SandboxProfile {
        let path = "sandbox/profiles/\(name).yaml"
        let text = try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
        return try ProfileLoader.profile(named: name, path: path, text: text)
    }

    @Test func builtInProfilesAreTheFiles() throws {
        let names = ["git", "code", "readonly", "untrusted"]
        let files = try FileManager.default.contentsOfDirectory(
            atPath: Self.root.appendingPathComponent("sandbox/profiles").path)
        #expect(Set(files) == Set(names.map { $0 + ".yaml" }))
        let profiles = try names.map(Self.builtIn)
        let path = "Sources/Domain/Sandbox/BuiltInProfiles.swift"
        #expect(try GeneratedFile.problem(path, ProfileReference.swift(profiles)) == nil)
    }

    @Test func profilePageIsCurrent() throws {
        #expect(try GeneratedFile.problem("docs/security/profiles.md", ProfileReference.table, isPart: true) == nil)
    }

    /// What has no key could neither be set nor be seen.
    @Test func everyMemberOfAProfileHasAKey() throws {
        func leaves(_ value: Any) -> Int {
            (value as? [String: Any])?.values.map(leaves).reduce(0, +) ?? 1
        }
        let json = try JSONSerialization.jsonObject(with: JSONEncoder().encode(SandboxProfile.code))
        #expect(leaves(json) == ProfileKey.all.count + 1, "all but the name")
    }

    @Test(arguments: SandboxProfile.builtIn)
    func aPrintedProfileReadsBackTheSame(profile: SandboxProfile) throws {
        var profile = profile
        profile.egress = ["*.example.org:443"]
        profile.mounts = [.init(source: "/opt/a", target: "/opt/b")]
        profile.limits.memoryBytes += 1
        let text = ProfileText.yaml(profile)
        #expect(try ProfileLoader.profile(named: profile.name, path: "p", text: text) == profile)
    }

    /// Profiles in a directory, and settings beside them.
    private func load(
        _ files: [String: String], _ environment: [String: String] = [:]
    ) throws -> (catalog: ProfileCatalog?, problems: [String]) {
        let fixture = try Fixture()
        try FileManager.default.createDirectory(
            atPath: fixture.directory + "/profiles", withIntermediateDirectories: true)
        for (name, text) in files { try fixture.write("profiles/" + name, text) }
        do throws(SettingsError) {
            let settings = environment.merging(["CODEFORGE_SANDBOX__PROFILES_DIR": "profiles"]) { a, _ in a }
            return (try fixture.load(settings).profiles, [])
        } catch {
            return (nil, error.problems.map { $0.replacingOccurrences(of: fixture.directory + "/", with: "") })
        }
    }

    @Test func aProfileExtendsAnotherAndChangesWhatItSays() throws {
        let loaded = try load([
            "large.yaml": "extends: code\nlimits:\n  memory_bytes: 16 GiB\n  cpus: 4.5\n",
            "larger.yaml": "extends: large\nlimits: {pids: 4096}\nmounts: [{source: /opt/tools, target: /opt/tools}]\n",
        ])
        #expect(loaded.problems == [])
        var expected = SandboxProfile.code
        expected.name = "larger"
        expected.limits.memoryBytes = 16 << 30
        expected.limits.cpus = 4.5
        expected.limits.processes = 4096
        expected.mounts = [.init(source: "/opt/tools", target: "/opt/tools")]
        #expect(loaded.catalog?.profiles["larger"] == expected)
    }

    @Test(arguments: [
        (
            "limits: {memry_bytes: 1 GiB}",
            "x.yaml:2: limits.memry_bytes: unknown key; did you mean limits.memory_bytes?"
        ),
        ("seccomp: {enabled: false}", "x.yaml:2: seccomp.enabled: unknown key"),
        ("namespaces: []", "x.yaml:2: namespaces: unknown key"),
        ("limits: 5", "x.yaml:2: limits: must be a mapping"),
        ("workspace:", "x.yaml:2: workspace: must have a value, or a list of plain ones"),
        (
            "workspace: writable",
            #"x.yaml:2: workspace: "writable" is not allowed; it must be one of read-only, read-write"#
        ),
        (
            "limits: {memory_bytes: 1 KiB}",
            #"x.yaml:2: limits.memory_bytes: "1 KiB" is not allowed; it must be a size from 16 MiB to 1024 GiB"#
        ),
        (
            "limits: {cpus: .inf}",
            #"x.yaml:2: limits.cpus: ".inf" is not allowed; it must be a number from 0.05 to 1024.0"#
        ),
        (
            "limits: {pids: 1.5}",
            #"x.yaml:2: limits.pids: "1.5" is not allowed; it must be an integer from 8 to 4194304"#
        ),
        ("landlock: {scoped: maybe}", #"x.yaml:2: landlock.scoped: "maybe" is not allowed; it must be true or false"#),
        ("gateway: {egress: [a, 'b c']}", #"x.yaml:2: gateway.egress: "[a, b c]" is not allowed"#),
        ("gateway: {egress: ['*']}", #"x.yaml:2: gateway.egress: "[*]" is not allowed"#),
        ("gateway: {egress: ['a.*.b']}", #"x.yaml:2: gateway.egress: "[a.*.b]" is not allowed"#),
        ("gateway: {egress: ['a:0']}", #"x.yaml:2: gateway.egress: "[a:0]" is not allowed"#),
        ("gateway: {routes: [smtp]}", #"x.yaml:2: gateway.routes: "[smtp]" is not allowed"#),
        ("seccomp: {groups: [files, keyring]}", #"x.yaml:2: seccomp.groups: "[files, keyring]" is not allowed"#),
        ("required_layers: [seccomp]", #"x.yaml:2: required_layers: "[seccomp]" is not allowed"#),
        ("required_layers: []", #"x.yaml:2: required_layers: "[]" is not allowed"#),
        ("mounts: [{source: /, target: /opt/x}]", "x.yaml:2: mounts: "),
        ("mounts: [{source: /run/docker.sock, target: /opt/x}]", "x.yaml:2: mounts: "),
        ("mounts: [{source: /var/lib/codeforge/git, target: /opt/x}]", "x.yaml:2: mounts: "),
        ("mounts: [{source: /var/lib, target: /opt/x}]", "x.yaml:2: mounts: "),
        ("mounts: [{source: /opt/../etc, target: /opt/x}]", "x.yaml:2: mounts: "),
        ("mounts: [{source: /opt/x, target: /proc/sys}]", "x.yaml:2: mounts: "),
        ("mounts: [{source: /opt/x, target: /}]", "x.yaml:2: mounts: "),
        ("mounts: [{source: /opt/x, target: /opt/a}, {source: /opt/y, target: /opt/a/b}]", "x.yaml:2: mounts: "),
        ("mounts: [{source: /opt/x, target: /opt/a, writable: yes}]", "x.yaml:2: mounts: "),
        ("mcp: all\nmcp: none", "x.yaml: the same key is there twice in one mapping"),
        ("mcp: [", "x.yaml: line 3, column 1 is not YAML"),
        ("mcp: &a all\ninstructions: *a", "x.yaml:3: instructions: "),
    ])
    func aBadFileIsRefusedWithItsLine(text: String, problem: String) throws {
        let problems = try load(["x.yaml": "extends: code\n" + text + "\n"]).problems
        #expect(problems.first?.hasPrefix("profiles/" + problem) == true && problems.count == 1, "\(problems)")
    }

    @Test func withoutExtendsEveryKeyIsNeeded() throws {
        let problems = try load(["x.yaml": "mcp: none\n"]).problems
        #expect(problems.count == 1)
        #expect(problems[0].hasPrefix("profiles/x.yaml: without `extends` every key is needed; missing: agent_conf"))
        #expect(try load(["x.yaml": ProfileText.yaml(.code)]).problems == [])
        #expect(try load(["x.yaml": ""]).problems == ["profiles/x.yaml: is empty"])
        #expect(try load(["x.yaml": "- a\n"]).problems == ["profiles/x.yaml: must be a mapping of profile keys"])
    }

    @Test func watchdogsAreReadAndBounded() throws {
        let code = try load(["code.yaml": "extends: code\nwatchdogs: {first_line: 1m30s, silence: 0}\n"])
        let profile = code.catalog?.profiles["code"]
        #expect(profile?.watchdogs.firstLine == 90 && profile?.watchdogs.silence == 0, "\(code.problems)")
        for wrong in ["silence: 500ms", "silence: -1s", "silence: 25h", "silence: 600", "silent: 600s"] {
            let problems = try load(["x.yaml": "extends: code\nwatchdogs: {\(wrong)}\n"]).problems
            #expect(problems.count == 1 && problems[0].hasPrefix("profiles/x.yaml:2: watchdogs.sil"), "\(problems)")
        }
    }

    @Test func namesThatLeadNowhereAreRefused() throws {
        #expect(
            try load(["x.yaml": "extends: cod\n"]).problems == [
                #"profiles/x.yaml:1: extends: there is no profile "cod"; did you mean code?"#
            ])
        let circle = try load(["a.yaml": "extends: b\n", "b.yaml": "extends: a\n"]).problems
        #expect(circle.contains { $0.contains("extends this one") }, "\(circle)")
        #expect(try load(["x.yaml": "extends: x\n"]).problems.count == 1)
    }

    @Test func onlyFitFilesAreRead() throws {
        #expect(try load(["x.yml": ""]).problems == ["profiles/x.yml: profiles are files whose name ends in .yaml"])
        #expect(try load(["X Y.yaml": ""]).problems.count == 1)
        #expect(try load([".x.yaml": "rubbish", "README": "rubbish"]).problems == [])
        let long = "#" + String(repeating: "x", count: 70_000)
        #expect(try load(["x.yaml": long]).problems.first?.hasSuffix("of at most 64 KiB") == true)
        #expect(
            try load([:], ["CODEFORGE_SANDBOX__PROFILES_DIR": "/nowhere"]).problems == [
                "sandbox.profiles_dir: /nowhere can't be read; it must be a directory"
            ])
    }

    @Test func builtInNamesAreKeptFromWidening() throws {
        #expect(try load(["git.yaml": "extends: git\n"]).problems.count == 1)
        #expect(
            try load(["untrusted.yaml": "extends: untrusted\nlimits: {memory_bytes: 1 GiB}\nmcp: none\n"]).problems
                == [])
        for wider in [
            "limits: {pids: 257}", "mcp: all", "instructions: followed", "agent_configuration: repository",
            "landlock: {ports: any}", "landlock: {scoped: false}", "gateway: {egress: [a.example]}",
            "workspace: read-write", "gateway: {routes: [openai, git]}", "gateway: {model_tools: any}",
            "gateway: {requests: 2001}", "gateway: {tokens: 0}", "limits: {timeout: 0}", "limits: {timeout: 21m}",
            "limits: {output: 0}", "limits: {output: 17 MiB}",
            "watchdogs: {silence: 601s}", "watchdogs: {silence: 0}",
            "mounts: [{source: /opt/x, target: /opt/x}]",
            "required_layers: [\(SandboxLayer.fixed.map(\.rawValue).joined(separator: ", "))]",
        ] {
            let problems = try load(["untrusted.yaml": "extends: untrusted\n\(wider)\n"]).problems
            #expect(problems.count == 1 && problems[0].contains("less, never more"), "\(wider): \(problems)")
        }
        let code = try load(["code.yaml": "extends: code\nlimits: {pids: 77}\n"])
        #expect(code.catalog?.profile(type: .code, repository: "", key: nil, isUntrusted: false).limits.processes == 77)
    }

    @Test func settingsTakeThePlaceOfEveryProfilesLimit() throws {
        let loaded = try load(
            ["x.yaml": "extends: code\nlimits: {pids: 77}\n"],
            [
                "CODEFORGE_SANDBOX__PIDS": "99", "CODEFORGE_SANDBOX__TMP_BYTES": "3 MiB",
                "CODEFORGE_SANDBOX__CPUS": "0.5",
                "CODEFORGE_SANDBOX__DISK_INODES": "5000",
            ])
        let catalog = try #require(loaded.catalog, "\(loaded.problems)")
        for profile in catalog.profiles.values {
            #expect(profile.limits.processes == 99 && profile.limits.temporaryBytes == 3 << 20)
            #expect(profile.limits.cpus == 0.5 && profile.limits.diskInodes == 5000)
        }
        #expect(catalog.git.limits.processes == 99)
        #expect(
            try load([:], ["CODEFORGE_SANDBOX__PIDS": "3"]).problems == [
                #"sandbox.pids: "3" (from CODEFORGE_SANDBOX__PIDS) is not allowed; it must be 0 or an integer from 8 to "#
                    + "4194304"
            ])
    }

    /// Each limit of a profile can be set for all of them, by its own name; those of a whole run only lower a setting.
    @Test func everyLimitHasASetting() {
        for key in ProfileKey.all
        where key.name.hasPrefix("limits.") && !["limits.timeout", "limits.output"].contains(key.name) {
            #expect(SettingKey.byName["sandbox." + key.name.dropFirst("limits.".count)] != nil, "\(key.name)")
        }
    }

    @Test func egressOfSettingsIsForCode() throws {
        let loaded = try load(
            ["x.yaml": "extends: code\n", "y.yaml": "extends: code\ngateway: {egress: []}\n"],
            ["CODEFORGE_GATEWAY__EGRESS": "*.example.org"])
        let catalog = try #require(loaded.catalog, "\(loaded.problems)")
        #expect(catalog.profiles.filter { !$0.value.egress.isEmpty }.keys.sorted() == ["code", "x"])
        #expect(try load([:], ["CODEFORGE_GATEWAY__EGRESS": "*"]).problems.count == 1)
    }

    @Test func rulesAreReadAndTheirNamesChecked() throws {
        let rules = [
            "CODEFORGE_SANDBOX__PROFILES__TASK_TYPES": #"{"plan": "code", "pr_review": "tight"}"#,
            "CODEFORGE_SANDBOX__PROFILES__REPOSITORIES": #"{"github.com/acme/*": "large"}"#,
            "CODEFORGE_SANDBOX__PROFILES__KEYS": #"{"bot": "readonly"}"#,
        ]
        let files = ["large.yaml": "extends: code\n", "tight.yaml": "extends: untrusted\nmcp: none\n"]
        let catalog = try #require(try load(files, rules).catalog)
        func name(_ type: TaskType, _ url: String, _ key: String? = nil, untrusted: Bool = false) -> String {
            catalog.profile(type: type, repository: url, key: key, isUntrusted: untrusted).name
        }
        #expect(name(.plan, "https://x.example/a/b") == "code")
        #expect(name(.code, "https://github.com/ACME/b.git") == "large")
        #expect(name(.code, "https://github.com/acme/b", "bot") == "large")
        #expect(name(.code, "https://x.example/a/b", "bot") == "readonly")
        #expect(name(.prReview, "https://github.com/acme/b", untrusted: true) == "tight")

        for (setting, value) in [
            ("TASK_TYPES", #"{"plan": "lorge"}"#), ("TASK_TYPES", #"{"plam": "code"}"#),
            ("TASK_TYPES", #"{"pr_review": "code"}"#), ("REPOSITORIES", #"{"github.com/acme/*": "lorge"}"#),
            ("REPOSITORIES", #"{"github.com": "code"}"#), ("KEYS", #"{"bot": "lorge"}"#),
        ] {
            let problems = try load(files, ["CODEFORGE_SANDBOX__PROFILES__\(setting)": value]).problems
            #expect(problems.count == 1 && problems[0].contains("sandbox.profiles."), "\(value): \(problems)")
        }
    }
}

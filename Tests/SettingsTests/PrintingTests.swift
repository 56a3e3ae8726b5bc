import Foundation
import Testing

@testable import Settings

@Suite struct PrintingTests {
    @Test func effectiveConfigurationShowsOriginsAndNoSecret() throws {
        let fixture = try Fixture(yaml: "server:\n  port: 99\n")
        let loaded = try fixture.load([
            "CODEFORGE_REDIS__URL": "redis://:pass-word@redis.lan:6379/1", "CODEFORGE_WEBHOOKS__HMAC_SECRET": "hush",
        ])
        let text = loaded.printRedacted()
        #expect(text.contains("  port: 99  # codeforge.yaml:2\n"))
        #expect(text.contains("  auth_token: \"***\"  # CODEFORGE_SERVER__AUTH_TOKEN\n"))
        #expect(text.contains("  url: \"redis://***@redis.lan:6379/1\""))
        #expect(text.contains("  concurrency: 3  # default\n"))
        for secret in ["token-in-env", "pass-word", "hush", Fixture.required["CODEFORGE_ENCRYPTION__KEY"]!] {
            #expect(!text.contains(secret))
            #expect(loaded.settings.secretValues.contains(secret))
        }
    }

    @Test func printedConfigurationReadsBackTheSame() throws {
        let first = try Fixture().load([
            "CODEFORGE_GIT__PROVIDER_DOMAINS": #"{"h":"github"}"#, "CODEFORGE_SANDBOX__REQUIRE": "seccomp,landlock",
            "CODEFORGE_GIT__COMMIT_AUTHOR": "A \"B\" # C", "CODEFORGE_DATA_DIR": "/d",
        ])
        // Masked values are no valid ones; the environment gives the real ones again.
        let again = try Fixture(yaml: first.printRedacted().replacingOccurrences(of: "key: \"***\"", with: "key: "))
            .load()
        #expect(again.settings == first.settings)
    }

    @Test func documentationIsCurrent() throws {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("docs/configuration.md")
        let page = try String(contentsOf: path, encoding: .utf8)
        let marks = ("<!-- keys: generated -->\n", "<!-- keys: end -->\n")
        let start = try #require(page.range(of: marks.0)).upperBound
        let end = try #require(page.range(of: marks.1)).lowerBound
        if ProcessInfo.processInfo.environment["UPDATE_GENERATED"] != nil {
            try page.replacingCharacters(in: start..<end, with: SettingsReference.table)
                .write(to: path, atomically: true, encoding: .utf8)
        } else {
            #expect(
                page[start..<end] == SettingsReference.table,
                "docs/configuration.md is old: UPDATE_GENERATED=1 swift test --filter documentationIsCurrent"
            )
        }
    }
}

import Foundation
import TestKit
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
        #expect(try GeneratedFile.problem("docs/configuration.md", SettingsReference.table, isPart: true) == nil)
    }
}

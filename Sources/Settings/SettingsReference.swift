/// The table of `docs/configuration.md`.
package enum SettingsReference {
    /// Markdown of every key, in order.
    package static var table: String {
        var out = "| Key | Environment | Default | Meaning |\n|---|---|---|---|\n"
        let defaults = Settings()
        for key in SettingKey.all {
            var meaning = key.summary + " Takes \(key.allowed)."
            if key.isRequired { meaning = "**Required.** " + meaning }
            if key.isSecret { meaning += " Secret: also as `\(key.name)_file` (`\(key.environmentName)_FILE`)." }
            if let alias = key.alias { meaning += " `\(alias)` is read too." }
            out += "| `\(key.name)` | `\(key.environmentName)` | \(key.shownDefault(defaults)) | \(escape(meaning)) |\n"
        }
        return out
    }

    private static func escape(_ text: String) -> String { text.replacing("|", with: "\\|") }
}

extension SettingKey {
    fileprivate func shownDefault(_ defaults: Settings) -> String {
        if let derivedDefault { return derivedDefault }
        let text = text(in: defaults)
        return text.isEmpty ? "–" : "`\(text)`"
    }
}

import Foundation

/// Files of the source tree that are made from the code, so that nobody writes the same thing twice.
package enum GeneratedFile {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    private static let marks = ("<!-- keys: generated -->\n", "<!-- keys: end -->\n")

    /// Compares a file with what it should be; writes it instead when `UPDATE_GENERATED` is in the environment.
    ///
    /// - Parameters:
    ///   - path: From the root of the source tree.
    ///   - isPart: Whether only what is between the marks is generated.
    ///   - test: The test that calls this.
    /// - Returns: `nil` when it is current, else what to do.
    package static func problem(
        _ path: String, _ text: String, isPart: Bool = false, test: String = #function
    ) throws -> String? {
        let file = root.appendingPathComponent(path)
        let old = try? String(contentsOf: file, encoding: .utf8)
        var new = text
        if isPart {
            guard let old, let start = old.range(of: marks.0)?.upperBound,
                let end = old.range(of: marks.1)?.lowerBound, start <= end
            else { return "\(path) has no place for what is generated" }
            new = old.replacingCharacters(in: start..<end, with: text)
        }
        if old == new { return nil }
        guard ProcessInfo.processInfo.environment["UPDATE_GENERATED"] != nil else {
            return "\(path) is old: UPDATE_GENERATED=1 swift test --filter \(test.prefix { $0 != "(" })"
        }
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try new.write(to: file, atomically: true, encoding: .utf8)
        return nil
    }
}

import Foundation

/// Names derived from a prompt, for workspaces and branches.
package enum Slug {
    /// The first five words of the prompt in lower-case ASCII and the first eight characters of the id, ≤ 50 characters.
    ///
    /// Words are what is left after compatibility decomposition with everything outside ASCII dropped.
    package static func make(prompt: String, taskID: String) -> String {
        let suffix = String(taskID.prefix(8))
        var words: [String] = []
        var word = ""
        // Five words are found long before the cut; a prompt may be 100 KB.
        let scalars = String(prompt.prefix(4096)).decomposedStringWithCompatibilityMapping.unicodeScalars
        for scalar in scalars where scalar.isASCII {
            switch scalar {
            case "a"..."z", "0"..."9": word.unicodeScalars.append(scalar)
            case "A"..."Z": word += String(scalar).lowercased()
            default:
                if !word.isEmpty { words.append(word) }
                word = ""
            }
            if words.count == 5 { break }
        }
        if !word.isEmpty, words.count < 5 { words.append(word) }
        var slug = String(words.joined(separator: "-").prefix(50 - 1 - suffix.count))
        while slug.hasSuffix("-") { slug.removeLast() }
        return (slug.isEmpty ? "task" : slug) + "-" + suffix
    }
}

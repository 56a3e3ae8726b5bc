import Domain

/// Rows of text in columns, for people.
package struct TextTable: Sendable {
    package struct Column: Sendable {
        var title: String
        var isNumeric: Bool

        package static func text(_ title: String) -> Column { Column(title: title, isNumeric: false) }
        /// Aligned to the right.
        package static func number(_ title: String) -> Column { Column(title: title, isNumeric: true) }
    }

    private let columns: [Column]
    private var rows: [[String]] = []

    package init(_ columns: [Column]) { self.columns = columns }

    /// - Parameter cells: One for each column. What is unprintable in them becomes `?`: texts from inside a sandbox must
    ///   not steer a terminal.
    package mutating func add(_ cells: [String]) {
        rows.append(cells.map { SafeText.start(of: $0.utf8, limit: 4096) })
    }

    package var isEmpty: Bool { rows.isEmpty }

    /// - Parameter width: Characters of a line, the last column is cut to fit; `nil`: as long as it takes.
    package func lines(width: Int? = nil) -> [String] {
        let all = [columns.map(\.title)] + rows
        let widths = columns.indices.map { index in all.map { $0[index].count }.max() ?? 0 }
        return all.map { row in
            var line = ""
            for (index, cell) in row.enumerated() {
                let padding = String(repeating: " ", count: widths[index] - cell.count)
                if index > 0 { line += "  " }
                line += columns[index].isNumeric ? padding + cell : cell + padding
            }
            while line.last == " " { line.removeLast() }
            guard let width, width > 1, line.count > width else { return line }
            return line.prefix(width - 1) + "…"
        }
    }
}

/// Numbers for people.
package enum Units {
    /// Binary units, three digits or so: `0`, `812`, `1.5K`, `64M`, `4.0G`.
    package static func bytes(_ value: Int64) -> String {
        var rest = Double(value)
        if abs(rest) < 1024 { return String(value) }
        for unit in ["K", "M", "G", "T", "P"] {
            rest /= 1024
            // What would be rounded to 1024 belongs to the next unit.
            if abs(rest) < 1023.5 || unit == "P" {
                return (abs(rest) < 9.95 ? tenths(rest) : String(Int(rest.rounded()))) + unit
            }
        }
        return String(value)
    }

    /// `5s`, `12m30s`, `3h05m`, `2d4h`.
    package static func duration(_ seconds: Double) -> String {
        let total = Int(min(max(0, seconds), 1e12))
        let (days, hours, minutes) = (total / 86_400, total / 3600 % 24, total / 60 % 60)
        if days > 0 { return "\(days)d\(hours)h" }
        if hours > 0 { return "\(hours)h\(two(minutes))m" }
        return minutes > 0 ? "\(minutes)m\(two(total % 60))s" : "\(total)s"
    }

    /// US dollars to a hundredth of a cent: `$0.0243`, `$12.5000`.
    package static func dollars(_ value: Double) -> String {
        guard value.isFinite, value >= 0, value < 1e12 else { return "$?" }
        let parts = Int64((value * 10_000).rounded())
        return "$\(parts / 10_000)." + String(String(10_000 + parts % 10_000).dropFirst())
    }

    /// With one digit after the point.
    package static func tenths(_ value: Double) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "?" }
        let tenths = Int64((abs(value) * 10).rounded())
        return (value < 0 && tenths > 0 ? "-" : "") + "\(tenths / 10).\(tenths % 10)"
    }

    private static func two(_ value: Int) -> String { (value < 10 ? "0" : "") + String(value) }
}

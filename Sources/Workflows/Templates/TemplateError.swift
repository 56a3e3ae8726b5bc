/// What is wrong with a template, and where.
package struct TemplateError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Holds no value of a parameter or output: those may be secrets.
    package var message: String
    /// 1-based.
    package var line: Int
    /// 1-based; Unicode scalars from the beginning of the line.
    package var column: Int

    package init(message: String, line: Int, column: Int) {
        self.message = message
        self.line = line
        self.column = column
    }

    package var description: String { "line \(line), column \(column): \(message)" }
}

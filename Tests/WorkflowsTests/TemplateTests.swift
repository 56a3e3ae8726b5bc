import Testing
import Workflows

@Suite struct TemplateTests {
    @Test func anErrorSaysWhere() {
        let error = TemplateError(message: "what", line: 2, column: 7)
        #expect("\(error)" == "line 2, column 7: what")
    }
}

import Domain
import Testing

@testable import Gateway

/// The pure parts, cut at every place.
struct GatewayPartsTests {
    /// Beyond its rate a flood of one refusal is only counted; another kind in the midst of it is still told.
    @Test func aFloodOfRefusalsHidesNoOther() {
        let seen = Shared<[GatewayDecision]>([])
        let gate = AuditGate { decision in seen.value.withLock { $0.append(decision) } }
        func refuse(_ reason: String) {
            gate.report(
                GatewayDecision(
                    time: .now(), route: .egress, method: "GET", target: "/", allowed: false, reason: reason,
                    status: 403))
        }
        for _ in 0..<1000 { refuse("not_found") }
        refuse("egress_refused")
        let all = seen.value.withLock { $0 }
        #expect(all.last?.reason == "egress_refused" && (all.last?.suppressed ?? 0) > 800)
        #expect(all.count < 200)
    }

    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test(arguments: 1...12) func aSecretIsMaskedWhereverAChunkEnds(size: Int) {
        let all = bytes("aabaabaac-aabaabaabaac secret-1 secret-12 secret- aabaa")
        var scrubber = Scrubber([bytes("aabaabaac"), bytes("secret-12")])
        var out: [UInt8] = []
        for start in stride(from: 0, to: all.count, by: size) {
            out += scrubber.scrub(Array(all[start..<min(all.count, start + size)]))
        }
        out += scrubber.finish()
        #expect(String(decoding: out, as: UTF8.self) == "*********-aab********* secret-1 ********* secret- aabaa")
    }

    @Test func nothingIsHeldBackThatCannotBecomeASecret() {
        var scrubber = Scrubber([bytes("sk-secret")])
        #expect(scrubber.scrub(bytes("data: x\n\n")) == bytes("data: x\n\n"))
        #expect(scrubber.scrub(bytes("task-s")) == bytes("ta"))
        #expect(scrubber.scrub(bytes("ix")) == bytes("sk-six"))
        #expect(scrubber.finish() == [])
    }

    @Test(arguments: 1...9) func aChunkedBodyIsReadWhereverItIsCut(size: Int) throws {
        let all = bytes("3\r\nabc\r\n00A\r\n0123456789\r\n0\r\n\r\nNEXT")
        var decoder = BodyDecoder(.chunked, limit: 100)
        var out: [UInt8] = []
        var rest: ArraySlice<UInt8> = []
        for start in stride(from: 0, to: all.count, by: size) {
            rest += all[start..<min(all.count, start + size)]
            out += try decoder.decode(&rest)
        }
        #expect(decoder.isDone)
        #expect(String(decoding: out, as: UTF8.self) == "abc0123456789")
        #expect(String(decoding: rest, as: UTF8.self) == "NEXT")
    }

    @Test(
        arguments: [
            (false, "{\"usage\":{\"input_tokens\":5,\"output_tokens\":6}}", 5, 6),
            (
                false,
                "{\n \"id\": \"x\",\n \"usage\": {\n  \"prompt_tokens\": 5 ,\n \"completion_tokens\" : 60\n }\n}", 5, 60
            ),
            (
                true,
                "data: {\"response\":{\"usage\":{\"input_tokens\":5,\"input_tokens_details\":{\"cached_tokens\":3},"
                    + "\"output_tokens\":6,\"total_tokens\":11}}}\n\n", 5, 6
            ),
            (
                true,
                "data: {\"message\":{\"usage\":"
                    + "{\"input_tokens\":5,\"cache_read_input_tokens\":7,\"output_tokens\":1}}}\n"
                    + "data: {\"usage\":{\"output_tokens\":3}}\ndata: {\"usage\":{\"output_tokens\":9}}\n", 12, 9
            ),
        ] as [(Bool, String, Int, Int)]
    )
    func tokensAreCounted(isEventStream: Bool, text: String, input: Int, output: Int) {
        var meter = TokenMeter(isEventStream: isEventStream)
        meter.read(bytes(text))
        #expect(meter.inputTokens == input)
        #expect(meter.outputTokens == output)
    }

    @Test(arguments: [
        "{\"content\":[{\"input\":{\"usage\":{\"input_tokens\":999}}}]}",
        "{\"text\":\"\\\"usage\\\":{\\\"input_tokens\\\":1}\"}",
        "{\"input_tokens\":5}", "{\"usage\":5,\"input_tokens\":6}", "{\"other\":{\"usage\":{\"input_tokens\":5}}}",
        "[{\"usage\":{\"input_tokens\":5}}]", "}}}]{\"\":", "{\"usage\":{\"x\":{\"input_tokens\":5}}}",
        "{\"usage\":{\"input_tokens\":\"5\"}}", "{\"usage\":[{\"input_tokens\":5}]}",
    ]) func whatTheModelWritesCountsNothing(text: String) {
        var meter = TokenMeter(isEventStream: false)
        meter.read(bytes(text))
        #expect(meter.inputTokens == nil)
    }
}

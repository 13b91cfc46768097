import Testing

@testable import ServiceKit

@Suite struct TraceContextTests {
    static let field = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    @Test func aFieldReadsBackAsItself() throws {
        let trace = try #require(TraceContext(traceparent: Self.field))
        #expect(trace.traceparent == Self.field)
        #expect(trace.traceID == "0af7651916cd43dd8448eb211c80319c")
        #expect(trace.spanHex == "b7ad6b7169203331")
        #expect(trace.flags == 1)
    }

    @Test(arguments: [
        "", "00", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331", "00-0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-01",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
        "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01x", "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0é",
    ])
    func malformedFieldsAreNone(text: String) {
        #expect(TraceContext(traceparent: text) == nil)
    }

    @Test func aLaterVersionMayCarryMore() {
        #expect(TraceContext(traceparent: "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-the-future-holds") != nil)
    }

    @Test func aChildKeepsTheTraceAndHasASpanOfItsOwn() throws {
        let parent = try #require(TraceContext(traceparent: Self.field))
        let child = parent.child()
        #expect(child.traceID == parent.traceID)
        #expect(child.spanID != parent.spanID)
        #expect(child.flags == parent.flags)
    }

    @Test func idsDoNotRepeat() {
        let spans = Set((0..<100_000).map { _ in TraceContext().spanID })
        #expect(spans.count == 100_000)
    }
}

import HTTPMessage
import Testing

@testable import HTTPClient

@Suite("Retry policy")
struct RetryPolicyTests {
    let policy = RetryPolicy(attemptsMax: 4, backoffSeconds: 0.125, backoffSecondsMax: 0.5)

    private func decide(
        _ outcome: RetryPolicy.Outcome, attempt: Int = 1, isIdempotent: Bool = true, remaining: Double = 60, random: Double = 0
    ) -> RetryPolicy.Decision {
        policy.decide(attempt: attempt, outcome: outcome, isIdempotent: isIdempotent, remainingSeconds: remaining, random: random)
    }

    @Test(arguments: [200, 201, 304, 400, 404, 409, 410, 500, 501])
    func answersThatStand(status: Int) {
        #expect(decide(.response(status: status, retryAfterSeconds: nil)) == .giveUp)
    }

    @Test(arguments: [408, 429, 502, 503, 504])
    func answersThatPass(status: Int) {
        #expect(decide(.response(status: status, retryAfterSeconds: nil)) == .retry(afterSeconds: 0.0625))
    }

    @Test func onlyIdempotentRequestsAreRepeated() {
        #expect(decide(.response(status: 503, retryAfterSeconds: nil), isIdempotent: false) == .giveUp)
        #expect(decide(.failure(.connectFailed("", neverSent: true)), isIdempotent: false) == .giveUp)
    }

    @Test func failuresThatALaterAttemptMayCure() {
        #expect(decide(.failure(.connectFailed("", neverSent: true))) != .giveUp)
        #expect(decide(.failure(.connectionLost("", neverSent: false))) != .giveUp)
        #expect(decide(.failure(.timedOut(.connect, neverSent: true))) != .giveUp)
        for final: HTTPClientError in [
            .timedOut(.response, neverSent: false), .cancelled(neverSent: true), .responseTooLarge(limitBytes: 1), .protocolError(""),
            .closed(neverSent: true), .invalidRequest(""), .overloaded(neverSent: true),
        ] {
            #expect(decide(.failure(final)) == .giveUp)
        }
    }

    @Test func pausesDoubleWithinTheirBoundsAndJitter() {
        let outcome = RetryPolicy.Outcome.failure(.connectFailed("", neverSent: true))
        #expect(decide(outcome, attempt: 2) == .retry(afterSeconds: 0.125))
        #expect(decide(outcome, attempt: 2, random: 0.5) == .retry(afterSeconds: 0.1875))
        #expect(decide(outcome, attempt: 3) == .retry(afterSeconds: 0.25))
        #expect(decide(outcome, attempt: 4) == .giveUp)
        #expect(
            RetryPolicy(attemptsMax: 1_000, backoffSeconds: 0.1, backoffSecondsMax: 0.5).pauseSeconds(afterAttempt: 999, random: 0) == 0.25)
    }

    @Test func retryAfterIsHonouredUpToTheDeadline() {
        #expect(decide(.response(status: 503, retryAfterSeconds: 7)) == .retry(afterSeconds: 7))
        #expect(decide(.response(status: 503, retryAfterSeconds: 7), remaining: 7) == .giveUp)
        #expect(decide(.response(status: 503, retryAfterSeconds: 0)) == .retry(afterSeconds: 0.0625))
        #expect(decide(.failure(.connectFailed("", neverSent: true)), remaining: 0.0625) == .giveUp)
    }

    @Test func retryAfterForms() {
        #expect(RetryAfter.seconds("120", epochSeconds: 0) == 120)
        #expect(RetryAfter.seconds("Sun, 06 Nov 1994 08:49:37 GMT", epochSeconds: 784_111_767) == 10)
        #expect(RetryAfter.seconds("Sun, 06 Nov 1994 08:49:37 GMT", epochSeconds: 784_111_999) == 0)
        #expect(RetryAfter.seconds("Tue, 29 Feb 2028 00:00:00 GMT", epochSeconds: 1_835_395_200) == 0)
        #expect(RetryAfter.seconds("Tue, 29 Feb 2028 00:00:00 GMT", epochSeconds: 1_835_395_199) == 1)
        for wrong in ["", "-1", "soon", "1.5", "Sun, 06 Now 1994 08:49:37 GMT", "Sun, 06 Nov 1994 25:49:37 GMT"] {
            #expect(RetryAfter.seconds(wrong, epochSeconds: 0) == nil)
        }
    }
}

@Suite("Admission")
struct AdmissionQueueTests {
    private let a: Origin
    private let b: Origin

    init() throws {
        a = try Origin(url: "http://a/", unixSocketPath: nil)
        b = try Origin(url: "http://b/", unixSocketPath: nil)
    }

    @Test func limitsHoldAndOrderIsKept() {
        var queue = AdmissionQueue(activeMax: 3, activePerOriginMax: 2, waitingMax: 3)
        #expect(queue.arrive(1, origin: a) == .start)
        #expect(queue.arrive(2, origin: a) == .start)
        #expect(queue.arrive(3, origin: a) == .wait)
        #expect(queue.arrive(4, origin: b) == .start)
        #expect(queue.arrive(5, origin: b) == .wait)
        #expect(queue.arrive(6, origin: b) == .wait)
        #expect(queue.arrive(7, origin: b) == .refuse)
        #expect(queue.leave(origin: b) == 5)
        #expect(queue.leave(origin: a) == 3)
        queue.abandon(6, origin: b)
        #expect(queue.leave(origin: a) == nil)
        #expect(queue.arrive(8, origin: a) == .start)
    }

    @Test func aFullOriginDoesNotHoldUpAnother() {
        var queue = AdmissionQueue(activeMax: 10, activePerOriginMax: 1, waitingMax: 10)
        #expect(queue.arrive(1, origin: a) == .start)
        #expect(queue.arrive(2, origin: a) == .wait)
        #expect(queue.arrive(3, origin: b) == .start)
        #expect(queue.leave(origin: b) == nil)
        #expect(queue.leave(origin: a) == 2)
    }
}

@Suite("Deadlines")
struct DeadlineQueueTests {
    @Test func theyComeOutInOrder() {
        var queue = DeadlineQueue()
        let start = ContinuousClock.now
        var generator = SystemRandomNumberGenerator()
        let offsets = (0..<500).map { UInt64($0) }.shuffled(using: &generator)
        for offset in offsets { queue.push(offset, at: start + .seconds(Double(offset))) }
        #expect(queue.popDue(start - .seconds(1)) == nil)
        var popped: [UInt64] = []
        while let id = queue.popDue(start + .seconds(249)) { popped.append(id) }
        #expect(popped == Array(0..<250))
        #expect(queue.first == start + .seconds(250))
    }

    @Test func theDeadAreDroppedOnceTheyOutnumberTheLiving() {
        var queue = DeadlineQueue()
        let start = ContinuousClock.now
        for id in 0..<5_000 { queue.push(UInt64(id), at: start + .seconds(id)) }
        queue.compact(living: 10) { $0 >= 4_990 }
        #expect(queue.count == 10)
        #expect(queue.first == start + .seconds(4_990))
    }
}

@Suite("Lines")
struct LineSplitterTests {
    /// Every way to cut the same bytes gives the same lines.
    @Test(arguments: 1...12)
    func anyCut(size: Int) throws {
        let bytes = Array("one\n\ntwo\r\n{\"three\":3}\nrest".utf8)
        var splitter = LineSplitter(lineBytesMax: 64)
        var lines: [String] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            splitter.feed(Array(bytes[start..<min(start + size, bytes.count)]))
            while let line = try splitter.next() { lines.append(text(line)) }
        }
        #expect(lines == ["one", "", "two\r", "{\"three\":3}"])
        #expect(splitter.finish().map(text) == "rest")
        #expect(splitter.finish() == nil)
    }

    @Test func aLineOverTheLimitIsRefusedWhetherItEndsOrNot() throws {
        var splitter = LineSplitter(lineBytesMax: 4)
        splitter.feed(Array("1234\n".utf8))
        #expect(try splitter.next() == Array("1234".utf8))
        splitter.feed(Array("12345".utf8))
        #expect(throws: LineSplitter.LineTooLong.self) { try splitter.next() }
        var other = LineSplitter(lineBytesMax: 4)
        other.feed(Array("12345\n".utf8))
        #expect(throws: LineSplitter.LineTooLong.self) { try other.next() }
    }
}

@Suite("Origins and heads")
struct MessagePartTests {
    @Test func originsAreSchemeAndAuthority() throws {
        let origin = try Origin(url: "http://Host:80/a?b#c", unixSocketPath: nil)
        #expect(try origin == Origin(url: "HTTP://host:80?x", unixSocketPath: nil))
        #expect(try origin != Origin(url: "https://host:80/", unixSocketPath: nil))
        #expect(try origin != Origin(url: "http://host:80/", unixSocketPath: "/s"))
    }

    @Test(arguments: [
        "", "/path", "host/path", "ftp://host/", "file:///etc/passwd", "http://", "http:///x", "http://:80/", "http://u:p@host/",
        "http://host/a b", "http://host/\r\nX: y", "http://höst/", "gopher://x",
    ])
    func urlsThatAreRefused(url: String) {
        #expect { try Origin(url: url, unixSocketPath: nil) } throws: { ($0 as? HTTPClientError)?.provablyNotSent == true }
    }

    @Test func aSocketPathHasRoomFor107Bytes() {
        #expect(throws: Never.self) { try Origin(url: "http://h/", unixSocketPath: String(repeating: "x", count: 107)) }
        #expect(throws: HTTPClientError.self) { try Origin(url: "http://h/", unixSocketPath: String(repeating: "x", count: 108)) }
        #expect(throws: HTTPClientError.self) { try Origin(url: "http://h/", unixSocketPath: "") }
    }

    private func feed(_ lines: [String]) -> (head: ResponseHead, last: ResponseHead.Step) {
        var head = ResponseHead()
        var last = ResponseHead.Step.more
        for line in lines { last = Array(line.utf8).withUnsafeBytes { head.feed($0) } }
        return (head, last)
    }

    @Test func interimHeadsFoldedFieldsAndTrailers() {
        let (head, last) = feed([
            "HTTP/1.1 103 Early Hints\r\n", "Link: x\r\n", "\r\n", "HTTP/1.1 201 Created\r\n", "A:  one \r\n", " more\r\n", "Empty:\r\n",
            "\r\n",
            "Trailer: late\r\n", "\r\n",
        ])
        #expect(last == .more)
        #expect(head.isComplete)
        #expect(head.status == 201)
        #expect(head.headers == ["A": "one more", "Empty": ""])
    }

    @Test(arguments: [
        ["A: b\r\n"], ["HTTP/1.1 2x0 OK\r\n"], ["HTTP/1.1\r\n"], ["HTTP/1.1 200 OK\r\n", "no colon\r\n"],
        ["HTTP/1.1 200 OK\r\n", ": x\r\n"],
    ])
    func malformedHeads(lines: [String]) {
        #expect(feed(lines).last == .malformed)
    }
}

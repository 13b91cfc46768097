import Foundation
import Synchronization

/// A name server of a test on 127.0.0.1, by UDP and TCP on one port.
package final class DNSServer: Sendable {
    package struct Query {
        package let bytes: [UInt8]

        /// An answer with so many address records.
        package func answer(code: UInt8, records: UInt16, isCut: Bool = false) -> [UInt8] {
            var answer = bytes
            answer[2] |= isCut ? 0x82 : 0x80
            answer[3] = (answer[3] & 0xF0) | code
            answer[6] = UInt8(records >> 8)
            answer[7] = UInt8(records & 0xFF)
            for _ in 0..<records { answer += [0xC0, 0x0C, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1] }
            return answer
        }
    }

    struct Failed: Error {}

    package let port: UInt16
    package var address: String { "127.0.0.1:\(port)" }
    private let datagrams: Int32
    private let listener: Listener
    private let isStopped = Atomic<Bool>(false)

    /// - Parameter answer: of a query, and whether it came by TCP.
    package init(_ answer: @escaping @Sendable (Query, Bool) -> [UInt8]) throws {
        listener = try Listener(backlog: 5)
        port = listener.port
        datagrams = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { [datagrams] in
                bind(datagrams, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard bound == 0 else { throw Failed() }
        Thread.detachNewThread { [self] in serve(answer) }
    }

    package func stop() { isStopped.store(true, ordering: .relaxed) }

    private func serve(_ answer: (Query, Bool) -> [UInt8]) {
        while !isStopped.load(ordering: .relaxed) {
            var entries = [
                pollfd(fd: datagrams, events: Int16(POLLIN), revents: 0),
                pollfd(fd: listener.descriptor, events: Int16(POLLIN), revents: 0),
            ]
            guard poll(&entries, 2, 50) > 0 else { continue }
            if entries[0].revents != 0 { answerDatagram(answer) }
            if entries[1].revents != 0 { answerConnection(answer) }
        }
        close(datagrams)
        listener.close()
    }

    private func answerDatagram(_ answer: (Query, Bool) -> [UInt8]) {
        var buffer = [UInt8](repeating: 0, count: 4096)
        var sender = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &sender) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { sender in
                let count = recvfrom(datagrams, &buffer, buffer.count, 0, sender, &length)
                guard count > 0 else { return }
                let bytes = answer(Query(bytes: Array(buffer[..<count])), false)
                _ = sendto(datagrams, bytes, bytes.count, 0, sender, length)
            }
        }
    }

    private func answerConnection(_ answer: (Query, Bool) -> [UInt8]) {
        let connection = accept(listener.descriptor, nil, nil)
        defer { close(connection) }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = recv(connection, &buffer, buffer.count, 0)
        guard count > 2 else { return }
        let bytes = answer(Query(bytes: Array(buffer[2..<count])), true)
        // In two parts, as a network may deliver it.
        let framed = [UInt8(bytes.count >> 8), UInt8(bytes.count & 0xFF)] + bytes
        _ = send(connection, framed, 10, 0)
        usleep(20_000)
        _ = send(connection, Array(framed[10...]), framed.count - 10, 0)
    }
}

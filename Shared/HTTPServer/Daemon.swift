internal import CMicroHTTPD
import Glibc
import Logging

/// A running libmicrohttpd and the memory it was started with.
///
/// `@unchecked Sendable`: immutable after `init` but for the daemon behind the pointer, which libmicrohttpd guards itself. The options and
/// their strings belong to libmicrohttpd until `stop`, which is called once.
final class Daemon: @unchecked Sendable {
    private let daemon: OpaquePointer
    private let options: UnsafeMutablePointer<mhdshim_options>
    private let strings: [UnsafeMutablePointer<CChar>]
    private let context: Unmanaged<ServerCore>
    private let listener: Int32

    init(core: ServerCore, listener: Int32) throws(ServerStartError) {
        let configuration = core.configuration
        let connectionsMax = Self.affordable(configuration.connectionsMax, core.logger)
        let context = Unmanaged.passRetained(core)
        var strings: [UnsafeMutablePointer<CChar>] = []
        func copy(_ text: String?) -> UnsafePointer<CChar>? {
            guard let text, let copied = strdup(text) else { return nil }
            strings.append(copied)
            return UnsafePointer(copied)
        }
        let options = UnsafeMutablePointer<mhdshim_options>.allocate(capacity: 1)
        options.initialize(
            to: mhdshim_options(
                listen_fd: listener, threads: UInt32(max(1, configuration.threads)),
                connections_max: UInt32(connectionsMax), inactivity_seconds: UInt32(configuration.inactivitySecondsMax),
                // Half of it is the read buffer at first, and the parsed fields need room beside it. It is cleared for each request.
                connection_memory_bytes: max(16 * 1024, 2 * configuration.headerBytesMax + 4096),
                key_pem: copy(configuration.tls?.privateKeyPEM), certificate_pem: copy(configuration.tls?.certificateChainPEM),
                client_authorities_pem: copy(configuration.tls?.clientAuthoritiesPEM), context: context.toOpaque(), access: onAccess,
                completed: onCompleted, connection: onConnection, request_line: onRequestLine, log: onLog))
        guard let daemon = mhdshim_start(options) else {
            options.deallocate()
            for text in strings { free(text) }
            context.release()
            throw .daemonFailed(log: core.startMessages.joined(separator: "; "))
        }
        core.endStart()
        self.daemon = daemon
        self.options = options
        self.strings = strings
        self.context = context
        self.listener = listener
    }

    /// Raises the process's limit of descriptors for that many connections, and takes fewer where the system does not allow it.
    private static func affordable(_ connectionsMax: Int, _ logger: Logger) -> Int {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        let wanted = rlim_t(connectionsMax + descriptorsForOthers)
        if limit.rlim_cur < wanted {
            limit.rlim_cur = min(wanted, limit.rlim_max)
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        }
        guard limit.rlim_cur < wanted else { return connectionsMax }
        let affordable = max(16, Int(limit.rlim_cur) - descriptorsForOthers)
        logger.warning(
            "the limit of open files allows fewer connections than configured",
            metadata: ["configured": "\(connectionsMax)", "taken": "\(min(affordable, connectionsMax))", "limit": "\(limit.rlim_cur)"])
        return min(affordable, connectionsMax)
    }

    /// Descriptors that a process needs beside its clients' connections: stores, calls to others, files that are being sent.
    private static let descriptorsForOthers = 512

    /// Takes no more connections. Clients that wait in the kernel's queue are told so instead of being left to wait.
    ///
    /// `MHD_quiesce_daemon` is not used: it and the daemon's own threads take the socket out of their epoll sets without a lock, and whoever
    /// comes second ends the process ("Failed to remove listen FD from epoll set"). Here the socket is closed behind the back of the daemon,
    /// which takes it out of the sets; under its number there is something from then on that never has a connection, and that `stop` closes.
    func quiesce() {
        let nothing = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard nothing >= 0, mhdshim_replace(listener, nothing) == 0 else {
            // Without a descriptor left the threads wake up for a socket that takes nobody until the daemon stops.
            _ = shutdown(listener, Int32(SHUT_RDWR))
            return
        }
        _ = close(nothing)
    }

    /// Closes what is left, the listening socket among it, and joins the threads. No connection may be suspended.
    func stop() {
        MHD_stop_daemon(daemon)
        options.deallocate()
        for text in strings { free(text) }
        context.release()
    }
}

// The callbacks are free functions: a closure in an isolated context would be isolated with it and trap on a thread of the daemon's.

private func core(_ context: UnsafeMutableRawPointer?) -> ServerCore? {
    context.map { Unmanaged<ServerCore>.fromOpaque($0).takeUnretainedValue() }
}

private func onLog(_ context: UnsafeMutableRawPointer?, _ message: UnsafePointer<CChar>?) {
    guard let core = core(context), let message else { return }
    core.report(String(cString: message))
}

private func onConnection(
    _ context: UnsafeMutableRawPointer?, _ handle: OpaquePointer?, _ slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
    _ code: MHD_ConnectionNotificationCode
) {
    guard let core = core(context), let handle, let slot else { return }
    if code == .CONNECTION_NOTIFY_STARTED {
        var peer = [CChar](repeating: 0, count: 64)
        mhdshim_format_address(mhdshim_connection_address(handle), &peer, peer.count)
        let text = peer.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
        let connection = core.connections.add(descriptor: mhdshim_connection_fd(handle), peer: text)
        slot.pointee = Unmanaged.passRetained(connection).toOpaque()
        core.watch.notice()
    } else if let pointer = slot.pointee {
        slot.pointee = nil
        let connection = Unmanaged<Connection>.fromOpaque(pointer).takeRetainedValue()
        connection.markClosed()
        core.connections.remove(connection)
    }
}

private func onRequestLine(
    _ context: UnsafeMutableRawPointer?, _ uri: UnsafePointer<CChar>?, _ handle: OpaquePointer?
) -> UnsafeMutableRawPointer? {
    guard let core = core(context), let handle, let slot = mhdshim_connection_context(handle) else { return nil }
    let connection = Unmanaged<Connection>.fromOpaque(slot).takeUnretainedValue()
    let exchange = Exchange(core: core, connection: connection, handle: handle, target: RequestTarget(uri))
    return Unmanaged.passRetained(exchange).toOpaque()
}

private func onAccess(
    _: UnsafeMutableRawPointer?, _: OpaquePointer?, _: UnsafePointer<CChar>?, _ method: UnsafePointer<CChar>?,
    _ version: UnsafePointer<CChar>?, _ upload: UnsafePointer<CChar>?, _ uploadSize: UnsafeMutablePointer<Int>?,
    _ slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
    guard let pointer = slot?.pointee, let method, let version, let uploadSize else { return .NO }
    let exchange = Unmanaged<Exchange>.fromOpaque(pointer).takeUnretainedValue()
    let piece = UnsafeRawBufferPointer(start: upload, count: upload == nil ? 0 : uploadSize.pointee)
    uploadSize.pointee = 0
    return exchange.advance(method: method, version: version, upload: piece)
}

private func onCompleted(
    _: UnsafeMutableRawPointer?, _: OpaquePointer?, _ slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
    _ code: MHD_RequestTerminationCode
) {
    guard let slot, let pointer = slot.pointee else { return }
    slot.pointee = nil
    Unmanaged<Exchange>.fromOpaque(pointer).takeRetainedValue().complete(code)
}

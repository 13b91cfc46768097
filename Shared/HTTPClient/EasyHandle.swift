internal import CCurl
import Glibc
import HTTPMessage

/// One libcurl easy handle: prepared for a request, asked how it went, reset and used again. It owns the handle, the header list and the
/// error buffer, and never leaves the loop's thread.
final class EasyHandle {
    let pointer: UnsafeMutableRawPointer
    private var headerList: UnsafeMutablePointer<curl_slist>?
    private var connectList: UnsafeMutablePointer<curl_slist>?
    private let errorText = UnsafeMutableBufferPointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))

    /// Nil where there is no memory.
    init?() {
        guard let pointer = curl_easy_init() else {
            errorText.deallocate()
            return nil
        }
        self.pointer = pointer
    }

    deinit {
        curl_easy_cleanup(pointer)
        curl_slist_free_all(headerList)
        curl_slist_free_all(connectList)
        errorText.deallocate()
    }

    /// Forgets the request; the connection it used stays in the multi handle's pool.
    func reset() {
        curl_easy_reset(pointer)
        curl_slist_free_all(headerList)
        curl_slist_free_all(connectList)
        (headerList, connectList) = (nil, nil)
    }

    /// The bytes of requests that have left over all of libcurl's attempts: none means that the server can't have seen it.
    var sentBytes: Int {
        var value = 0
        ccurl_get_long(pointer, CURLINFO_REQUEST_SIZE, &value)
        return value
    }

    /// libcurl's own words for what went wrong.
    func failureText(_ code: CURLcode) -> String {
        let text = errorText.withMemoryRebound(to: UInt8.self) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        return text.isEmpty ? String(cString: curl_easy_strerror(code)) : text
    }

    /// Why a socket in the file system took no connection, with its path: libcurl's own words name the URL's host and port instead.
    func socketFailureText(_ code: CURLcode, path: String) -> String? {
        guard code == CURLE_COULDNT_CONNECT else { return nil }
        var error = 0
        ccurl_get_long(pointer, CURLINFO_OS_ERRNO, &error)
        return error == 0
            ? "the Unix socket \(path): \(failureText(code))" : "the Unix socket \(path): \(String(cString: strerror(CInt(error))))"
    }

    // MARK: Preparing

    /// Sets every option of a request. `context` is handed to the callbacks and must outlive the transfer.
    func prepare(
        _ request: ClientRequest, connectSeconds: Double, configuration: HTTPClientConfiguration, context: UnsafeMutableRawPointer
    ) throws(HTTPClientError) {
        errorText.initialize(repeating: 0)
        try set(ccurl_set_bytes(pointer, CURLOPT_ERRORBUFFER, errorText.baseAddress))
        try set(ccurl_set_pointer(pointer, CURLOPT_PRIVATE, context))
        let detour = configuration.tlsServerName.flatMap { Detour(request, serverName: $0) }
        try set(ccurl_set_string(pointer, CURLOPT_URL, detour?.url ?? request.url))
        if let detour { try prepare(detour) }
        try prepareSafety()
        try prepareConnection(request, connectSeconds: connectSeconds, configuration: configuration)
        try prepareMethod(request, context: context)
        try prepareHeaders(request, host: detour?.authority, userAgent: configuration.userAgent)
        try set(ccurl_set_data_function(pointer, CURLOPT_HEADERFUNCTION, receiveHeaderLine))
        try set(ccurl_set_pointer(pointer, CURLOPT_HEADERDATA, context))
        try set(ccurl_set_data_function(pointer, CURLOPT_WRITEFUNCTION, receiveBodyBytes))
        try set(ccurl_set_pointer(pointer, CURLOPT_WRITEDATA, context))
    }

    /// What holds for every request: nothing from the environment, nothing but HTTP/1.1, no going elsewhere than asked.
    private func prepareSafety() throws(HTTPClientError) {
        try set(ccurl_set_long(pointer, CURLOPT_NOSIGNAL, 1))
        // A cancelled name resolution must not hold up the loop until the resolver's thread has given up.
        try set(ccurl_set_long(pointer, CURLOPT_QUICK_EXIT, 1))
        try set(ccurl_set_string(pointer, CURLOPT_PROTOCOLS_STR, "http,https"))
        try set(ccurl_set_long(pointer, CURLOPT_FOLLOWLOCATION, 0))
        try set(ccurl_set_long(pointer, CURLOPT_DISALLOW_USERNAME_IN_URL, 1))
        try set(ccurl_set_string(pointer, CURLOPT_PROXY, ""))
        try set(ccurl_set_long(pointer, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1)))
        // The path goes out as it was given: a name that holds `..` is the caller's to encode, not ours to shorten.
        try set(ccurl_set_long(pointer, CURLOPT_PATH_AS_IS, 1))
    }

    private func prepareConnection(
        _ request: ClientRequest, connectSeconds: Double, configuration: HTTPClientConfiguration
    ) throws(HTTPClientError) {
        try set(ccurl_set_long(pointer, CURLOPT_CONNECTTIMEOUT_MS, max(1, Int(connectSeconds * 1_000))))
        try set(ccurl_set_long(pointer, CURLOPT_MAXAGE_CONN, configuration.idleConnectionSecondsMax))
        // A peer that is gone without a word is noticed within two minutes also by a stream that may be silent for longer.
        try set(ccurl_set_long(pointer, CURLOPT_TCP_KEEPALIVE, 1))
        try set(ccurl_set_long(pointer, CURLOPT_TCP_KEEPIDLE, 20))
        try set(ccurl_set_long(pointer, CURLOPT_TCP_KEEPINTVL, 10))
        if let path = request.unixSocketPath { try set(ccurl_set_string(pointer, CURLOPT_UNIX_SOCKET_PATH, path)) }
        try set(ccurl_set_long(pointer, CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2)))
        if let file = configuration.caFile {
            try set(ccurl_set_string(pointer, CURLOPT_CAINFO, file))
            // Instead of the system's certificates, not beside them.
            try set(ccurl_set_string(pointer, CURLOPT_CAPATH, nil))
        }
        if let file = configuration.clientCertificateFile { try set(ccurl_set_string(pointer, CURLOPT_SSLCERT, file)) }
        if let file = configuration.clientKeyFile { try set(ccurl_set_string(pointer, CURLOPT_SSLKEY, file)) }
    }

    private func prepareMethod(_ request: ClientRequest, context: UnsafeMutableRawPointer) throws(HTTPClientError) {
        if !request.isIdempotent { try prepareSingleSending(context) }
        if request.method == .head {
            try set(ccurl_set_long(pointer, CURLOPT_NOBODY, 1))
            return
        }
        if !request.body.isEmpty || request.method == .post || request.method == .put || request.method == .patch {
            try set(ccurl_set_long(pointer, CURLOPT_POST, 1))
            try set(ccurl_set_size(pointer, CURLOPT_POSTFIELDSIZE_LARGE, Int64(request.body.count)))
            // Copied here and now; an empty body still needs a pointer, else libcurl would ask a callback for it.
            let code = request.body.withUnsafeBytes {
                ccurl_set_bytes(pointer, CURLOPT_COPYPOSTFIELDS, $0.baseAddress ?? UnsafeRawPointer(pointer))
            }
            try set(code)
        } else {
            try set(ccurl_set_long(pointer, CURLOPT_HTTPGET, 1))
        }
        try set(ccurl_set_string(pointer, CURLOPT_CUSTOMREQUEST, request.method.token))
    }

    /// libcurl repeats a request by itself, on another connection, where a kept-alive one breaks before the first byte of the answer. The
    /// server may have carried it out all the same, so one that is not idempotent is stopped before it is sent for a second time.
    private func prepareSingleSending(_ context: UnsafeMutableRawPointer) throws(HTTPClientError) {
        try set(ccurl_set_begin_function(pointer, beginSending))
        try set(ccurl_set_pointer(pointer, CURLOPT_PREREQDATA, context))
    }

    private func prepare(_ detour: Detour) throws(HTTPClientError) {
        guard let list = curl_slist_append(nil, detour.connectTo) else { throw .invalidRequest("no memory for the server's name") }
        connectList = list
        try set(ccurl_set_list(pointer, CURLOPT_CONNECT_TO, list))
    }

    private func prepareHeaders(_ request: ClientRequest, host: String?, userAgent: String) throws(HTTPClientError) {
        if let host, !request.headers.contains("Host") { try append("Host: \(host)") }
        for field in request.headers {
            guard Headers.isValidName(field.name), Headers.isValidValue(field.value) else {
                throw .invalidRequest("the header '\(field.name)' has characters that may not stand in one")
            }
            // libcurl takes "Name:" as "leave it out"; an empty value is written with a semicolon.
            try append(field.value.isEmpty ? "\(field.name);" : "\(field.name): \(field.value)")
        }
        if !request.headers.contains("User-Agent") { try append("User-Agent: \(userAgent)") }
        // What libcurl would add of its own: a form's content type, and a pause of a second for servers that never say "100 Continue".
        if !request.headers.contains("Content-Type") { try append("Content-Type:") }
        if !request.headers.contains("Expect") { try append("Expect:") }
        try set(ccurl_set_list(pointer, CURLOPT_HTTPHEADER, headerList))
    }

    private func append(_ line: String) throws(HTTPClientError) {
        guard let longer = curl_slist_append(headerList, line) else { throw .invalidRequest("no memory for the headers") }
        headerList = longer
    }

    /// An option can only be refused for want of memory or for a value that libcurl can't take; either way nothing has been sent.
    private func set(_ code: CURLcode) throws(HTTPClientError) {
        guard code == CURLE_OK else { throw .invalidRequest(String(cString: curl_easy_strerror(code))) }
    }
}

// The callbacks run inside of libcurl calls, which only the loop's thread makes; the context is the Transfer, which the loop keeps alive
// for as long as the handle is libcurl's.

private func transfer(_ context: UnsafeMutableRawPointer?) -> Transfer? {
    context.map { Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
}

private func receiveHeaderLine(_ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?) -> Int
{
    let isTaken = transfer(context)?.receiveHeader(UnsafeRawBufferPointer(start: bytes, count: size * count)) ?? false
    return isTaken ? size * count : Int(CURL_WRITEFUNC_ERROR)
}

private func receiveBodyBytes(_ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?) -> Int
{
    switch transfer(context)?.receiveBody(UnsafeRawBufferPointer(start: bytes, count: size * count)) {
    case .taken: size * count
    case .pause: Int(CURL_WRITEFUNC_PAUSE)
    case .stop, nil: Int(CURL_WRITEFUNC_ERROR)
    }
}

private func beginSending(
    _ context: UnsafeMutableRawPointer?, _ peer: UnsafeMutablePointer<CChar>?, _ local: UnsafeMutablePointer<CChar>?, _ peerPort: CInt,
    _ localPort: CInt
) -> CInt {
    transfer(context)?.beginSending() == true ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
}

internal import CCurl

extension HTTPClientError {
    /// What libcurl's result means to a caller; nil where it is success.
    ///
    /// - Parameter sentBytes: of the request, over all of libcurl's attempts.
    static func from(_ code: CURLcode, text: String, sentBytes: Int) -> HTTPClientError? {
        let neverSent = sentBytes == 0
        switch code {
        case CURLE_OK:
            return nil
        case CURLE_URL_MALFORMAT, CURLE_LOGIN_DENIED:
            return .invalidRequest(text)
        case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY:
            // Also how libcurl names an answer that does not begin like HTTP.
            return neverSent ? .invalidRequest(text) : .protocolError(text)
        case CURLE_OPERATION_TIMEDOUT:
            // The loop keeps every other deadline itself.
            return .timedOut(.connect, neverSent: neverSent)
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_CONNECT, CURLE_SSL_CONNECT_ERROR,
            CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE,
            CURLE_SSL_ISSUER_ERROR, CURLE_SSL_PINNEDPUBKEYNOTMATCH, CURLE_SSL_CLIENTCERT:
            return .connectFailed(text, neverSent: neverSent)
        case CURLE_PARTIAL_FILE, CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_RECV_ERROR:
            return .connectionLost(text, neverSent: neverSent)
        default:
            return neverSent ? .connectFailed(text, neverSent: true) : .protocolError(text)
        }
    }
}

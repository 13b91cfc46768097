internal import CCertificates

/// What a TLS server shows of itself.
public struct PeerCertificate: Sendable, Hashable {
    /// Of the server alone, without its chain.
    public let certificatePEM: String
    /// Seconds since the epoch: from when on the server's own holds.
    public let notBefore: Int64
    /// Seconds since the epoch: when the first certificate of its chain ends.
    public let chainNotAfter: Int64
    /// Why it is not to be trusted, by the system's authorities and for the name asked for; nil where it is.
    public let distrust: String?
    /// Such as `TLS1.3`.
    public let protocolName: String

    /// Shakes hands as a client and looks, whatever the certificate is.
    ///
    /// - Parameters:
    ///   - descriptor: a connected, blocking socket, which stays the caller's.
    ///   - name: a DNS name, which is sent as the server's name, or a literal address.
    /// - Throws: what GnuTLS says of a handshake that fails.
    public static func look(at descriptor: Int32, name: String, timeoutSeconds: Double) throws(CertificateError) -> PeerCertificate {
        var peer = ccertificates_peer()
        let milliseconds = UInt32(min(max(1, timeoutSeconds * 1000), 3_600_000))
        let code = ccertificates_look_at_peer(descriptor, name, milliseconds, &peer)
        guard code == 0, let pem = peer.certificate_pem else { throw CertificateError(code) }
        defer {
            ccertificates_free(pem)
            ccertificates_free(peer.distrust)
        }
        return PeerCertificate(
            certificatePEM: String(cString: pem), notBefore: peer.not_before, chainNotAfter: peer.chain_not_after,
            distrust: peer.distrust.map { String(cString: $0) }, protocolName: peer.protocol.map { String(cString: $0) } ?? "TLS")
    }
}

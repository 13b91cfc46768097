internal import CCertificates

/// A certificate with its private key, both in PEM: ECDSA on P-256, signed with SHA-256 (RFC 5280).
public struct CertificateIdentity: Sendable, Hashable {
    public let certificatePEM: String
    public let keyPEM: String

    public init(certificatePEM: String, keyPEM: String) {
        self.certificatePEM = certificatePEM
        self.keyPEM = keyPEM
    }

    /// Makes an authority that may sign leaves and nothing below them.
    ///
    /// - Parameter serial: at most 20 bytes, never given twice by one issuer; positive (RFC 5280, 4.1.2.2).
    public static func authority(
        commonName: String, validity: ClosedRange<Int64>, serial: [UInt8]
    ) throws(CertificateError) -> CertificateIdentity {
        try make(commonName: commonName, validity: validity, serial: serial, names: [], addresses: [], issuer: nil)
    }

    /// Makes the certificate of a TLS server, signed by this authority.
    ///
    /// - Parameters:
    ///   - validity: seconds since the epoch.
    ///   - names: DNS names.
    ///   - addresses: literal addresses, of 4 or 16 bytes.
    public func leaf(
        commonName: String, names: [String], addresses: [[UInt8]], validity: ClosedRange<Int64>, serial: [UInt8]
    ) throws(CertificateError) -> CertificateIdentity {
        try Self.make(
            commonName: commonName, validity: validity, serial: serial, names: names, addresses: addresses, issuer: self)
    }

    private static func make(
        commonName: String, validity: ClosedRange<Int64>, serial: [UInt8], names: [String], addresses: [[UInt8]],
        issuer: CertificateIdentity?
    ) throws(CertificateError) -> CertificateIdentity {
        let arena = CArena()
        defer { arena.free() }
        var request = ccertificates_request()
        request.common_name = arena.text(commonName)
        request.not_before = validity.lowerBound
        request.not_after = validity.upperBound
        request.serial = arena.bytes(serial)
        request.serial_bytes = serial.count
        request.dns_names = arena.pointers(names.map { arena.text($0) })
        request.dns_name_count = names.count
        request.addresses = arena.pointers(addresses.map { arena.bytes($0) })
        request.address_bytes = arena.sizes(addresses.map(\.count))
        request.address_count = addresses.count
        var result = ccertificates_identity()
        var code: Int32
        if let issuer {
            var signer = ccertificates_identity(
                certificate_pem: arena.mutableText(issuer.certificatePEM), key_pem: arena.mutableText(issuer.keyPEM))
            code = ccertificates_make(&request, &signer, &result)
        } else {
            code = ccertificates_make(&request, nil, &result)
        }
        guard code == 0, let certificate = result.certificate_pem, let key = result.key_pem else { throw CertificateError(code) }
        defer {
            ccertificates_free(certificate)
            ccertificates_free(key)
        }
        return CertificateIdentity(certificatePEM: String(cString: certificate), keyPEM: String(cString: key))
    }
}

/// What GnuTLS says about a certificate that can't be made or read.
public struct CertificateError: Error, Sendable, Hashable, CustomStringConvertible {
    public let description: String

    init(_ code: Int32) {
        description = ccertificates_error(code).map { String(cString: $0) } ?? "GnuTLS error \(code)"
    }
}

/// What a certificate says of itself.
public enum CertificateText {
    /// From when to when the first certificate of a PEM text holds, in seconds since the epoch.
    public static func validity(ofPEM pem: String) throws(CertificateError) -> ClosedRange<Int64> {
        var (from, until): (Int64, Int64) = (0, 0)
        let code = ccertificates_validity(pem, &from, &until)
        guard code == 0 else { throw CertificateError(code) }
        return from...max(from, until)
    }

    /// Whether it is for a host: a DNS name or a literal address (RFC 6125).
    public static func isFor(_ host: String, pem: String) throws(CertificateError) -> Bool {
        let code = ccertificates_is_for(pem, host)
        guard code >= 0 else { throw CertificateError(code) }
        return code == 1
    }
}

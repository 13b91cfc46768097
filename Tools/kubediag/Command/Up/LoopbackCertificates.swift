import Certificates
import Digests

/// The certificates under which an installation serves TLS on this machine: an authority of its own, which clients trust, and a leaf that
/// the trigger-router shows. Keys have mode 0600.
///
/// The authority stays for its ten years, so that what clients were told stays true; the leaf is made anew when less than a third of its
/// year is left, or it is not for this machine's names.
struct LoopbackCertificates {
    let path: String

    private static let authorityYears: Int64 = 10
    private static let leafDays: Int64 = 365
    private static let day: Int64 = 86_400
    /// Before now, for clocks that are a little behind.
    private static let backdatedSeconds: Int64 = 3600
    private static let bytesMax = 64 << 10

    var authorityFile: String { "\(path)/ca.pem" }
    var certificateFile: String { "\(path)/tls.pem" }
    var keyFile: String { "\(path)/tls.key" }
    private var authorityKeyFile: String { "\(path)/ca.key" }

    /// Makes what is missing or has run out.
    ///
    /// - Parameter names: of this machine, beside localhost and the loopback addresses.
    func make(names: [String], now: Int64) throws {
        try FileSystem.makeDirectory(path, mode: 0o700)
        let hosts = ["localhost"] + names.filter { $0 != "localhost" }
        do {
            let (authority, isNew) = try authority(now)
            if isNew || !isCurrent(hosts, now) { try makeLeaf(authority, hosts, now) }
        } catch let error as CertificateError {
            throw CommandFailure("the TLS certificates in \(path) can't be made: \(error)")
        }
    }

    private func authority(_ now: Int64) throws -> (CertificateIdentity, isNew: Bool) {
        if let certificate = try text(authorityFile), let key = try text(authorityKeyFile),
            try CertificateText.validity(ofPEM: certificate).upperBound > now + Self.leafDays * Self.day
        {
            return (CertificateIdentity(certificatePEM: certificate, keyPEM: key), false)
        }
        let made = try CertificateIdentity.authority(
            commonName: "KubeDiag on this machine",
            validity: (now - Self.backdatedSeconds)...(now + Self.authorityYears * 365 * Self.day), serial: Self.serial())
        try FileSystem.write(made.keyPEM, to: authorityKeyFile, mode: 0o600)
        try FileSystem.write(made.certificatePEM, to: authorityFile, mode: 0o644)
        return (made, true)
    }

    private func isCurrent(_ hosts: [String], _ now: Int64) -> Bool {
        do {
            guard let certificate = try text(certificateFile), try text(keyFile) != nil else { return false }
            let validity = try CertificateText.validity(ofPEM: certificate)
            guard validity.contains(now), validity.upperBound - now > Self.leafDays * Self.day / 3 else { return false }
            for host in hosts where try !CertificateText.isFor(host, pem: certificate) { return false }
            return true
        } catch {
            return false  // what can't be read is made anew
        }
    }

    private func makeLeaf(_ authority: CertificateIdentity, _ hosts: [String], _ now: Int64) throws {
        let loopback: [[UInt8]] = [[127, 0, 0, 1], Array(repeating: 0, count: 15) + [1]]
        let leaf = try authority.leaf(
            commonName: "localhost", names: hosts, addresses: loopback,
            validity: (now - Self.backdatedSeconds)...(now + Self.leafDays * Self.day), serial: Self.serial())
        try FileSystem.write(leaf.keyPEM, to: keyFile, mode: 0o600)
        try FileSystem.write(leaf.certificatePEM + authority.certificatePEM, to: certificateFile, mode: 0o644)
    }

    /// Nil where there is no such file.
    private func text(_ path: String) throws -> String? {
        guard FileSystem.exists(path) else { return nil }
        return String(decoding: try FileSystem.read(path, bytesMax: Self.bytesMax), as: UTF8.self)
    }

    /// 16 random bytes, the first between 1 and 127.
    private static func serial() -> [UInt8] {
        var bytes = Digest.randomBytes(count: 16)
        bytes[0] = bytes[0] & 0x7F | 1
        return bytes
    }
}

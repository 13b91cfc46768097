import Digests
import Testing

@Suite struct DigestTests {
    /// FIPS 180-4 and RFC 4231 examples.
    @Test func sha256KnownAnswers() {
        #expect(Digest.sha256([]).hex == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(Digest.sha256("abc").hex == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            Digest.sha256([UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000)).hex
                == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    @Test func hmacKnownAnswers() {
        let first = Digest.hmacSHA256(key: [UInt8](repeating: 0x0b, count: 20), message: Array("Hi There".utf8))
        #expect(first.hex == "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")
        let second = Digest.hmacSHA256(key: Array("Jefe".utf8), message: Array("what do ya want for nothing?".utf8))
        #expect(second.hex == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        let longKey = Digest.hmacSHA256(
            key: [UInt8](repeating: 0xaa, count: 131), message: Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8))
        #expect(longKey.hex == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
    }

    @Test func hasherInPiecesEqualsWhole() {
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
        var hasher = SHA256Hasher()
        for start in stride(from: 0, to: 1000, by: 77) { hasher.update(bytes[start..<min(start + 77, 1000)]) }
        #expect(hasher.finalize() == Digest.sha256(bytes))
        hasher.update([1])
        #expect(hasher.finalize() == Digest.sha256(bytes + [1]))
    }

    /// RFC 4648 section 10, in lower case and without padding.
    @Test(arguments: [
        ("", ""), ("f", "my"), ("fo", "mzxq"), ("foo", "mzxw6"), ("foob", "mzxw6yq"), ("fooba", "mzxw6ytb"), ("foobar", "mzxw6ytboi"),
    ])
    func base32KnownAnswers(plain: String, encoded: String) {
        #expect(Digest.base32(Array(plain.utf8)) == encoded)
        #expect(Digest.bytes(base32: encoded) == Array(plain.utf8))
    }

    @Test func spellingsRoundTrip() {
        for count in 0..<70 {
            let bytes = Digest.randomBytes(count: count)
            #expect(bytes.count == count)
            #expect(Digest.bytes(hex: bytes.hex) == bytes)
            #expect(Digest.bytes(base32: Digest.base32(bytes)) == bytes)
            #expect(Digest.base32(bytes).utf8.count == (count * 8 + 4) / 5)
        }
        for wrong in ["a", "m1", "mz xq", "my=", "mz"] { #expect(Digest.bytes(base32: wrong) == nil, "\(wrong)") }
        for wrong in ["a", "0g", "é"] { #expect(Digest.bytes(hex: wrong) == nil, "\(wrong)") }
    }

    @Test func constantTimeComparison() {
        #expect(Digest.constantTimeEqual("secret", "secret"))
        #expect(Digest.constantTimeEqual("", ""))
        #expect(!Digest.constantTimeEqual("secret", "secreu"))
        #expect(!Digest.constantTimeEqual("secret", "secret "))
        #expect(!Digest.constantTimeEqual("", "s"))
    }

    @Test func randomTokensDiffer() {
        let tokens = Set((0..<1000).map { _ in Digest.randomToken(byteCount: 16) })
        #expect(tokens.count == 1000)
        #expect(tokens.allSatisfy { $0.utf8.count == 32 })
        let ones = Digest.randomBytes(count: 100_000).reduce(0) { $0 + $1.nonzeroBitCount }
        #expect((398_000...402_000).contains(ones))
    }

    @Test func lengthPrefixesKeepPartsApart() {
        #expect(LengthPrefixedHasher.digest("ab", "c") != LengthPrefixedHasher.digest("a", "bc"))
        #expect(LengthPrefixedHasher.digest("a") != LengthPrefixedHasher.digest("a", ""))
        #expect(LengthPrefixedHasher.digest([]) == Digest.sha256([]))
        let spelled: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 2] + Array("ab".utf8) + [0, 0, 0, 0, 0, 0, 0, 1] + Array("c".utf8)
        #expect(LengthPrefixedHasher.digest("ab", "c") == Digest.sha256(spelled))
    }
}

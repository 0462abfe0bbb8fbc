import CLibCrypto
import Glibc

/// Digests, HMAC, base64 and public keys, implemented with libcrypto.
package enum Crypto {
    /// Loads libcrypto, and ends the program with 127 if that fails. Without this call the first use loads it, and a
    /// failure after the picture was taken would lose the picture.
    package static func load() { shim_load_crypto() }

    /// SHA-256, 32 bytes.
    package static func sha256(_ bytes: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 32) { digest, count in
            var length: UInt32 = 0
            shim_digest(bytes, bytes.count, digest.baseAddress, &length, shim_sha256())
            count = Int(length)
        }
    }

    /// The MD5 digest, 16 bytes, for HTTP Digest logins and S3's Content-MD5; empty if the system's policy forbids MD5.
    package static func md5(_ bytes: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 16) { digest, count in
            var length: UInt32 = 0
            let done = shim_digest(bytes, bytes.count, digest.baseAddress, &length, shim_md5())
            count = done == 1 ? Int(length) : 0
        }
    }

    /// The SHA-256 digest of `length` bytes of an open file from `offset`, read in pieces; nil if they cannot be read.
    package static func sha256(of descriptor: Int32, offset: Int, length: Int) -> [UInt8]? {
        digest(shim_sha256(), of: descriptor, offset: offset, length: length)
    }

    /// The MD5 digest of part of a file; nil if it cannot be read, or if the system's policy forbids MD5.
    package static func md5(of descriptor: Int32, offset: Int, length: Int) -> [UInt8]? {
        digest(shim_md5(), of: descriptor, offset: offset, length: length)
    }

    private static func digest(
        _ kind: OpaquePointer?, of descriptor: Int32, offset: Int, length: Int
    ) -> [UInt8]? {
        guard let context = shim_digest_new() else { return nil }
        defer { shim_digest_free(context) }
        guard shim_digest_init(context, kind) == 1 else { return nil }
        var piece = [UInt8](repeating: 0, count: 65536)
        var position = offset
        while position < offset + length {
            let want = min(piece.count, offset + length - position)
            let got = piece.withUnsafeMutableBytes { raw in
                Glibc.pread(descriptor, raw.baseAddress, want, off_t(position))
            }
            guard got > 0, shim_digest_update(context, piece, got) == 1 else { return nil }
            position += got
        }
        return [UInt8](unsafeUninitializedCapacity: Int(EVP_MAX_MD_SIZE)) { digest, count in
            var size: UInt32 = 0
            shim_digest_final(context, digest.baseAddress, &size)
            count = Int(size)
        }
    }

    /// HMAC-SHA-256, 32 bytes.
    package static func hmac(key: [UInt8], _ message: String) -> [UInt8] {
        let message = Array(message.utf8)
        // RFC 2104: a key longer than a block is replaced by its digest.
        let key = key.count > 64 ? sha256(key) : key
        return [UInt8](unsafeUninitializedCapacity: 32) { digest, count in
            var length: UInt32 = 0
            shim_hmac(shim_sha256(), key, Int32(key.count), message, message.count, digest.baseAddress, &length)
            count = Int(length)
        }
    }

    package static func random(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }

    package static func base64(_ bytes: [UInt8]) -> String {
        String(decoding: base64Bytes(bytes), as: UTF8.self)
    }

    static func base64Bytes(_ bytes: [UInt8]) -> [UInt8] {
        // `shim_encode_block` is limited to an Int32 length, and terminates its text with a zero.
        [UInt8](unsafeUninitializedCapacity: (bytes.count + 2) / 3 * 4 + 1) { text, count in
            count = Int(shim_encode_block(text.baseAddress, bytes, Int32(clamping: bytes.count)))
        }
    }

    /// Decodes base64; nil if `text` is not valid.
    package static func decoded(base64 text: String) -> [UInt8]? {
        let bytes = Array(text.utf8)
        let padding = bytes.reversed().prefix { $0 == UInt8(ascii: "=") }.count
        guard !bytes.isEmpty, bytes.count % 4 == 0, padding <= 2, let length = Int32(exactly: bytes.count) else {
            return nil
        }
        let decoded = [UInt8](unsafeUninitializedCapacity: bytes.count / 4 * 3) { buffer, count in
            count = max(0, Int(shim_decode_block(buffer.baseAddress, bytes, length)))
        }
        return decoded.isEmpty ? nil : decoded.dropLast(padding)
    }

    /// The pin of a certificate's public key, `sha256//…`, in the format of libcurl and HPKP; nil if `pem` is not a
    /// certificate.
    package static func publicKeyPin(pem: String) -> String? {
        guard let certificate = certificate(pem: pem) else { return nil }
        defer { shim_certificate_free(certificate) }
        let length = shim_public_key(certificate, nil)
        guard length > 0 else { return nil }
        let der = [UInt8](unsafeUninitializedCapacity: Int(length)) { buffer, count in
            var end = buffer.baseAddress
            count = Int(shim_public_key(certificate, &end))
        }
        return "sha256//" + base64(sha256(der))
    }

    /// The certificate in `pem`, which the caller must free; nil if there is none.
    private static func certificate(pem: String) -> OpaquePointer? {
        // The BIO reads the bytes in place, so it must not outlive this closure.
        Array(pem.utf8).withUnsafeBytes { bytes in
            guard let length = Int32(exactly: bytes.count), let bio = shim_bio_new(bytes.baseAddress, length) else {
                return nil
            }
            defer { shim_bio_free(bio) }
            return shim_read_certificate(bio, nil)
        }
    }
}

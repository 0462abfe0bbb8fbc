import CLibCrypto

extension Crypto {
    /// An incremental HMAC-SHA-256 (RFC 2104).
    package final class MAC {
        private let inner = shim_digest_new()
        private let outer: [UInt8]

        package init(key: [UInt8]) {
            let short = key.count > 64 ? sha256(key) : key
            let block = short + [UInt8](repeating: 0, count: 64 - short.count)
            outer = block.map { $0 ^ 0x5C }
            shim_digest_init(inner, shim_sha256())
            add(block.map { $0 ^ 0x36 }[...])
        }

        deinit { shim_digest_free(inner) }

        package func add(_ bytes: ArraySlice<UInt8>) {
            bytes.withUnsafeBytes { _ = shim_digest_update(inner, $0.baseAddress, $0.count) }
        }

        /// The 32 bytes of the HMAC. Call it once; nothing may be added afterwards.
        package func value() -> [UInt8] {
            let digest = [UInt8](unsafeUninitializedCapacity: 32) { digest, count in
                var length: UInt32 = 0
                shim_digest_final(inner, digest.baseAddress, &length)
                count = Int(length)
            }
            return sha256(outer + digest)
        }
    }
}

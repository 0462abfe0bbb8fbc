import CLibSSL
import Glibc

/// The server side of HTTPS: a certificate and its key.
final class TLSContext: @unchecked Sendable {
    // Unchecked: an SSL_CTX is set up here once and then only read; OpenSSL counts its references atomically.
    fileprivate let handle: OpaquePointer

    /// Loads certificate and key from a PEM file. Without one it makes a self-signed pair in memory, as cameras have.
    init(pemFile: String?) throws {
        guard let handle = SSL_CTX_new(TLS_server_method()) else {
            throw StartupError("tls", "cannot start OpenSSL")
        }
        self.handle = handle
        if let pemFile {
            guard SSL_CTX_use_certificate_chain_file(handle, pemFile) == 1,
                SSL_CTX_use_PrivateKey_file(handle, pemFile, SSL_FILETYPE_PEM) == 1
            else { throw StartupError("certificate \(pemFile)", "holds no certificate with its key in PEM") }
        } else {
            try useSelfSigned()
        }
    }

    deinit { SSL_CTX_free(handle) }

    private func useSelfSigned() throws {
        guard let key = Self.makeKey(), let certificate = X509_new() else {
            throw StartupError("tls", "cannot make a key")
        }
        defer {
            EVP_PKEY_free(key)
            X509_free(certificate)
        }
        let year = 365 * 24 * 3600
        X509_set_version(certificate, 2)
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), Int.random(in: 1...Int.max))
        X509_gmtime_adj(X509_getm_notBefore(certificate), -24 * 3600)
        X509_gmtime_adj(X509_getm_notAfter(certificate), 10 * year)
        X509_set_pubkey(certificate, key)
        let name = X509_get_subject_name(certificate)
        X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, "Reolink simulator", -1, -1, 0)
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, "127.0.0.1", -1, -1, 0)
        X509_set_issuer_name(certificate, name)
        if let names = X509V3_EXT_conf_nid(nil, nil, NID_subject_alt_name, "IP:127.0.0.1,DNS:localhost") {
            X509_add_ext(certificate, names, -1)
            X509_EXTENSION_free(names)
        }
        guard X509_sign(certificate, key, EVP_sha256()) > 0,
            SSL_CTX_use_certificate(handle, certificate) == 1, SSL_CTX_use_PrivateKey(handle, key) == 1
        else { throw StartupError("tls", "cannot sign the certificate") }
    }

    private static func makeKey() -> OpaquePointer? {
        guard let generator = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, nil) else { return nil }
        defer { EVP_PKEY_CTX_free(generator) }
        var key: OpaquePointer?
        guard EVP_PKEY_keygen_init(generator) == 1,
            EVP_PKEY_CTX_set_ec_paramgen_curve_nid(generator, NID_X9_62_prime256v1) == 1,
            EVP_PKEY_keygen(generator, &key) == 1
        else { return nil }
        return key
    }
}

/// TLS on an accepted descriptor, which the caller closes.
final class TLSSession {
    private let handle: OpaquePointer
    private var broken = false

    /// Does the TLS handshake; nil where it fails.
    init?(_ context: TLSContext, descriptor: Int32) {
        guard let handle = SSL_new(context.handle) else { return nil }
        guard SSL_set_fd(handle, descriptor) == 1, SSL_accept(handle) == 1 else {
            SSL_free(handle)
            ERR_clear_error()
            return nil
        }
        self.handle = handle
    }

    deinit { SSL_free(handle) }

    func read(into room: UnsafeMutableRawBufferPointer) -> Int {
        noting(Int(SSL_read(handle, room.baseAddress, Int32(room.count))))
    }

    func write(_ bytes: UnsafeRawBufferPointer) -> Int {
        noting(Int(SSL_write(handle, bytes.baseAddress, Int32(min(bytes.count, Int(Int32.max))))))
    }

    /// Makes `shutdown` send no close_notify, because the connection is reset or cut.
    func abandon() { broken = true }

    func shutdown() {
        if !broken { SSL_shutdown(handle) }
    }

    private func noting(_ count: Int) -> Int {
        if count <= 0 {
            broken = true
            ERR_clear_error()
        }
        return count
    }
}

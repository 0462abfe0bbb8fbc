import CLibCurl
import SnapshotBase
import SnapshotSettings

/// Translates a request into libcurl's options.
extension HTTPRequest {
    /// The system's directory of certificate authorities by hash, if it has one: loading the whole bundle instead would
    /// cost more than the rest of a transfer.
    private static let authoritiesDirectory: String? = {
        let directory = "/etc/ssl/certs"
        return fileExists(directory + "/ca-certificates.crt") ? directory : nil
    }()

    /// Sets everything but headers and body, whose memory must live as long as the transfer.
    /// - Throws: where a file that libcurl will read is in a folder that hangs.
    func set(on easy: UnsafeMutableRawPointer) throws(HTTPFailure) {
        for file in files {
            do throws(SystemError) { try NamedFile.checkResponds(file) } catch {
                throw HTTPFailure(kind: .timedOut, why: "cannot read \(file): \(error)", waitedForFile: true)
            }
        }
        _ = shim_set_string(easy, CURLOPT_URL, url)
        _ = shim_set_string(easy, CURLOPT_PROTOCOLS_STR, "http,https")
        _ = shim_set_long(easy, CURLOPT_NOSIGNAL, 1)
        _ = shim_set_long(easy, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        _ = shim_set_long(easy, CURLOPT_PATH_AS_IS, 1)
        // A hanging resolver must not delay the program beyond its deadline.
        _ = shim_set_long(easy, CURLOPT_QUICK_EXIT, 1)
        _ = shim_set_long(easy, CURLOPT_CONNECTTIMEOUT_MS, connectTimeout.milliseconds)
        setTimes(on: easy)
        if ignoresLength { _ = shim_set_long(easy, CURLOPT_IGNORE_CONTENT_LENGTH, 1) }
        // A SOCKS proxy's login is by user and password only: libcurl may have been loaded without Kerberos.
        _ = shim_set_long(easy, CURLOPT_SOCKS5_AUTH, Int(shim_auth_basic))
        switch route {
        case .direct: _ = shim_set_string(easy, CURLOPT_PROXY, "")
        case .environment: break
        case .proxy(let address, _):
            _ = shim_set_string(easy, CURLOPT_PROXY, address)
            if proxies?.exceptions != nil { _ = shim_set_string(easy, CURLOPT_NOPROXY, "") }
        }
        if !reusesConnection { _ = shim_set_long(easy, CURLOPT_FRESH_CONNECT, 1) }
        _ = shim_set_string(easy, CURLOPT_USERAGENT, "snapshot/\(snapshotVersion)")
        if let credentials = credentials {
            let asked = needsDigest ? shim_auth_digest : shim_auth_basic_or_digest
            _ = shim_set_long(easy, CURLOPT_HTTPAUTH, sendsBasic ? shim_auth_basic : asked)
            _ = shim_set_string(easy, CURLOPT_USERNAME, credentials.user)
            _ = shim_set_string(easy, CURLOPT_PASSWORD, credentials.password)
        }
        if let certificate {
            _ = shim_set_string(easy, CURLOPT_SSLCERT, certificate.path)
            _ = shim_set_string(easy, CURLOPT_SSLKEY, certificate.keyPath)
            // An empty passphrase keeps OpenSSL from asking for one at the terminal.
            _ = shim_set_string(easy, CURLOPT_KEYPASSWD, "")
        }
        switch trust {
        case .authorities(let file?):
            _ = shim_set_string(easy, CURLOPT_CAINFO, file)
            _ = shim_set_string(easy, CURLOPT_CAPATH, nil)
        case .authorities(nil):
            if let authoritiesDirectory = Self.authoritiesDirectory {
                _ = shim_set_string(easy, CURLOPT_CAINFO, nil)
                _ = shim_set_string(easy, CURLOPT_CAPATH, authoritiesDirectory)
            }
        case .pin(let pin):
            trustNoAuthority(easy)
            _ = shim_set_string(easy, CURLOPT_PINNEDPUBLICKEY, pin)
        case .unverified: trustNoAuthority(easy)
        case .unverifiedAnyVersion:
            trustNoAuthority(easy)
            _ = shim_set_long(easy, CURLOPT_SSLVERSION, shim_oldest_tls)
            // OpenSSL rejects the signatures and short keys of old TLS versions at a higher security level.
            _ = shim_set_string(easy, CURLOPT_SSL_CIPHER_LIST, "DEFAULT:@SECLEVEL=0")
        }
    }

    /// The files that libcurl reads.
    private var files: [String] {
        let own = certificate.map { [$0.path, $0.keyPath] } ?? []
        if case .authorities(let file?) = trust { return own + [file] }
        return own
    }

    private func setTimes(on easy: UnsafeMutableRawPointer) {
        if body.isStream {
            // A stream has no deadline, but a stall ends it.
            if let stallTimeout = stallTimeout {
                _ = shim_set_long(easy, CURLOPT_LOW_SPEED_LIMIT, 1)
                _ = shim_set_long(easy, CURLOPT_LOW_SPEED_TIME, max(1, stallTimeout.milliseconds / 1000))
                _ = shim_limit_unacknowledged(easy, UInt32(clamping: stallTimeout.milliseconds))
            }
        } else if timeouts != nil {
            _ = shim_limit_unsent(easy)
        } else {
            _ = shim_set_long(easy, CURLOPT_TIMEOUT_MS, deadline.millisecondsLeft)
        }
    }

    private func trustNoAuthority(_ easy: UnsafeMutableRawPointer) {
        _ = shim_set_long(easy, CURLOPT_SSL_VERIFYPEER, 0)
        _ = shim_set_long(easy, CURLOPT_SSL_VERIFYHOST, 0)
    }
}

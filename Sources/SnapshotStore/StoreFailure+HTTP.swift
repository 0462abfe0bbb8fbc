import SnapshotBase
import SnapshotHTTP

extension StoreFailure {
    /// The failure of a request that got no usable response.
    /// - Parameters:
    ///   - setting: the setting that holds the store's address.
    ///   - usesTLS: whether the request went over TLS.
    package init(_ failure: HTTPFailure, address: String, setting: String, usesTLS: Bool) {
        let why = failure.kind == .tooLarge ? "it is over 64 KiB" : failure.why
        func make(_ code: Failure.Code, _ what: String, _ hint: String?) -> Failure {
            Failure(code, what, address, why: why, hint: hint, cause: failure)
        }
        switch failure.kind {
        case .unresolved:
            self.init(make(.store(.unresolved), "cannot find store", "check \(setting) and the network"), .retry)
        case .unreachable, .unconnected:
            let hint = "check \(failure.settingToCheck(setting)) and the network"
            self.init(make(.store(.unreachable), "cannot reach store", hint), .retry)
        case .proxy:
            self.init(make(.store(.unreachable), "cannot reach store", HTTPFailure.Kind.proxyHint), .retry)
        case .timedOut:
            self.init(make(.store(.timeout), "no answer from store", failure.slowHint), .retry)
        case .noTLS, .tls, .oldTLS, .pinMismatch:
            self.init(make(.store(.tls), "no TLS connection to store", failure.tlsHint(setting)), .giveUp)
        case .certificate:
            let hint = HTTPFailure.certificateHint(
                setting,
                "set HTTP_CLIENT_CERT and HTTP_CLIENT_KEY to PEM files that belong together; the key has no passphrase")
            self.init(make(.store(.credentials), "store refuses credentials", hint), .giveUp)
        case .refused:
            self.init(make(.store(.credentials), "store refuses credentials", "check \(setting)"), .giveUp)
        case .invalid:
            self.init(make(.store(.invalid), "cannot send a request to store", "check \(setting)"), .giveUp)
        case .noLibrary:
            var missing = make(.missing("libcurl"), "cannot send a request to store", HTTPFailure.Kind.libraryHint)
            missing.kind = .store
            self.init(missing, .giveUp)
        case .cutShort, .lost:
            let hint = usesTLS ? nil : failure.plainHint(setting)
            self.init(make(.store(.lost), "lost connection to store", hint), .retry)
        case .tooLarge, .endless:
            let hint = "check \(setting), and whether a proxy or a sign-in page answers"
            self.init(make(.store(.answer), "bad answer from store", hint), .giveUp)
        }
        connectionFailed = true
        stalledFor = failure.stalledFor
    }

    /// The failure for a response that isn't an acknowledgement.
    /// - Parameters:
    ///   - status: what to treat the response as: S3 may report an error in a response with status 200.
    ///   - setting: what to check, in the hint.
    package init(
        status: Int, _ response: HTTPResponse, address: String, setting: String, detail: String
    ) {
        let why = "HTTP status \(response.status)" + (detail.isEmpty ? "" : ", \(detail)")
        func make(_ code: Failure.Code, _ what: String, hint: String? = nil) -> Failure {
            Failure(code, what, address, why: why, hint: hint)
        }
        switch status {
        case 408, 421, 423, 425, 500, 502, 504:
            self.init(make(.store(.error), "store failed"), .retry, .unclear)
        case 529:
            self.init(make(.store(.busy), "store is busy"), .slowDown)
        case 520...599:
            // From a proxy such as Cloudflare's: the proxy works, the store behind it doesn't.
            self.init(
                make(
                    .store(.unreachable), "cannot reach store", hint: "the proxy in front of the store can't reach it"),
                .retry)
        case 429, 503:
            self.init(make(.store(.busy), "store is busy"), .slowDown)
        case 401, 403:
            self.init(make(.store(.credentials), "store refuses credentials", hint: "check \(setting)"), .giveUp)
        case 407:
            self.init(make(.store(.unreachable), "cannot reach store", hint: HTTPFailure.Kind.proxyHint), .giveUp)
        case 300...399:
            self.init(
                make(
                    .store(.redirect), "store redirects",
                    hint: "redirects are never followed: set \(setting) to the final address; "
                        + "a network that wants a sign-in redirects, too"),
                .giveUp)
        case 400 where response.isPlainHTTPRefusal:
            let hint = "that port speaks TLS: set \(setting) to https://"
            self.init(make(.store(.invalid), "store rejects request", hint: hint), .giveUp)
        case 413:
            let hint = "raise the server's limit on requests, or take smaller pictures: CAMERA_STREAM=sub"
            self.init(make(.store(.rejected), "store rejects picture", hint: hint), .giveUp, .object)
        case 511:
            self = .signInPage(response, address: address, setting: setting)
        case 507:
            self.init(make(.store(.rejected), "store rejects picture", hint: "free space on the server"), .giveUp)
        default:
            self.init(make(.store(.rejected), "store rejects picture", hint: "check \(setting)"), .giveUp, .object)
        }
        retryAfter = response.retryAfter
    }
}

extension HTTPFailure {
    /// The same failure, or the refusal of our client certificate, which a handshake with `url` reveals.
    func explained(_ url: String, _ certificate: ClientCertificate?, authorities: String?) -> HTTPFailure {
        guard kind == .lost, proxySetting == nil, let host = HostAndPort(tlsURL: url) else { return self }
        let handshake = TLSHandshake(
            host: host, connectTimeout: .seconds(2), deadline: .after(.seconds(3)), certificate: certificate)
        return handshake.certificateFailure(trusting: .authorities(file: authorities)) ?? self
    }
}

extension HTTPResponse {
    /// Whether a server such as nginx asks for another client certificate in a page, instead of by a TLS alert.
    var isAboutCertificate: Bool {
        [400, 403, 495, 496].contains(status)
            && String(decoding: body.prefix(4096), as: UTF8.self).lowercased()[...].range(of: "ssl certificate") != nil
    }
}

extension StoreFailure {
    static func certificate(_ response: HTTPResponse, address: String) -> StoreFailure {
        StoreFailure(
            Failure(
                .store(.credentials), "store refuses credentials", address,
                why: "HTTP status \(response.status): it wants a client certificate, or another one",
                hint: "set HTTP_CLIENT_CERT and HTTP_CLIENT_KEY"), .giveUp)
    }
}

extension HTTPResponse {
    /// Whether a TLS server complains about plain HTTP, in the words of nginx, Go or Apache.
    var isPlainHTTPRefusal: Bool {
        let text = String(decoding: body.prefix(1024), as: UTF8.self).lowercased()[...]
        return [
            "plain http request was sent to https", "http request to an https server", "speaking plain http to an ssl",
        ]
        .contains { text.range(of: $0) != nil }
    }
}

extension HTTPFailure {
    fileprivate var slowHint: String? {
        if bodyWasSent { return "if the store needs longer, raise UPLOAD_ANSWER, and UPLOAD_DEADLINE if it is set" }
        return stalledFor == nil ? nil : "on slow connections smaller pictures help: CAMERA_STREAM=sub"
    }

    /// A hint where there is no TLS: a plain port, a missing certificate, an unknown authority, a wrong clock.
    fileprivate func tlsHint(_ setting: String) -> String {
        if kind == .noTLS {
            return "if that port speaks plain HTTP, write http:// in \(setting); if not, the server's HTTPS port"
        }
        if kind == .tls, why[...].range(of: "handshake failure") != nil {
            return Self.certificateHint(
                setting, "if it asks for a client certificate, set HTTP_CLIENT_CERT and HTTP_CLIENT_KEY")
        }
        return "for a private authority set AWS_CA_BUNDLE (S3) or SSL_CERT_FILE; a wrong clock also looks like this"
    }

    /// `hint` for the store `http`; otherwise that S3 uploads send no client certificate.
    fileprivate static func certificateHint(_ setting: String, _ hint: String) -> String {
        setting == "HTTP_UPLOAD_URL" ? hint : "it may ask for a client certificate, which S3 uploads don't send"
    }

    /// A hint where a server doesn't respond to plain HTTP.
    fileprivate func plainHint(_ setting: String) -> String? {
        hasNoResponse ? "if that port speaks TLS, set \(setting) to https://" : nil
    }
}

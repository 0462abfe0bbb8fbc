/// Every setting there is, by its name in the environment and in `.env` files.
package enum SettingKey: String, CaseIterable, Sendable {
    case cameraIP = "CAMERA_IP"
    case cameraURL = "CAMERA_URL"
    case cameraUsername = "CAMERA_USERNAME"
    case cameraPassword = "CAMERA_PASSWORD"
    case cameraUseHTTPS = "CAMERA_USE_HTTPS"
    case cameraTLSVerify = "CAMERA_TLS_VERIFY"
    case cameraChannel = "CAMERA_CHANNEL"
    case cameraStream = "CAMERA_STREAM"
    case cameraWidth = "CAMERA_WIDTH"
    case cameraHeight = "CAMERA_HEIGHT"
    case cameraAuth = "CAMERA_AUTH"
    case cameraName = "CAMERA_NAME"
    case cameraConnectTimeout = "CAMERA_CONNECT_TIMEOUT"
    case cameraTimeout = "CAMERA_TIMEOUT"
    case cameraRTSPPort = "CAMERA_RTSP_PORT"
    case captureInterval = "CAPTURE_INTERVAL"
    case frozenAfter = "FROZEN_AFTER"

    case storageBackend = "STORAGE_BACKEND"
    case keyTemplate = "KEY_TEMPLATE"
    case awsAccessKeyID = "AWS_ACCESS_KEY_ID"
    case awsSecretAccessKey = "AWS_SECRET_ACCESS_KEY"
    case awsSessionToken = "AWS_SESSION_TOKEN"
    case awsProfile = "AWS_PROFILE"
    case awsSharedCredentialsFile = "AWS_SHARED_CREDENTIALS_FILE"
    case awsRegion = "AWS_REGION"
    case awsDefaultRegion = "AWS_DEFAULT_REGION"
    case awsCABundle = "AWS_CA_BUNDLE"
    case s3Bucket = "S3_BUCKET"
    case s3Prefix = "S3_PREFIX"
    case s3EndpointURL = "S3_ENDPOINT_URL"
    case awsEndpointURLS3 = "AWS_ENDPOINT_URL_S3"
    case awsEndpointURL = "AWS_ENDPOINT_URL"
    case s3Addressing = "S3_ADDRESSING"
    case s3Checksum = "S3_CHECKSUM"
    case localStoragePath = "LOCAL_STORAGE_PATH"
    case localStorageMaxBytes = "LOCAL_STORAGE_MAX_BYTES"
    case localStorageMaxAge = "LOCAL_STORAGE_MAX_AGE"
    case localStorageMinFree = "LOCAL_STORAGE_MIN_FREE"
    case httpUploadURL = "HTTP_UPLOAD_URL"
    case httpAuthToken = "HTTP_AUTH_TOKEN"
    case httpUploadFormat = "HTTP_UPLOAD_FORMAT"
    case httpUploadAck = "HTTP_UPLOAD_ACK"
    case sslCertFile = "SSL_CERT_FILE"
    case curlCABundle = "CURL_CA_BUNDLE"
    case uploadAttempts = "UPLOAD_ATTEMPTS"
    case uploadDeadline = "UPLOAD_DEADLINE"
    case spoolMaxBytes = "SPOOL_MAX_BYTES"
    case spoolMinFree = "SPOOL_MIN_FREE"

    case statePath = "STATE_PATH"
    case pingURL = "PING_URL"
    case healthCheckPort = "HEALTH_CHECK_PORT"
    case webImages = "WEB_IMAGES"
    case webToken = "WEB_TOKEN"

    case streamMode = "STREAM_MODE"
    case streamSource = "STREAM_SOURCE"
    case streamAudio = "STREAM_AUDIO"
    case outputRTSPURL = "OUTPUT_RTSP_URL"
    case outputDirectory = "OUTPUT_DIR"
    case serverURL = "SERVER_URL"
    case segmentTime = "SEGMENT_TIME"
    case hlsSegmentTime = "HLS_SEGMENT_TIME"
    case recordMaxBytes = "RECORD_MAX_BYTES"
    case recordMaxAge = "RECORD_MAX_AGE"
    case recordMinFree = "RECORD_MIN_FREE"
    case recordUpload = "RECORD_UPLOAD"
    case stallTimeout = "STALL_TIMEOUT"

    /// How much of a value may be shown.
    package enum Secrecy: Sendable {
        /// All of it.
        case open
        /// Without user, password and query, which often are keys.
        case url
        /// Nothing; may also come from a credential file.
        case secret
    }

    package var secrecy: Secrecy {
        switch self {
        case .cameraPassword, .awsAccessKeyID, .awsSecretAccessKey, .awsSessionToken, .httpAuthToken,
            .webToken:
            .secret
        case .cameraURL, .httpUploadURL, .pingURL, .outputRTSPURL, .serverURL, .s3EndpointURL,
            .awsEndpointURL,
            .awsEndpointURLS3:
            .url
        default: .open
        }
    }

    /// Secrets, and URLs that may carry one, can be given as files.
    package var mayComeFromFile: Bool { secrecy != .open }

    /// Whether `name` is a setting or a setting's `_FILE`.
    static func isKnown(_ name: String) -> Bool {
        if SettingKey(rawValue: name) != nil { return true }
        guard name.hasSuffix("_FILE") else { return false }
        return SettingKey(rawValue: String(name.dropLast(5)))?.mayComeFromFile ?? false
    }

    /// The known name that `name` most likely was meant to be, if any is near.
    static func nearest(to name: String) -> String? {
        let upper = name.uppercased()
        let ranked = allCases.map { (distance: editDistance(upper, $0.rawValue), name: $0.rawValue) }
        guard let best = ranked.min(by: { $0.distance < $1.distance }) else { return nil }
        return best.distance <= max(2, best.name.utf8.count / 3) ? best.name : nil
    }
}

/// Levenshtein's distance in bytes.
private func editDistance(_ left: String, _ right: String) -> Int {
    let left = Array(left.utf8.prefix(64))
    let right = Array(right.utf8)
    var row = Array(0...right.count)
    for (i, a) in left.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for (j, b) in right.enumerated() {
            let substitution = diagonal + (a == b ? 0 : 1)
            diagonal = row[j + 1]
            row[j + 1] = min(substitution, row[j] + 1, row[j + 1] + 1)
        }
    }
    return row[right.count]
}

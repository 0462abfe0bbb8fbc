extension Failure {
    /// The code of a failure, e.g. `camera-timeout`, which scripts, the state, health and metrics use. Published codes
    /// never change. `docs/codes.md` is generated from these declarations.
    package enum Code: Hashable, Sendable {
        case own(Own)
        case camera(Camera)
        /// An error number of the Reolink API. `camera-error-6` has -6: the minus belongs to the number.
        case reolink(Int)
        case picture(Picture)
        case store(Store)
        case relay(Relay)
        /// A program or library that is not installed.
        case missing(String)
        /// A program that cannot be started.
        case notStarted(String)
        /// A code that another version wrote into the state; it is kept unchanged.
        case unknown(String)

        /// Failures of the program, its settings, its state and its spool.
        package enum Own: String, CaseIterable, Sendable {
            case usage, settings, state, killed, signals, gateway
            case stateOwner = "state-owner"
            case spoolFull = "spool-full"
            case spoolRead = "spool-read"
            case spoolRemove = "spool-remove"
        }

        package enum Camera: String, CaseIterable, Sendable {
            case unresolved = "camera-unresolved"
            case unreachable = "camera-unreachable"
            case timeout = "camera-timeout"
            case tls = "camera-tls"
            case keyChanged = "camera-key-changed"
            case pins = "camera-pins"
            case credentials = "camera-credentials"
            case insecureLogin = "camera-insecure-login"
            case login = "camera-login"
            case redirect = "camera-redirect"
            case status = "camera-status"
            case stream = "camera-stream"
            case transport = "camera-transport"
            case busy = "camera-busy"
            case format = "camera-format"
            case codec = "camera-codec"
            case silent = "camera-silent"
            case stalled = "camera-stalled"
            case lost = "camera-lost"
            case clock = "camera-clock"
            case invalid = "camera-invalid"
            case file = "camera-file"
        }

        /// What the camera sent instead of a valid picture.
        package enum Picture: String, CaseIterable, Sendable {
            case empty = "picture-empty"
            case cutShort = "picture-cut-short"
            case tooLarge = "picture-too-large"
            case stream = "picture-stream"
            case json = "picture-json"
            case html = "picture-html"
            case bad = "picture-bad"
        }

        package enum Store: String, CaseIterable, Sendable {
            case unresolved = "store-unresolved"
            case unreachable = "store-unreachable"
            case timeout = "store-timeout"
            case tls = "store-tls"
            case credentials = "store-credentials"
            case invalid = "store-invalid"
            case lost = "store-lost"
            case answer = "store-answer"
            case error = "store-error"
            case busy = "store-busy"
            case redirect = "store-redirect"
            case rejected = "store-rejected"
            case bucketMissing = "store-bucket-missing"
            case full = "store-full"
            case denied = "store-denied"
            case credentialProcess = "store-credential-process"
            case away = "store-away"
        }

        /// Failures of ffmpeg and of the video relay's outputs.
        package enum Relay: String, CaseIterable, Sendable {
            case ffmpegFailed = "ffmpeg-failed"
            case ffmpegKilled = "ffmpeg-killed"
            case ffmpegRestart = "ffmpeg-anew"
            case ffmpegFull = "ffmpeg-full"
            case ffmpegStuck = "ffmpeg-stuck"
            case pushUnreachable = "push-unreachable"
            case pushRefused = "push-refused"
            case pushRejected = "push-rejected"
            case pushLost = "push-lost"
            case pipeUnreachable = "pipe-unreachable"
            case pipeTLS = "pipe-tls"
            case pipeRefused = "pipe-refused"
            case pipeEnded = "pipe-ended"
            case pipeLost = "pipe-lost"
            case outputFolder = "output-folder"
            case outputCodec = "output-codec"
            case outputStuck = "output-stuck"
            case folderGone = "folder-gone"
            case folderAway = "folder-away"
            case folderHangs = "folder-hangs"
            case folderFull = "folder-full"
            case folderDenied = "folder-denied"
        }
    }
}

extension Failure.Code: RawRepresentable, JSONValue {
    package init(rawValue text: String) {
        if let code = Own(rawValue: text) {
            self = .own(code)
        } else if let code = Camera(rawValue: text) {
            self = .camera(code)
        } else if let code = Picture(rawValue: text) {
            self = .picture(code)
        } else if let code = Store(rawValue: text) {
            self = .store(code)
        } else if let code = Relay(rawValue: text) {
            self = .relay(code)
        } else if text.hasPrefix("camera-error"), let number = Int(text.dropFirst(12)), text == "camera-error\(number)"
        {
            self = .reolink(number)
        } else if text.hasPrefix("no-") {
            self = .missing(String(text.dropFirst(3)))
        } else if text.hasPrefix("start-") {
            self = .notStarted(String(text.dropFirst(6)))
        } else {
            self = .unknown(text)
        }
    }

    package var rawValue: String {
        switch self {
        case .own(let code): code.rawValue
        case .camera(let code): code.rawValue
        case .reolink(let number): "camera-error\(number)"
        case .picture(let code): code.rawValue
        case .store(let code): code.rawValue
        case .relay(let code): code.rawValue
        case .missing(let program): "no-\(program)"
        case .notStarted(let program): "start-\(program)"
        case .unknown(let text): text
        }
    }

    /// The part of the work that a failure with this code belongs to.
    package var kind: Failure.Kind {
        switch self {
        case .own(.usage): .usage
        case .own(.settings): .settings
        case .own(.spoolFull), .own(.spoolRead), .own(.spoolRemove): .spool
        case .own(.state), .own(.killed), .own(.signals), .own(.gateway), .own(.stateOwner): .state
        case .camera(.credentials), .camera(.keyChanged), .camera(.pins): .cameraRefused
        case .camera, .reolink, .picture, .missing, .notStarted: .camera
        case .store(.credentials), .store(.credentialProcess): .storeRefused
        case .store: .store
        case .relay(.outputFolder), .relay(.folderGone), .relay(.folderAway), .relay(.folderHangs),
            .relay(.folderFull), .relay(.folderDenied), .relay(.ffmpegFull), .relay(.ffmpegStuck):
            .state
        case .relay(.ffmpegFailed), .relay(.ffmpegKilled), .relay(.ffmpegRestart), .relay(.outputStuck): .camera
        case .relay: .store
        case .unknown: .state
        }
    }
}

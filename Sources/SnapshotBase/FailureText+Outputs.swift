extension Failure.Code.Store {
    package var meaning: String {
        switch self {
        case .unresolved: "The store's name does not resolve."
        case .unreachable: "There is no connection to the store."
        case .timeout: "The store took nothing for `UPLOAD_STALL`, or did not answer in time to a whole picture."
        case .tls: "No TLS connection with the store: its certificate isn't trusted, or a clock is wrong."
        case .credentials: "The store refuses the credentials, or an HTTP server doesn't allow them to write here."
        case .invalid: "No request can be made to the store: the URL, or a file that it needs, isn't valid."
        case .lost: "The connection to the store broke before it acknowledged the picture."
        case .answer: "The answer isn't one that this kind of store gives. It may come from a proxy or a sign-in page."
        case .error: "The store failed while it had the picture, e.g. with HTTP status 500."
        case .busy: "The store asks for fewer requests, e.g. with HTTP status 503."
        case .redirect: "The store redirects to another address. Redirects are never followed."
        case .rejected: "The store refuses this picture, e.g. for its size, or for a wrong clock."
        case .bucketMissing: "There is no such bucket."
        case .full: "The disk of `LOCAL_STORAGE_PATH` is full."
        case .away: "The disk of `LOCAL_STORAGE_PATH` isn't mounted, or a link in its path leads nowhere."
        case .credentialProcess: "`credential_process` gave no credentials. The error quotes its standard error."
        case .denied:
            "`LOCAL_STORAGE_PATH` can't be written; or the bucket's policy or a closed account forbids uploads (exit code 77)."
        }
    }

    package var remedy: String {
        switch self {
        case .unresolved, .unreachable: "Check the network, and `S3_ENDPOINT_URL` or `HTTP_UPLOAD_URL`."
        case .timeout: "Look at network and store; on slow connections smaller pictures help: `CAMERA_STREAM=sub`."
        case .tls: "For an authority of your own set `AWS_CA_BUNDLE` (S3) or `SSL_CERT_FILE`; check the clock."
        case .credentials: "`snapshot check` names the setting. Correct it: runs try changed settings at once."
        case .invalid: "Check `S3_ENDPOINT_URL` or `HTTP_UPLOAD_URL`."
        case .lost: "Nothing, unless it happens often: then look at the network and the store's log."
        case .answer: "Check `S3_ENDPOINT_URL` or `HTTP_UPLOAD_URL`, and for a proxy in the environment."
        case .error: "The store's log tells why."
        case .busy: "Nothing, unless it stays: then raise the store's limits or `CAPTURE_INTERVAL`."
        case .redirect: "Set `S3_ENDPOINT_URL` or `HTTP_UPLOAD_URL` to the final address."
        case .rejected: "The error holds the status, and S3's own words; `snapshot check` says what to look at."
        case .bucketMissing: "Create the bucket, or check `S3_BUCKET` and `S3_ENDPOINT_URL`."
        case .full: "Free some space, or set `LOCAL_STORAGE_MAX_BYTES`."
        case .away: "Mount the disk. If pictures are to go there without it: `snapshot check --accept-folder`."
        case .credentialProcess: "Run it as the service's user; under systemd see `docs/recipes/credentials.md`."
        case .denied:
            "Make the folder writable for the service's user, with `ReadWritePaths=` under systemd; or allow `s3:PutObject`."
        }
    }
}

extension Failure.Code.Relay {
    package var meaning: String {
        switch self {
        case .ffmpegFailed: "ffmpeg ended by itself before any video flowed. The error holds its last words."
        case .ffmpegKilled: "ffmpeg was killed by a signal that didn't come from the relay."
        case .ffmpegRestart: "The relay restarts ffmpeg for an output that had stalled, or can be written again."
        case .ffmpegFull: "ffmpeg broke off because an output's disk is full. The others go on without that output."
        case .ffmpegStuck: "ffmpeg hangs in the folder of an output, and was left behind."
        case .pushUnreachable: "There is no connection to the server of `OUTPUT_RTSP_URL`."
        case .pushRefused: "The server of `OUTPUT_RTSP_URL` refuses the login."
        case .pushRejected: "The server of `OUTPUT_RTSP_URL` refuses the stream."
        case .pushLost: "The connection to the server of `OUTPUT_RTSP_URL` broke."
        case .pipeUnreachable: "There is no connection to `SERVER_URL`."
        case .pipeTLS: "No TLS connection with `SERVER_URL`: its port speaks no TLS, or its certificate isn't trusted."
        case .pipeRefused: "The server refuses `HTTP_AUTH_TOKEN`, or the login in `SERVER_URL`."
        case .pipeEnded: "The server ended the request, which should go on without end."
        case .pipeLost: "The connection to `SERVER_URL` broke."
        case .outputFolder: "A folder below `OUTPUT_DIR` can't be made or written."
        case .outputCodec: "An output can't carry the camera's video codec: HLS, for example, can't carry MJPEG."
        case .outputStuck: "ffmpeg writes nothing more to an output, though video flows."
        case .folderGone: "The folder of an output is gone: a link in its path leads nowhere, or its disk fails."
        case .folderAway: "The disk of an output's folder isn't mounted. Nothing is written below its mount point."
        case .folderHangs: "The folder of an output doesn't answer. The other outputs go on."
        case .folderFull: "The disk of `OUTPUT_DIR` is full."
        case .folderDenied: "The folder of an output can't be written any more."
        }
    }

    package var remedy: String {
        switch self {
        case .ffmpegFailed: "`snapshot check` tries the camera alone."
        case .ffmpegKilled: "`journalctl -k` shows whether memory ran out."
        case .ffmpegRestart, .outputStuck:
            "If it happens often, look at the disk, and at what the relay logged just before."
        case .outputCodec: "Set the camera to H.264 or H.265, or choose another of its streams."
        case .pushUnreachable: "Check host and port of `OUTPUT_RTSP_URL`."
        case .pushRefused: "Check user and password in `OUTPUT_RTSP_URL`, then restart the relay."
        case .pushRejected: "Check the path of `OUTPUT_RTSP_URL`, and that the server takes pushes there."
        case .pushLost, .pipeLost: "If it happens often, look at the network and the server's log."
        case .pipeUnreachable: "Check `SERVER_URL`."
        case .pipeTLS: "Check the port; for an authority of your own set `SSL_CERT_FILE`."
        case .pipeRefused: "Check `HTTP_AUTH_TOKEN`, or the login in `SERVER_URL`, then restart the relay."
        case .pipeEnded: "The server's log says why; `SERVER_URL` has to accept an endless POST."
        case .outputFolder, .folderDenied: "Check `OUTPUT_DIR` and its rights; systemd needs `ReadWritePaths=` for it."
        case .folderGone: "Mount the disk, or create the folder that a link leads to. The relay goes on by itself."
        case .folderAway: "Mount the disk: the relay then goes on by itself. Or choose another `OUTPUT_DIR`."
        case .folderHangs, .ffmpegStuck: "Check that the folder's server or disk responds. The relay then goes on."
        case .folderFull, .ffmpegFull: "Free some space; `RECORD_MAX_BYTES` or `RECORD_MIN_FREE` bound the recordings."
        }
    }
}

extension Failure.Code.Store {
    /// Whether a failed attempt is usually retried within the same run, for `retry`; `StoreFailure.advice` decides.
    fileprivate var isRepeated: Bool {
        switch self {
        case .unresolved, .unreachable, .timeout, .lost, .error, .busy: true
        case .tls, .credentials, .invalid, .answer, .redirect, .rejected, .bucketMissing, .full, .denied, .away,
            .credentialProcess:
            false
        }
    }
}

extension Failure.Code {
    /// When the failed operation is tried again, for `docs/codes.md`.
    package var retry: String {
        switch self {
        case .own(.usage): "no"
        case .own(.signals), .relay(.outputFolder): "when the relay is started again; systemd starts it after 5 s"
        case .camera(.codec), .camera(.format), .camera(.stalled), .camera(.clock): Self.byRelay
        case .camera(.credentials): "after 10 min, then after longer waits, up to 6 h; at once with changed settings"
        case .store(.credentials):
            "after 10 min, then after longer waits, up to 6 h; at once with changed settings. Pictures are spooled"
        case .store(.credentialProcess):
            "after 1 min, then after longer waits, up to 10 min; at once with changed settings. Pictures are spooled"
        case .own, .camera, .reolink, .picture, .missing, .notStarted, .unknown: "at the next run"
        case .store(let code) where code.isRepeated:
            "within the run while `UPLOAD_DEADLINE` lasts, then from the spool at later runs"
        case .store(.denied):
            "from the spool at later runs; for a bucket after 10 min, then after longer waits, up to 6 h, or at once with "
                + "changed settings"
        case .store: "from the spool at later runs"
        case .relay(.pushRefused), .relay(.pipeRefused): "after 10 min, then after longer waits, up to 6 h"
        case .relay(.pushRejected): "every 10 s"
        case .relay(.pushUnreachable), .relay(.pushLost): "every second"
        case .relay(.outputCodec): "when the camera's video changes"
        case .relay: Self.byRelay
        }
    }

    private static let byRelay = "by the relay, after pauses of a minute at most"

    package var meaning: String {
        switch self {
        case .own(let code): code.meaning
        case .camera(let code): code.meaning
        case .reolink:
            "The Reolink camera answers with an error; the number is its `rspCode`, e.g. `camera-error-6` where that is -6."
        case .picture(let code): code.meaning
        case .store(let code): code.meaning
        case .relay(let code): code.meaning
        case .missing: "A program or library that is needed isn't installed, e.g. `no-ffmpeg`, `no-libcurl`."
        case .notStarted: "A program is installed but can't be started, e.g. `start-ffmpeg`."
        case .unknown: "Another version of this program wrote it."
        }
    }

    package var remedy: String {
        switch self {
        case .own(let code): code.remedy
        case .camera(let code): code.remedy
        case .reolink: "`snapshot check` has a hint; -5 (sessions taken) and -105 (too many logins) end by themselves."
        case .picture(let code): code.remedy
        case .store(let code): code.remedy
        case .relay(let code): code.remedy
        case .missing: "Install it, on Debian: `apt install ffmpeg` or `apt install libcurl4`."
        case .notStarted: "The error says why; look at the memory, and at limits on processes."
        case .unknown: "See that version's page of codes."
        }
    }
}

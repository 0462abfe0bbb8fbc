/// The meaning and the remedy of each code, in one or two sentences of Markdown. `docs/codes.md` contains these texts,
/// and a test compares the two.
extension Failure.Code.Own {
    package var meaning: String {
        switch self {
        case .usage: "The command line asks for something that the command doesn't know or allow."
        case .settings: "A setting is missing, contradicts another, or has a value that isn't allowed."
        case .state: "`STATE_PATH` can't be read or written, so the run could not record what it did."
        case .stateOwner: "The command was started by root and can't become the user who owns `STATE_PATH`."
        case .killed: "The previous run ended without recording how. Mostly the kernel killed it for lack of memory."
        case .signals: "The kernel refused the relay a descriptor, a process or a thread, so it did not start."
        case .gateway: "The gateway on loopback, through which ffmpeg reaches the camera, can't listen."
        case .spoolFull: "The picture could not be stored, and the spool had no room for it or could not be written."
        case .spoolRead: "The spool, or a picture in it, can't be read. The pictures stay where they are."
        case .spoolRemove: "A picture was stored but can't be removed from the spool. It will be sent again."
        }
    }

    package var remedy: String {
        switch self {
        case .usage: "See `--help` of the command."
        case .settings: "Run `snapshot check`: it names the setting, its file and line, and tries all others."
        case .state: "Free some space, or make `STATE_PATH` writable for the service's user."
        case .stateOwner: "Start it as the owner that `ls -ld` shows; if that is a number, `chown -R USER:` the folder."
        case .killed: "`journalctl -k` shows whether memory ran out; `MemoryMax=` is the most that a run may use."
        case .signals:
            "Look for limits on open files and tasks: `systemctl show -p LimitNOFILE -p TasksMax snapshot-relay`."
        case .gateway: "Look for a limit on open files, and whether the loopback interface is up."
        case .spoolFull: "Free some space, raise `SPOOL_MAX_BYTES`, or lower `SPOOL_MIN_FREE`."
        case .spoolRead, .spoolRemove:
            "Give the files in `STATE_PATH/spool` to the service's user; look for disk errors."
        }
    }
}

extension Failure.Code.Camera {
    package var meaning: String {
        switch self {
        case .unresolved: "The camera's name does not resolve."
        case .unreachable: "There is no connection to the camera."
        case .timeout: "The camera is there, but no whole picture came within `CAMERA_TIMEOUT`."
        case .tls: "No TLS connection with the camera: its port doesn't speak TLS, or its certificate isn't trusted."
        case .keyChanged: "The camera has another TLS key than the pinned one. Nothing was sent to it."
        case .pins: "The file with the pinned TLS keys can't be read. Without it no camera is trusted."
        case .credentials: "The camera refuses the user or the password, or has locked the login."
        case .insecureLogin: "The camera asks for the password in the clear, where that isn't allowed."
        case .login: "The camera's answer to the login isn't one of a Reolink camera."
        case .redirect: "The camera redirects to another address, which isn't followed."
        case .status:
            "The camera answers with an HTTP status that says it has no picture here, or the program of `exec:` failed."
        case .stream: "ffmpeg gets no video from the camera's stream, or the camera has no such stream."
        case .transport: "The camera's video doesn't come over the transport that `CAMERA_RTSP_TRANSPORT` asks for."
        case .busy:
            "The camera has no session left (RTSP status 453): somebody else is watching, or a session hasn't ended."
        case .format: "The size or encoding of the camera's video has changed. The relay restarts ffmpeg for it."
        case .codec: "None of the relay's outputs can carry the camera's video codec."
        case .silent: "The camera accepts the connection and doesn't answer."
        case .stalled: "The video stopped flowing for longer than `STALL_TIMEOUT`."
        case .lost: "The camera closed the connection, or what it sent isn't the protocol that was asked for."
        case .clock: "The camera's clock was set. The relay restarts ffmpeg, so that times are right again."
        case .invalid: "No request can be made to the camera: its address isn't valid."
        case .file: "`CAMERA_URL` names a file that can't be read as a picture, or a program that can't be run."
        }
    }

    package var remedy: String {
        switch self {
        case .unresolved: "Check `CAMERA_IP` or `CAMERA_URL`, or use the address instead of the name."
        case .unreachable: "Check that it is on, its address, and that its HTTP, HTTPS or RTSP port is enabled."
        case .timeout: "Choose `CAMERA_STREAM=sub`, or raise `CAMERA_TIMEOUT`."
        case .tls: "Most cameras sign their own certificate: `CAMERA_TLS_VERIFY=pin-first`."
        case .keyChanged:
            "If the camera was replaced or reset: `snapshot check --forget-pin`. If not, somebody may intercept the connection."
        case .pins: "Repair the file as the user who owns it, or start anew: `snapshot check --forget-pin`."
        case .credentials:
            "Correct `CAMERA_USERNAME` and `CAMERA_PASSWORD`; runs try them at once. If the relay runs, restart it."
        case .insecureLogin: "Switch Digest on in the camera, or use `https://` or `rtsps://`."
        case .login: "For other cameras use `CAMERA_URL`; or try `CAMERA_AUTH=password`."
        case .redirect: "Set `CAMERA_URL` to that address, or set `CAMERA_FOLLOW=same-host` or `CAMERA_USE_HTTPS=true`."
        case .status:
            "Check `CAMERA_URL`: a browser should show the picture there. Some Reolink cameras need `CAMERA_WIDTH` and "
                + "`CAMERA_HEIGHT`. What a program said last is in the error."
        case .stream: "Check `CAMERA_URL`, or `CAMERA_CHANNEL` and `STREAM_SOURCE`; VLC should show the same stream."
        case .transport:
            "Set `CAMERA_RTSP_TRANSPORT=auto`, and let UDP from the camera through this machine's firewall."
        case .busy: "Close other viewers of the camera. If it allows one viewer for each stream, choose another stream."
        case .format: "Nothing, unless it happens often: then look for what changes the camera's settings."
        case .codec: "Set the camera to H.264 or H.265, or choose another of its streams; `record` takes MJPEG, too."
        case .silent: "Restart the camera, and check that RTSP is switched on in it."
        case .stalled: "If it happens often, look at the camera's network, or raise `STALL_TIMEOUT`."
        case .lost: "If it happens often, look at the camera's network and power, and for other users of the camera."
        case .clock: "Nothing, unless it happens often: then give the camera a time server."
        case .invalid: "Check `CAMERA_IP` or `CAMERA_URL`."
        case .file: "Check the path, and that the service's user may read the file, or run the program."
        }
    }
}

extension Failure.Code.Picture {
    package var meaning: String {
        switch self {
        case .empty: "The camera sent no bytes."
        case .cutShort: "The picture ended before its announced length, or before its last marker."
        case .tooLarge: "The picture is larger than is accepted, or never ends."
        case .stream: "The address gives a stream without end, and no picture came in it."
        case .json: "The camera sent JSON instead of a picture."
        case .html: "The camera sent a web page instead of a picture."
        case .bad: "What the camera sent isn't a whole and sound JPEG."
        }
    }

    package var remedy: String {
        switch self {
        case .empty: "Some Reolink firmware sends nothing unless `CAMERA_WIDTH` and `CAMERA_HEIGHT` are set."
        case .cutShort: "If it happens often, look at the camera's network."
        case .tooLarge: "Raise `CAMERA_MAX_BYTES`, or choose a smaller stream: `CAMERA_STREAM=sub`."
        case .stream: "Give the address of the camera's still picture; for its video give `rtsp://…`."
        case .json, .bad: "`snapshot capture --verbose` shows what the camera sent."
        case .html: "`CAMERA_URL` must be the address of the picture itself; `--verbose` shows what the camera sent."
        }
    }
}

import SnapshotBase

/// Settings of the camera and of its requests.
extension Key {
    package static let cameraIP = Setting(
        "CAMERA_IP", .form("host, host:port or [IPv6]:port"), secrecy: .open, endsHoldOff: .camera,
        "The address of a Reolink camera, NVR or hub.")
    package static let cameraURL = Setting(
        "CAMERA_URL",
        .form("http://…, https://…, rtsp://…, rtsps://…, file:PATH, v4l2:/dev/… or exec:/PROGRAM ARGUMENTS…"),
        secrecy: .url, endsHoldOff: .camera,
        "The picture or stream of any other camera, instead of CAMERA_IP; exec: is a program that prints a JPEG.")
    package static let cameraUsername = Setting(
        "CAMERA_USERNAME", .text, default: "admin", secrecy: .open, endsHoldOff: .camera, "The user to log in as.")
    package static let cameraPassword = Setting(
        "CAMERA_PASSWORD", .text, default: "", secrecy: .secret, endsHoldOff: .camera,
        "The password of CAMERA_USERNAME.")
    package static let cameraUseHTTPS = Setting(
        "CAMERA_USE_HTTPS", .flag, default: false, endsHoldOff: .camera,
        "Whether to use HTTPS with a Reolink camera. With true, RTSP, which isn't encrypted, logs in by Digest only.")
    package static let cameraTLSVerify = Setting(
        "CAMERA_TLS_VERIFY", .form("off, ca, pin-first or sha256//BASE64"), default: "pin-first",
        secrecy: .open,
        "Which TLS key of the camera is trusted. off: any; ca: one whose certificate an authority has signed; "
            + "pin-first: the first one seen, and from then on only that; sha256//…: the one with this hash.")
    package static let cameraChannel = Setting(
        "CAMERA_CHANNEL", .number(0...255), default: 0, endsHoldOff: .camera, "The channel of an NVR or hub, from 0.")
    package static let cameraStream = Setting(
        "CAMERA_STREAM", .choice, default: CameraStream.main,
        "The stream whose picture a Reolink camera sends: main, or sub, which is smaller.")
    package static let cameraWidth = Setting(
        "CAMERA_WIDTH", .number(16...16384),
        "The width to ask a Reolink or `v4l2:` camera for; set CAMERA_HEIGHT, too.")
    package static let cameraHeight = Setting(
        "CAMERA_HEIGHT", .number(16...16384),
        "The height to ask a Reolink or `v4l2:` camera for; set CAMERA_WIDTH, too.")
    package static let cameraAuth = Setting(
        "CAMERA_AUTH", .choice, default: CameraAuth.auto, endsHoldOff: .camera,
        "How to log in to a Reolink camera: token gets a session, password goes into each request. auto begins with "
            + "token and remembers what worked.")
    package static let cameraName = Setting(
        "CAMERA_NAME", .freeForm("at most 64 bytes, without '/' and '..'"), default: "camera",
        secrecy: .open, "The camera's name in keys and metadata.")
    package static let cameraConnectTimeout = Setting(
        "CAMERA_CONNECT_TIMEOUT", .duration(.milliseconds(100)...(.seconds(300))), default: .seconds(5),
        "How long a connection to the camera may take.")
    package static let cameraTimeout = Setting(
        "CAMERA_TIMEOUT", .duration(.milliseconds(100)...(.seconds(600))), default: .seconds(15),
        "How long taking a picture may take in total.")
    package static let cameraMaxBytes = Setting(
        "CAMERA_MAX_BYTES", .size(1 << 16...(1 << 28)), default: 16 << 20, "The largest picture that is accepted.")
    package static let cameraFollow = Setting(
        "CAMERA_FOLLOW", .choice, default: CameraFollow.off,
        "Whether redirects of CAMERA_URL's picture are followed to the same host, port and scheme, five at most.")
    package static let cameraRTSPPort = Setting(
        "CAMERA_RTSP_PORT", .number(1...65535), default: 554, "The port of a Reolink camera's video.")
    package static let cameraRTSPTransport = Setting(
        "CAMERA_RTSP_TRANSPORT", .choice, default: CameraTransport.auto,
        "How video comes over rtsp://; auto is TCP, and UDP where the camera refuses that.")
    package static let cameraMAC = Setting(
        "CAMERA_MAC", .form("hardware address such as ec:71:db:01:02:03"),
        secrecy: .open,
        "The camera's hardware address, by which `snapshot check` finds it when its IP address has changed; `setup` notes it."
    )
    package static let captureInterval = Setting(
        "CAPTURE_INTERVAL", .duration(.seconds(1)...(.seconds(604_800))), default: .seconds(10),
        "How often a picture is taken; `snapshot schedule` sets the timer to it.")
    package static let frozenAfter = Setting(
        "FROZEN_AFTER", .number(0...1_000_000), default: 12,
        "How many equal pictures in a row mean a frozen camera; 0 is never.")

    static let camera = [
        cameraIP.declaration, cameraURL.declaration, cameraUsername.declaration, cameraPassword.declaration,
        cameraUseHTTPS.declaration, cameraTLSVerify.declaration, cameraChannel.declaration, cameraStream.declaration,
        cameraWidth.declaration, cameraHeight.declaration, cameraAuth.declaration, cameraName.declaration,
        cameraConnectTimeout.declaration, cameraTimeout.declaration, cameraRTSPPort.declaration,
        cameraRTSPTransport.declaration,
        cameraMaxBytes.declaration, cameraFollow.declaration, cameraMAC.declaration,
        captureInterval.declaration, frozenAfter.declaration,
    ]
}

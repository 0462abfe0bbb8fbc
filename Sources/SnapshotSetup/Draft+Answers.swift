import SnapshotBase
import SnapshotCamera
import SnapshotSettings

/// Turns answers into settings.
extension Draft {
    /// Sets the camera and clears what belonged to another one: HTTPS, hardware address, password.
    /// - Parameter address: the address of a Reolink, the URL of any other camera, or a device file.
    mutating func setCamera(_ address: String) throws(Failure) {
        let isDevice = address.hasPrefix("/dev/")
        let isURL = isDevice || address[...].range(of: "://") != nil || Self.schemes.contains { address.hasPrefix($0) }
        let (key, other) = isURL ? (Key.cameraURL, Key.cameraIP) : (Key.cameraIP, Key.cameraURL)
        let value = isDevice ? "v4l2:" + address : address
        guard let current = try? settings().value(key)?.text, current == value else {
            let old = self
            set(other, "")
            set(Key.cameraUseHTTPS, "")
            set(Key.cameraMAC, "")
            // A password is never sent to a camera that it wasn't given for.
            setSecret(Key.cameraPassword.declaration, "")
            do throws(Failure) {
                try set(key.declaration, value)
                _ = try CameraSettings(settings())
            } catch {
                self = old
                throw error
            }
            return
        }
    }

    /// The schemes of CAMERA_URL that aren't followed by `//`.
    private static let schemes = CameraKinds.all.flatMap { $0.forms }.filter { $0[...].range(of: "://") == nil }.map {
        $0.prefix { $0 != ":" } + ":"
    }

    mutating func setFolder(_ path: String) throws(Failure) {
        var path = path
        while path.utf8.count > 1, path.utf8.last == UInt8(ascii: "/") { path.removeLast() }
        guard path.hasPrefix("/") || !target.isSystem else {
            throw .settings("refused", path, why: "must be an absolute path, from / on")
        }
        set(Key.storageBackend, "filesystem")
        try set(Key.localStoragePath.declaration, path)
    }

    /// Sets the bucket.
    /// - Parameter text: `bucket`, `bucket/prefix` or `s3://bucket/prefix`.
    mutating func setBucket(_ text: String) throws(Failure) {
        let rest = text.hasPrefix("s3://") ? text.dropFirst(5) : text[...]
        let (bucket, prefix) = rest.cutAtFirst("/") ?? (rest, "")
        set(Key.storageBackend, "s3")
        try set(Key.s3Bucket.declaration, String(bucket))
        if !prefix.isEmpty { try set(Key.s3Prefix.declaration, prefix.hasSuffix("/") ? String(prefix) : prefix + "/") }
    }

    /// Sets the HTTP endpoint, and clears the token if it was given for another one.
    mutating func setUpload(_ url: String) throws(Failure) {
        if let current = try? settings().value(Key.httpUploadURL)?.text, current != url {
            setSecret(Key.httpAuthToken.declaration, "")
        }
        set(Key.storageBackend, "http")
        try set(Key.httpUploadURL.declaration, url)
    }

    /// Whether CAMERA_IP names the camera, a Reolink.
    var isReolink: Bool { ((try? settings().value(Key.cameraIP)?.text) ?? nil) != nil }

    /// The camera's address without secrets; nil where none is set.
    var cameraAddress: String? {
        guard let settings = try? settings() else { return nil }
        if let address = try? settings.value(Key.cameraIP)?.text { return address }
        return (try? settings.value(Key.cameraURL)?.text).flatMap { Key.cameraURL.declaration.shown($0) }
    }
}

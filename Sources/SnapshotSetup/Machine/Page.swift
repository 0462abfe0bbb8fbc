import SnapshotBase
import SnapshotCheck
import SnapshotDiscover
import SnapshotSettings

/// The status page: open to the network, or for this machine alone.
struct Page {
    let target: Target

    init(_ target: Target) { self.target = target }

    private static let folder = "/etc/systemd/system/snapshot-web.socket.d"
    private static let dropIn = folder + "/open-web.conf"
    /// Where the socket listens.
    private static let port = 8080

    /// Whether the drop-in or the setting that opens the page exists, be it written by setup or by hand.
    var isOpen: Bool {
        guard !target.isSystem else { return fileExists(Self.dropIn) }
        guard let settings = try? Settings(environment: [:], path: target.settingsPath) else { return false }
        return (try? settings[Key.healthCheckAddress]).map { !Self.isLoopback($0) } ?? false
    }

    var address: String {
        let host = Interface.all().first?.address.description ?? "127.0.0.1"
        return "http://\(host):\(Self.port)/"
    }

    /// Adds the files that open or close the page.
    /// - Parameter draft: gets the settings that captures need for it.
    /// - Returns: the password; nil where the page is closed.
    func put(_ isOpen: Bool, into files: inout FileSet, _ draft: inout Draft) throws(Failure) -> String? {
        draft.set(Key.webImages, isOpen ? "true" : "")
        guard target.isSystem else {
            let token = isOpen ? try token(in: draft.settings()) : nil
            draft.set(Key.healthCheckAddress, isOpen ? "0.0.0.0" : "")
            if let token { draft.setSecret(Key.webToken.declaration, token) }
            return token
        }
        let path = target.webSettingsPath
        var text = SettingsText((try? readFile(path, limit: 1 << 20)) ?? Array("# Settings of snapshot-web.\n".utf8))
        let token =
            isOpen
            ? try token(in: Settings(contents: text.bytes, of: path, secrets: [:], answers: [], in: draft.context))
            : nil
        text.set(Key.webImages.key, to: isOpen ? "true" : "")
        if let token { text.set(Key.webToken.key, to: token) }
        if isOpen || fileExists(path) {
            files.put(
                text.bytes, at: path, mode: 0o640, group: UserAccount(named: Owner.serviceName)?.group ?? 0,
                keepsOld: true)
        }
        let lines = Sandbox.heading + "[Socket]\nListenStream=\nListenStream=\(Self.port)\n"
        files.put(isOpen ? Array(lines.utf8) : nil, at: Self.dropIn)
        return token
    }

    /// The present password, if it is long enough; otherwise a new one.
    private func token(in settings: Settings) throws(Failure) -> String {
        if let current = try settings[Key.webToken], current.utf8.count >= 16 { return current }
        var generator = SystemRandomNumberGenerator()
        return hexadecimal((0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) })
    }

    private static func isLoopback(_ address: String) -> Bool {
        ["127.", "localhost", "::1", "[::1]"].contains { address.hasPrefix($0) }
    }

    /// Restarts the socket of `snapshot-web`, so that the next request starts it with the new settings.
    /// - Throws: where the page was to be closed and another drop-in keeps it open.
    func restart(_ systemd: Systemd, isOpen: Bool) throws(Failure) {
        guard target.hasSystemd else { return }
        try systemd.run("enable", "snapshot-web.socket")
        try systemd.run("stop", "snapshot-web.service")
        try systemd.run("restart", "snapshot-web.socket")
        guard !isOpen, let open = systemd.listening("snapshot-web.socket").first(where: { !Self.isLoopback($0) }) else {
            return
        }
        throw .settings(
            "cannot close the page at", open, why: "a drop-in of your own keeps snapshot-web.socket listening there",
            hint: "systemctl cat snapshot-web.socket; systemctl revert snapshot-web.socket   # removes your drop-ins")
    }
}

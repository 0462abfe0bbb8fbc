import SnapshotBase

/// Hardware addresses of hosts on the local network that this machine has communicated with recently (the ARP table).
package struct Neighbours {
    private let lines: [[Substring]]

    /// - Parameter root: of the file system that is examined.
    package init(root: String = "") {
        let text = (try? readFile(root + "/proc/net/arp", limit: 1 << 18)) ?? []
        lines = String(decoding: text, as: UTF8.self).split(separator: "\n").map { $0.split(separator: " ") }
    }

    /// The host's hardware address as `ec:71:db:00:00:01`; nil where it is unknown.
    package func mac(of address: IPv4Address) -> String? {
        let found = lines.first { $0.count > 3 && $0[0] == address.description }
        return found.flatMap { hardwareAddress($0[3]) }
    }
}

/// The cameras at this machine, such as USB cameras. A board's decoders and image processors are video devices, too,
/// and are left out.
func localCameras(root: String) -> [Device] {
    let folder = root + "/sys/class/video4linux"
    let names = (try? Folder(folder).names()) ?? []
    let numbers = names.compactMap { name in name.hasPrefix("video") ? Int(decimal: name.dropFirst(5)) : nil }
    return numbers.sorted().prefix(1024).compactMap { number in
        func read(_ file: String) -> String? {
            let bytes = try? readFile("\(folder)/video\(number)/\(file)", limit: 256)
            return bytes.flatMap { deviceText(String(decoding: $0, as: UTF8.self)) }
        }
        let name = read("name")
        // Of a camera's several devices, the first one provides the pictures.
        guard fileExists("\(root)/dev/video\(number)"), (read("index") ?? "0") == "0" else { return nil }
        let notCameras = ["codec", "-isp", "pispbe", "rpivid", "hevc", "unicam", "rp1-cfe"]
        if let name, notCameras.contains(where: { name[...].range(of: $0) != nil }) { return nil }
        return Device(.v4l2, path: "/dev/video\(number)", name: name)
    }
}

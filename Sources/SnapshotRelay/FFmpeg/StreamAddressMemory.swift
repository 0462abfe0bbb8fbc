import Glibc
import SnapshotBase

/// The address that worked last: `STATE_PATH/rtsp`, mode 0600, with a line for the candidates and one for the address.
struct StreamAddressMemory {
    private let path: String
    /// Which camera the address belongs to (`RelayPlan.cameraIdentity`).
    private let camera: String
    private var known: String?

    init(statePath: String, camera: String) {
        path = statePath + "/rtsp"
        self.camera = camera
        let lines = (try? readFile(path, limit: 8192)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        let parts = lines.split(separator: "\n")
        known = parts.count == 2 && parts[0] == camera ? String(parts[1]) : nil
    }

    /// The candidates, with the one that worked last first.
    func ordered(_ candidates: [String]) -> [String] {
        guard let known, candidates.contains(known) else { return candidates }
        return [known] + candidates.filter { $0 != known }
    }

    /// Stores the address. An error is ignored: the next start then tries all candidates in order.
    mutating func remember(_ address: String) {
        guard address != known else { return }
        known = address
        try? writeDurably([Array("\(camera)\n\(address)\n".utf8)], to: path, temporary: path + ".new", mode: 0o600)
    }
}

import SnapshotBase
import SnapshotState

/// Checks the board's temperature and supply voltage.
struct BoardCheck {
    let board: Board

    func finding() -> Finding {
        let words = [board.heatText, board.supplyText].compactMap(\.self).joined(separator: ", ")
        guard !words.isEmpty else { return .skipped("board", "no sensor reports its temperature") }
        var finding: Finding
        if board.supply == .low || board.supply == .wasLow {
            finding = .remark(
                "board", words,
                hint: "use a power supply and a cable made for this board: low voltage stops cameras and harms cards")
        } else if board.isHot || board.isSlowed {
            finding = .remark("board", words, hint: "give the board air or a heat sink: it slows down when it is hot")
        } else {
            finding = .passed("board", words)
        }
        if let celsius = board.celsius { finding.facts["temperature_celsius"] = celsius.json }
        if let supply = board.supply { finding.facts["undervoltage"] = .bool(supply != .steady) }
        return finding
    }
}

extension Board {
    /// `48.3 °C (cpu-thermal)`
    fileprivate var heatText: String? {
        guard let celsius else { return isSlowed ? "slowed down" : nil }
        let tenths = Int((celsius * 10).rounded())
        let sign = tenths < 0 ? "-" : ""
        let sensor = zone.map { " (\($0.printable(limit: 32)))" } ?? ""
        return "\(sign)\(tenths.magnitude / 10).\(tenths.magnitude % 10) °C\(sensor)"
            + (isSlowed ? ", slowed down" : "")
    }

    fileprivate var supplyText: String? {
        switch supply {
        case .low: "the power supply's voltage is too low"
        case .wasLow: "the power supply's voltage was too low for a while"
        case .steady: "the power supply is steady"
        case nil: nil
        }
    }
}

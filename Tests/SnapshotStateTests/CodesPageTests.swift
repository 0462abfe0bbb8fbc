import Foundation
import SnapshotBase
import SnapshotState
import Testing

/// `docs/codes.md` is what the code declares. UPDATE_DOCS=1 in the environment writes it anew.
@Suite struct CodesPageTests {
    private let path = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../docs/codes.md").standardizedFileURL

    @Test func thePageHoldsWhatIsDeclared() throws {
        if ProcessInfo.processInfo.environment["UPDATE_DOCS"] == "1" {
            try FileManager.default.createDirectory(
                at: path.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(page.utf8).write(to: path)
        }
        #expect(try String(contentsOf: path, encoding: .utf8) == page)
    }

    @Test func everythingIsExplainedInSentences() {
        let texts =
            sections.flatMap(\.codes).flatMap { [$0.meaning, $0.remedy] }
            + Health.Reason.allCases.flatMap { [$0.meaning, $0.remedy] }
        for text in texts {
            #expect(text.hasSuffix(".") && text.filter { $0 == "`" }.count.isMultiple(of: 2), "\(text)")
            #expect(!text.contains("|") && !text.contains("\n"), "\(text)")
        }
    }

    private var sections: [(title: String, codes: [Failure.Code])] {
        typealias Code = Failure.Code
        return [
            ("The program, its settings, state and spool", Code.Own.allCases.map(Code.own)),
            ("The camera", Code.Camera.allCases.map(Code.camera) + [.reolink(-6)]),
            ("The picture", Code.Picture.allCases.map(Code.picture)),
            ("The store", Code.Store.allCases.map(Code.store)),
            (relay, Code.Relay.allCases.map(Code.relay)),
            ("Other programs", [.missing("PROGRAM"), .notStarted("PROGRAM")]),
        ]
    }

    private static func head(_ columns: [String]) -> [String] {
        let columns = columns + ["what to do", "tried again"]
        return ["| \(columns.joined(separator: " | ")) |", "|" + String(repeating: " --- |", count: columns.count)]
    }

    private static func name(_ code: Failure.Code) -> String {
        if case .reolink = code { "camera-errorNUMBER" } else { code.rawValue }
    }

    private static func exit(_ code: Failure.Code) -> String {
        if code == .own(.killed) || code.retry.hasPrefix("by the relay") { return "–" }
        let own = Failure(code, "", why: "").exitCode
        if case .missing = code { return "\(own), or 75 where the store needs it" }
        if case .notStarted = code { return "\(own), or 75 where the store needs it" }
        return "\(own)"
    }

    private let relay = "The video relay"

    private var page: String {
        var lines = [
            "# Codes", "",
            "What `snapshot` calls its failures and the reasons of its health, and what to do about them. The codes stand in",
            "`snapshot capture --json` (`code`), in `snapshot health --json` (`last_error`, `reasons`), in the state and on",
            "the status page. They never change. An unknown code comes from another version.", "",
            "Exit codes: 0 all is well, or another run holds the lock; 64 usage; 69 no picture from the camera; 74 state or",
            "spool can't be used; 75 the store, or something else that is needed, can't be used now; 77 credentials refused, or",
            "a camera that can't be trusted; 78 settings; 127 libcrypto is missing. With 75 and 77 a picture that was taken waits",
            "in the spool. Where the exit code is –, no run ends with it: a killed run ends by its signal, and the relay goes",
            "on. Of the codes of the video relay only `output-folder` ends it, at its start. The relay also reports codes of",
            "the camera; it doesn't exit then, but tries again by itself. `snapshot health` and `snapshot-web` have further",
            "exit codes: see their `--help`.",
            "", "## Reasons of health", "",
            "| reason | status | what it means | what to do |", "| --- | --- | --- | --- |",
        ]
        for reason in Health.Reason.allCases {
            lines.append("| `\(reason.rawValue)` | \(reason.status.rawValue) | \(reason.meaning) | \(reason.remedy) |")
        }
        for (title, codes) in sections {
            lines += ["", "## \(title)", ""]
            lines +=
                title == relay ? Self.head(["code", "what it means"]) : Self.head(["code", "exit", "what it means"])
            for code in codes {
                let exit = title == relay ? "" : " \(Self.exit(code)) |"
                lines.append("| `\(Self.name(code))` |\(exit) \(code.meaning) | \(code.remedy) | \(code.retry) |")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

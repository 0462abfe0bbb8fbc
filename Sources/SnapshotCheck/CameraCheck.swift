import SnapshotBase
import SnapshotCamera
import SnapshotHTTP
import SnapshotSettings

/// Checks the camera by taking one picture. The camera memory of captures is read and never written, and sessions that
/// are opened here are closed, so captures aren't disturbed.
struct CameraCheck: Sendable {
    struct Result: Sendable {
        var findings: [Finding] = []
        /// The camera's clock minus ours, in milliseconds.
        var clockOffset: Int64?
        /// Whether the camera accepted the credentials and gave a good picture; only then its video is checked.
        var isAccepted = false
    }

    let settings: CameraSettings
    let statePath: String
    let log: Log

    /// The check uses CAMERA_TIMEOUT, but no more than this, so that it ends in time as a whole.
    static let longest = Duration.seconds(11)

    func run() -> Result {
        var settings = settings
        var memory = (CameraMemory(reading: statePath) ?? CameraMemory()).belonging(to: settings.identity)
        settings.timeout = min(settings.timeout, Self.longest)
        let trust = CameraTrust(settings, statePath: statePath)
        var result: Result
        switch settings.kind.trial {
        case .reolink(let host):
            var check = ReolinkCheck(settings: settings, host: host, trust: trust, log: log, memory: memory)
            result = check.run()
        case .picture: result = picture(settings, trust, &memory)
        }
        result.findings = result.findings.map(namingOwnLimit)
        if let key = KeyCheck(settings: settings, trust: trust).finding(result) { result.findings.append(key) }
        return result
    }

    /// Checks a camera of which only the picture can be requested.
    private func picture(_ settings: CameraSettings, _ trust: CameraTrust, _ memory: inout CameraMemory) -> Result {
        var result = Result()
        var camera = makeCamera(settings, client: HTTPClient(settings.context), trust: trust, log: log)
        let watch = settings.context.clock.stopwatch()
        do throws(Failure) {
            let body = try camera.snapshot(memory: &memory, deadline: .after(settings.timeout))
            let picture = try Finding.picture(body, settings, by: watch, log)
            result.findings = [.passed("camera", "\(settings.address) is \(settings.kind.name)"), picture]
            result.isAccepted = true
        } catch {
            result.findings = [.failed("camera", error)]
        }
        return result
    }

    /// The finding, worded for this check's own limit where that was shorter than CAMERA_TIMEOUT.
    private func namingOwnLimit(_ finding: Finding) -> Finding {
        guard finding.code == .camera(.timeout), settings.timeout > Self.longest else { return finding }
        var finding = finding
        finding.text =
            "no picture from camera \(settings.address): nothing came within \(Self.longest.settingText), the limit of "
            + "`snapshot check` (CAMERA_TIMEOUT is \(settings.timeout.settingText))"
        finding.hint = "snapshot capture   # waits for the whole CAMERA_TIMEOUT"
        return finding
    }
}

extension Finding {
    /// The finding for a body that should be a picture.
    static func picture(
        _ body: [UInt8], _ settings: CameraSettings, by watch: Stopwatch, _ log: Log
    ) throws(Failure) -> Finding {
        let took = watch.elapsed
        do throws(JPEG.Flaw) {
            let picture = try Picture(checking: body)
            return .passed(
                "picture", "\(picture.width)×\(picture.height), \(sizeText(body.count)), in \(secondsText(took))",
                facts: [
                    "width": .integer(picture.width), "height": .integer(picture.height), "bytes": .integer(body.count),
                    "milliseconds": .integer(took.milliseconds),
                ])
        } catch {
            log.verbose("refused body begins: \(escapedStart(of: body))")
            throw .badPicture(error, settings)
        }
    }
}

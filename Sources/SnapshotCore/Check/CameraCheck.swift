import SnapshotBase

/// One picture from the camera, and what can be learned on the way. What captures remember of the camera is read and
/// never written, and a session that is opened here is closed again: captures don't notice.
struct CameraCheck: Sendable {
    struct Result: Sendable {
        var findings: [Finding] = []
        /// The camera's clock minus ours, in milliseconds.
        var clockOffset: Int64?
        /// Whether its video is worth asking for: it answered, and took the credentials.
        var isOpen = false
    }

    let settings: CameraSettings
    let statePath: String
    let log: Log

    /// However long CAMERA_TIMEOUT is, the whole check ends in time.
    static let longest = Duration.seconds(11)

    func run() -> Result {
        var settings = settings
        var memory = (CameraMemory(reading: statePath) ?? CameraMemory()).belonging(to: settings.place)
        let pinned = memory.pin
        settings.timeout = min(settings.timeout, Self.longest)
        if settings.verification == .off {
            // Like the first time under pin-first: anybody is trusted, and the key is learned, to be shown.
            (settings.verification, memory.pin) = (.pinFirst, nil)
        }
        var result: Result
        if case .reolink(let host) = settings.source {
            var check = ReolinkCheck(settings: settings, host: host, client: HTTPClient(), log: log, memory: memory)
            result = check.run()
            memory = check.memory
        } else {
            result = still(settings, &memory)
        }
        result.findings = result.findings.map(told)
        if let key = key(seen: memory.pin, pinned: pinned, result) { result.findings.append(key) }
        return result
    }

    /// A camera that has nothing to ask for but the picture.
    private func still(_ settings: CameraSettings, _ memory: inout CameraMemory) -> Result {
        var result = Result()
        var camera = makeCamera(settings, client: HTTPClient(), log: log)
        let started = Uptime.now()
        do throws(Failure) {
            let body = try camera.snapshot(memory: &memory, deadline: .after(settings.timeout))
            result.findings = [try .picture(body, settings, since: started, log)]
            result.isOpen = true
        } catch {
            result.findings = [.failed("camera", error)]
        }
        return result
    }

    /// A time limit that is the check's own isn't told as the settings'.
    private func told(_ finding: Finding) -> Finding {
        guard finding.code == "camera-timeout", settings.timeout > Self.longest else { return finding }
        var finding = finding
        finding.text =
            "no picture from camera \(settings.address): nothing came within the \(Self.longest.settingText) that check "
            + "allows (CAMERA_TIMEOUT is \(settings.timeout.settingText))"
        finding.hint = "snapshot capture"
        return finding
    }

    // MARK: TLS

    private var isTLS: Bool {
        switch settings.source {
        case .reolink: settings.useHTTPS
        case .http(let url): url.lowercased().hasPrefix("https:")
        default: false
        }
    }

    private func key(seen: String?, pinned: String?, _ result: Result) -> Finding? {
        guard isTLS else { return nil }
        if result.findings.contains(where: { $0.code == "camera-key-changed" }) { return otherKey() }
        switch settings.verification {
        case .pin(let pin):
            return result.isOpen
                ? .passed("TLS key", "\(pin), as CAMERA_TLS_VERIFY has it", facts: ["pin": .string(pin)]) : nil
        case .authorities: return result.isOpen ? .passed("TLS key", "vouched for by a certificate authority") : nil
        case .off:
            return seen.map {
                .passed("TLS key", "\($0), not verified", hint: "CAMERA_TLS_VERIFY=\($0)", facts: ["pin": .string($0)])
            }
        case .pinFirst:
            return seen.map {
                .passed(
                    "TLS key",
                    pinned == nil ? "\($0), seen for the first time: the first capture pins it" : "\($0), pinned",
                    facts: ["pin": .string($0)])
            }
        }
    }

    /// Which key it has instead, asked without credentials.
    private func otherKey() -> Finding? {
        let address: String
        switch settings.source {
        case .reolink(let host): address = "https://\(host)/"
        case .http(let url): address = url
        default: return nil
        }
        var request = HTTPRequest("HEAD", address, deadline: .after(.seconds(2)))
        (request.trust, request.usesProxy) = (.anybody, false)
        guard let pin = (try? HTTPClient().perform(request))?.pin else { return nil }
        let hint =
            settings.verification == .pinFirst
            ? "rm \(statePath)/\(CameraMemory.fileName)   # only if the camera was replaced or reset"
            : "CAMERA_TLS_VERIFY=\(pin)   # only if the camera was replaced or reset"
        var finding = Finding.remark("TLS key", "\(pin), which isn't the one that is pinned", hint: hint)
        finding.facts["pin"] = .string(pin)
        return finding
    }
}

extension Finding {
    /// The line for a body that should be a picture.
    static func picture(
        _ body: [UInt8], _ settings: CameraSettings, since started: Uptime, _ log: Log
    ) throws(Failure) -> Finding {
        let took = Uptime.now() - started
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

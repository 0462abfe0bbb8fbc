import SnapshotBase

extension HealthReport {
    /// The metrics in Prometheus's text format, version 0.0.4.
    /// - Parameter board: the figures of the machine that the program runs on.
    package func prometheus(board: Board) -> TerminalText {
        var text: TerminalText = ""
        func family(
            _ name: String, _ type: String, _ help: String, _ value: (Health) -> Double?
        ) {
            let samples = cameras.entries.compactMap { key, health in
                value(health).map { (self.name(key, health), $0) }
            }
            guard !samples.isEmpty else { return }
            text += "# HELP snapshot_\(name) \(help)\n# TYPE snapshot_\(name) \(type)\n"
            for (camera, number) in samples {
                text += "snapshot_\(name){camera=\"\(escaped(camera))\"} \(plain(number))\n"
            }
        }
        family("captures_total", "counter", "Pictures captured.") { Double($0.totalCaptures) }
        family("uploads_total", "counter", "Pictures acknowledged by the store.") { Double($0.totalUploads) }
        family("failed_uploads_total", "counter", "Pictures whose own run could not upload them.") {
            Double($0.failedUploads)
        }
        family("capture_failures_total", "counter", "Runs without a good picture.") {
            Double($0.captureFailures)
        }
        family("consecutive_failures", "gauge", "Runs in a row that stored nothing.") {
            Double($0.consecutiveFailures)
        }
        family("age_seconds", "gauge", "Seconds since the last stored picture.") {
            $0.ageSeconds.map(Double.init)
        }
        family("interval_seconds", "gauge", "Seconds between captures.") { $0.intervalSeconds }
        family("uptime_seconds", "gauge", "Seconds since the first run of this boot.") {
            Double($0.uptimeSeconds)
        }
        family("spool_pictures", "gauge", "Pictures waiting in the spool.") { Double($0.spool.count) }
        family("spool_bytes", "gauge", "Bytes waiting in the spool.") { Double($0.spool.bytes) }
        family("spool_dropped_total", "counter", "Pictures dropped from the spool.") {
            Double($0.spool.dropped)
        }
        appendTraffic(family)
        family("clock_synced", "gauge", "1 unless there is a sign that the clock is wrong.") {
            $0.clock.synced ? 1 : 0
        }
        family("clock_offset_seconds", "gauge", "The store's clock minus ours.") {
            Double($0.clock.offsetSeconds)
        }
        family("credentials_end_timestamp_seconds", "gauge", "When the store's temporary credentials end, Unix time.") {
            $0.credentials?.endSeconds
        }
        family("health_status", "gauge", "0 healthy, 1 degraded, 2 unhealthy.") {
            $0.status == .healthy ? 0 : $0.status == .degraded ? 1 : 2
        }
        appendRelay(family)
        append(board, to: &text)
        text += relayOutputs
        return text
    }

    private func appendTraffic(_ family: (String, String, String, (Health) -> Double?) -> Void) {
        family("sent_bytes_total", "counter", "Bytes sent to stores, with TLS, TCP and IP.") {
            $0.traffic.map { Double($0.sent) }
        }
        family("received_bytes_total", "counter", "Bytes received from stores, with TLS, TCP and IP.") {
            $0.traffic.map { Double($0.received) }
        }
        family("camera_sent_bytes_total", "counter", "Bytes sent to the camera, with TLS, TCP and IP.") {
            $0.traffic.map { Double($0.cameraSent) }
        }
        family("camera_received_bytes_total", "counter", "Bytes received from the camera, with TLS, TCP and IP.") {
            $0.traffic.map { Double($0.cameraReceived) }
        }
    }

    private func appendRelay(_ family: (String, String, String, (Health) -> Double?) -> Void) {
        family("relay_running", "gauge", "1 while the relay's media flows.") {
            $0.relay.map { $0.state == "running" ? 1 : 0 }
        }
        family("relay_restarts_total", "counter", "Attempts of the relay that have ended without a stop.") {
            $0.relay.map { Double($0.restarts) }
        }
        family(
            "relay_credentials_end_timestamp_seconds", "gauge",
            "When the temporary credentials of the relay's uploads end, Unix time."
        ) { $0.relay?.credentials?.endSeconds }
    }

    private func append(_ board: Board, to text: inout TerminalText) {
        func gauge(_ name: String, _ help: String, _ value: Double?) {
            guard let value else { return }
            text += "# HELP snapshot_\(name) \(help)\n# TYPE snapshot_\(name) gauge\nsnapshot_\(name) \(plain(value))\n"
        }
        gauge("board_temperature_celsius", "The board's hottest thermal zone.", board.celsius)
        gauge(
            "board_undervoltage", "1 if the supply's voltage is or was too low.",
            board.supply.map { $0 == .steady ? 0 : 1 })
    }

    private var relayOutputs: TerminalText {
        let outputs = cameras.entries.flatMap { key, health in
            (health.relay?.modes ?? []).map { (name(key, health), $0, health.relay?.isUp($0) == true) }
        }
        guard !outputs.isEmpty else { return "" }
        var text: TerminalText = "# HELP snapshot_relay_output_up 1 while the relay's video flows to this output.\n"
        text += "# TYPE snapshot_relay_output_up gauge\n"
        for (camera, output, isUp) in outputs {
            let labels = "camera=\"\(escaped(camera))\",output=\"\(escaped(output))\""
            text += "snapshot_relay_output_up{\(labels)} \(isUp ? 1 : 0)\n"
        }
        return text
    }
}

private func escaped(_ label: String) -> String {
    // Iterate over scalars: Swift combines a quote and a following accent into one Character.
    label.printable(limit: 128).unicodeScalars.reduce(into: "") { text, scalar in
        switch scalar {
        case "\\": text += "\\\\"
        case "\"": text += "\\\""
        default: text.unicodeScalars.append(scalar)
        }
    }
}

private func plain(_ number: Double) -> String {
    number == number.rounded() && abs(number) < 1e15 ? String(Int(number)) : String(number)
}

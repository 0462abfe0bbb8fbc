import Glibc
import SnapshotBase
import SnapshotState

/// The figures below the charts. Each has a name, a value and a remark.
struct Facts {
    let health: Health
    let newest: Record?
    let disk: Disk?
    let now: Now
    /// The figure about this machine; nil on a page of several cameras, which shows it once below all of them.
    var host: HTML?

    var html: HTML {
        // Before the first run the other figures have nothing to show.
        let known =
            newest == nil
            ? [relay, room, host]
            : [failing] + work + [captures, uploads, spool, traffic, clock, credentials, relay, picture, room, host]
        return "<dl class=\"facts\">\(known.compactMap { $0 })</dl>"
    }

    private func age(_ moment: Moment) -> String {
        inWords(Int(min(now.age(of: moment, recordBoot: newest?.boot ?? now.boot), 1e12)))
    }

    private var work: [HTML?] {
        health.workInWords.map { name, value, remark in
            // A folder's path may be long; the style makes it smaller.
            fact(name, value.count > 24 ? "<span class=\"long\">\(value)</span>" : "\(value)", "\(remark)")
        }
    }

    private var failing: HTML? {
        guard health.consecutiveFailures > 0 else { return nil }
        return fact(
            "Stored nothing", "\(counted(health.consecutiveFailures, "run")) in a row",
            "\(health.lastErrorInWords ?? "")")
    }

    private var captures: HTML {
        fact(
            "Captures", "\(grouped(health.totalCaptures))",
            "\(counted(health.captureFailures, "run")) without a picture")
    }

    private var uploads: HTML {
        let late = health.failedUploads
        return fact(
            "Uploads", "\(grouped(health.totalUploads))",
            late > 0 ? "\(grouped(late)) not stored by the run that took them" : "")
    }

    private var spool: HTML {
        let spool = health.spool
        var remarks = spool.count > 0 ? [sizeText(spool.bytes)] : []
        if spool.count > 0, let oldest = spool.oldest { remarks.append("oldest \(age(oldest))") }
        if spool.dropped > 0 { remarks.append("\(grouped(spool.dropped)) dropped in total") }
        return fact(
            "Spool", "\(spool.count > 0 ? "\(grouped(spool.count)) waiting" : "Empty")",
            "\(remarks.joined(separator: ", "))")
    }

    /// How much data went over the network; nil where none did.
    private var traffic: HTML? {
        guard let traffic = health.traffic, let words = traffic.inWords, let today = traffic.days.last else {
            return nil
        }
        return fact("Traffic", "\(sizeText(today.sent)) sent", "\(words)")
    }

    private var clock: HTML {
        fact("Clock", health.clock.synced ? "In sync" : "Not in sync", "\(health.clock.offsetInWords)")
    }

    private var credentials: HTML? { health.credentials.map { fact("Credentials", "Temporary", "\($0.inWords)") } }

    private var relay: HTML? {
        guard let relay = health.relay else { return nil }
        func age(_ moment: Moment) -> Double { min(now.age(of: moment, recordBoot: relay.boot), 1e12) }
        guard relay.state != "silent" else {
            return fact("Relay", "Silent", "no report for \(inWords(Int(age(relay.updated))))")
        }
        let isFlowing = relay.state == "running"
        var remarks = [relay.modes.map { $0.printable(limit: 16) }.joined(separator: ", ")]
        if isFlowing, let since = relay.flowingSince { remarks.append("for \(inWords(Int(age(since))))") }
        if relay.restarts > 0 { remarks.append(counted(relay.restarts, "restart")) }
        if !isFlowing, let error = relay.lastError { remarks.append(error.printable(limit: 64)) }
        for (output, code) in (relay.failing ?? [:]).sorted(by: { $0.key < $1.key }) {
            remarks.append("\(output.printable(limit: 16)) fails: \(code.printable(limit: 64))")
        }
        if let credentials = relay.credentials { remarks.append("temporary credentials \(credentials.inWords)") }
        return fact(
            "Relay", isFlowing ? "Live" : "\(relay.state.printable(limit: 32).sentence)",
            "\(remarks.joined(separator: ", "))")
    }

    private var picture: HTML? {
        guard let outcome = newest?.outcome, let bytes = outcome.bytes else { return nil }
        let dimensions = outcome.width.flatMap { width in outcome.height.map { "\(width) × \($0)" } }
        return fact(
            "Picture", "\(dimensions ?? sizeText(bytes))",
            "\(dimensions == nil ? "" : sizeText(bytes))")
    }

    private var room: HTML? {
        guard let disk else { return nil }
        let used = 100 - disk.free / max(disk.total, 1) * 100
        return fact(
            "Disk", "\(sizeText(Int(bounded: disk.free))) free",
            """
            of \(sizeText(Int(bounded: disk.total)))<svg class="meter" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">\
            <rect class="gap" width="100" height="4"/><rect class="captures" width="\(used)" height="4"/></svg>
            """)
    }
}

/// The size of the file system that holds the state, and what an unprivileged user may still use of it, in bytes.
struct Disk {
    let free: Double
    let total: Double

    init?(holding path: String) {
        var facts = statvfs()
        guard statvfs(path, &facts) == 0, facts.f_blocks > 0 else { return nil }
        free = Double(facts.f_bavail) * Double(facts.f_frsize)
        total = Double(facts.f_blocks) * Double(facts.f_frsize)
    }
}

extension Board {
    /// The machine's name, temperature and power supply, as far as they are known.
    var figure: HTML {
        var remarks: [String] = []
        if let celsius { remarks.append("\(Int(celsius.rounded())) °C") }
        if isSlowed { remarks.append("slowed down") }
        switch supply {
        case .low: remarks.append("the power supply's voltage is too low")
        case .wasLow: remarks.append("the power supply's voltage was too low")
        case .steady: remarks.append("the power supply is steady")
        case nil: break
        }
        let name = HostName.machineName().printable(limit: 64)
        return fact("Host", "\(name)", "\(remarks.joined(separator: ", "))")
    }
}

private func fact(_ name: String, _ value: HTML, _ remark: HTML = "") -> HTML {
    "<div class=\"card\"><dt>\(name)</dt><dd><strong>\(value)</strong> <span>\(remark)</span></dd></div>"
}

import SnapshotState

extension Health.Reason {
    /// What a person can do about it.
    var advice: HTML {
        switch self {
        case .neverCaptured:
            "<code>snapshot check</code> tries camera and store once; <code>systemctl enable --now snapshot.timer</code> begins."
        case .noCapture:
            "<code>snapshot check</code> says what fails; <code>systemctl list-timers snapshot.timer</code> whether it is due."
        case .cameraCredentials:
            "Correct CAMERA_USERNAME and CAMERA_PASSWORD; the next run tries them at once. If it was the camera that was corrected, <code>snapshot check</code> ends the wait."
        case .storeCredentials:
            "Correct the store’s credentials; the next run tries them at once. Pictures are kept meanwhile."
        case .stateUnreadable:
            "The next capture moves a damaged file aside. If it is a matter of permissions, the next capture shares it with user snapshot-web; a STATE_PATH elsewhere than under /var/lib/snapshot also needs <code>chmod o+rx</code>."
        case .stale: "Nothing newer has reached the store: <code>snapshot check</code> says why."
        case .spooling: "They are sent when the store answers again; <code>snapshot drain</code> does it now."
        case .frozen: "The camera keeps sending the same picture; restarting it usually helps."
        case .covered: "Have a look at the lens."
        case .clockUnsynced: "<code>timedatectl</code> shows whether the time is synchronized."
        case .dropped:
            "The spool was full: a larger SPOOL_MAX_BYTES, or more room on the disk, bridges longer outages."
        case .stateReset: "Counters began at zero; the old file is kept as <code>state.jsonl.bad</code>."
        }
    }
}

/// What to do where a picture or video is there and can't be read.
enum Unreadable {
    static let advice =
        "Capture and relay share what they write while WEB_IMAGES=true stands in their own settings, too "
        + "(snapshot.env or NAME.env); an OUTPUT_DIR elsewhere than under /var/lib/snapshot may also need chmod o+x on the "
        + "folders that lead to it."
}

extension Health.Status {
    var word: String { rawValue.sentence }

    /// A sign that needs no colour: a tick, an exclamation mark, a cross.
    var sign: HTML {
        let path: HTML =
            switch self {
            case .healthy: "M7 12.5l3.4 3.5L17 8.5"
            case .degraded: "M12 6.5v7M12 17v.2"
            case .unhealthy: "M8 8l8 8M16 8l-8 8"
            }
        return """
            <svg class="sign \(rawValue)" viewBox="0 0 24 24" aria-hidden="true">\
            <circle cx="12" cy="12" r="11"/><path d="\(path)"/></svg>
            """
    }

    /// The sign as the browser's tab shows it.
    var icon: String {
        Page.icon(colour: self == .healthy ? "2a7d4f" : self == .degraded ? "b26a00" : "b3322b")
    }
}

import SnapshotState

/// What to do where a picture or video exists but can't be read.
enum Unreadable {
    static let advice =
        "Capture and relay let snapshot-web read their files only if WEB_IMAGES=true is in their own settings, too "
        + "(snapshot.env or NAME.env); an OUTPUT_DIR elsewhere than under /var/lib/snapshot may also need chmod o+x on the "
        + "folders that lead to it."
}

extension Health.Status {
    var word: String { rawValue.sentence }

    /// A sign that doesn't depend on colour: a tick, an exclamation mark or a cross.
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

    /// The icon for the browser's tab: a dot in the colour of the status.
    var icon: String {
        Page.icon(colour: self == .healthy ? "2a7d4f" : self == .degraded ? "b26a00" : "b3322b")
    }
}

import SnapshotBase

/// What is known of a camera's latest picture.
enum LatestPicture {
    case taken(Timestamp)
    /// This process has no permission to read the picture, or to find out whether there is one.
    case unreadable
}

/// A camera's latest picture with its time. It is shown in grey once a newer one is overdue.
struct PictureFigure {
    /// The instance's name; "" for the camera without an instance name.
    let camera: String
    let latest: LatestPicture
    let now: Timestamp
    let intervalSeconds: Double
    /// The relative path from the page to the status page.
    var root = ""

    private func address(_ taken: Timestamp) -> String {
        let name = camera.isEmpty ? "latest.jpg" : "latest/\(percentEncoded(camera)).jpg"
        return "\(root)\(name)?\(Int(taken.milliseconds))"
    }

    private func age(_ taken: Timestamp) -> Double { Double(now.milliseconds - taken.milliseconds) / 1000 }
    private func isOld(_ taken: Timestamp) -> Bool { age(taken) > max(3 * intervalSeconds, 15) }

    private func image(_ taken: Timestamp) -> HTML {
        let state: HTML = isOld(taken) ? " class=\"old\"" : ""
        let alt = isOld(taken) ? "The last picture, which is old" : "Latest picture"
        return "<img src=\"\(address(taken))\" alt=\"\(alt)\"\(state)>"
    }

    private func caption(_ taken: Timestamp) -> HTML {
        let words = "\(inWords(Int(min(max(age(taken), 0), 1e12)))) ago"
        return isOld(taken) ? "\(.time(taken)) · <strong>\(words)</strong>" : "\(.time(taken)) · \(words)"
    }

    /// The figure in the page's full width.
    var html: HTML {
        guard case .taken(let taken) = latest else {
            return "<p class=\"card\">The latest picture cannot be read. \(Unreadable.advice)</p>"
        }
        return """
            <figure class="card view"><a href="\(address(taken))">\(image(taken))</a>\
            <figcaption><p>\(caption(taken))</p></figcaption></figure>
            """
    }

    /// The picture alone, for an overview of several cameras.
    var thumbnail: HTML? {
        guard case .taken(let taken) = latest else { return nil }
        return image(taken)
    }

    var time: HTML? {
        guard case .taken(let taken) = latest else { return nil }
        return caption(taken)
    }
}

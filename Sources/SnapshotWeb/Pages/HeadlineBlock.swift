import SnapshotBase
import SnapshotState

/// The top of a camera's section: the status, what is wrong, what to do about it, and further reasons.
struct HeadlineBlock {
    let health: Health
    let hasRun: Bool

    var html: HTML {
        let headline = health.headline
        let isWell = health.status == .healthy
        let words: HTML =
            isWell
            ? "<p class=\"status healthy\">\(health.status.word)</p>"
            : """
            <p class="status label \(health.status.rawValue)">\(health.status.word)</p>\
            <p class="cause">\(headline.text.sentence)</p>
            """
        let remedy: HTML = headline.remedy.map { "<p class=\"remedy\">\(HTML(markdown: $0))</p>" } ?? ""
        let neverRan = !hasRun && health.reasons == [.neverCaptured]
        return """
            <div class="headline \(health.status.rawValue)">\(health.status.sign)<div>\(words)\
            \(neverRan ? "" : remedy)<p class="last">\(last)</p></div></div>
            \(neverRan ? steps : "")
            \(reasons)
            """
    }

    private var last: HTML {
        if health.isRelayAlone { return "\((health.flow ?? "no pictures are taken here").sentence)" }
        guard let age = health.ageSeconds else {
            return health.reasons == [.neverCaptured] ? "" : "No picture has been stored yet"
        }
        return """
            Last picture stored <strong>\(inWords(age))</strong> ago, one is due every \
            \(inWords(Int(max(1, health.intervalSeconds.rounded()))))
            """
    }

    private var steps: HTML {
        let items = FirstSteps.all.map { what, command -> HTML in
            "<li><p>\(what)</p><code class=\"command\">\(command)</code></li>"
        }
        return "<div class=\"card steps\"><h2>Three steps to the first picture</h2><ol>\(items)</ol></div>"
    }

    private var reasons: HTML {
        let reasons = health.furtherReasons
        guard !reasons.isEmpty else { return "" }
        let items = reasons.map { reason -> HTML in
            """
            <li class="\(reason.status.rawValue)"><strong>\(health.sentence(reason).sentence).</strong> \
            \(HTML(markdown: health.named(reason.remedy)))</li>
            """
        }
        return "<ul class=\"reasons\">\(items)</ul>"
    }
}

extension HTML {
    /// One of our own sentences, in which text between backticks becomes code.
    init(markdown text: String) {
        let parts = text.split(separator: "`", omittingEmptySubsequences: false)
        self.init(joining: parts.enumerated().map { $0 % 2 == 1 ? "<code>\(String($1))</code>" : "\(String($1))" })
    }
}

import SnapshotBase

/// A complete HTML page. Its Content-Security-Policy forbids it to load anything from another site.
struct Page {
    let path: String
    /// The relative path to the status page, since a proxy may serve the site below a path.
    var root = "./"
    let title: String
    let icon: String
    /// The other pages of the navigation, as address and name.
    let links: [(String, String)]
    /// The seconds between two refreshes of the page; nil where it isn't refreshed.
    let refreshSeconds: Int?
    let main: HTML
    var script = Assets.page

    /// A dot for the browser's tab.
    static func icon(colour: String) -> String {
        "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24'%3E"
            + "%3Ccircle cx='12' cy='12' r='10' fill='%23\(colour)'/%3E%3C/svg%3E"
    }

    func response(frames: String) -> Response {
        // Our own style and script carry the nonce. Injected ones can't know it, so the browser ignores them.
        let nonce =
            String(UInt64.random(in: 0 ... .max), radix: 36)
            + String(UInt64.random(in: 0 ... .max), radix: 36)
        let policy = """
            default-src 'none'; style-src 'nonce-\(nonce)'; script-src 'nonce-\(nonce)'; img-src 'self' data:; \
            media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors \(frames)
            """
        return Response(
            .ok, type: "text/html; charset=utf-8", policy: policy, body: html(nonce: nonce).markup)
    }

    private func html(nonce: String) -> HTML {
        let entries = ([("/", "Status")] + links).map { address, name -> HTML in
            let current: HTML = address == path ? " aria-current=\"page\"" : ""
            return "<a href=\"\(root)\(String(address.dropFirst()))\"\(current)>\(name)</a>"
        }
        let navigation: HTML = links.isEmpty ? "" : "<nav aria-label=\"Pages\">\(entries)</nav>"
        let fallback = refreshSeconds.map { seconds -> HTML in
            "<noscript><meta http-equiv=\"refresh\" content=\"\(max(seconds, 15))\"></noscript>"
        }
        return """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>\(title)</title>
            <link rel="icon" href="\(icon)">
            \(fallback)
            <style nonce="\(nonce)">\(Assets.style)</style>
            </head>
            <body data-refresh="\(refreshSeconds ?? 0)">
            <header><p class="brand"><svg viewBox="0 0 24 24" aria-hidden="true"><rect x="1.5" y="5.5" width="21" height="15" rx="4"/>\
            <path d="M8 5.5l1.5-3h5l1.5 3"/><circle cx="12" cy="13" r="4"/></svg>snapshot</p>\(navigation)</header>
            <p class="news" role="status"></p>
            <main>
            \(main)
            </main>
            <script nonce="\(nonce)">\(script)</script>
            </body>
            </html>

            """
    }
}

/// The files under Assets, compiled into the program. They hold no text from outside, so they need no escaping.
enum Assets {
    static let style = HTML(trusted: PackageResources.page_css)
    /// Shows times in the reader's time zone, and fetches the page again while somebody looks at it.
    static let page = HTML(trusted: PackageResources.page_js)
    /// Keeps the player at the live stream: starts it again when it fails or stands still.
    static let live = HTML(trusted: PackageResources.live_js)
}

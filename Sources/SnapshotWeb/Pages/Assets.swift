/// The files under Assets, compiled into the program. They hold no text from outside, so they need no escaping.
enum Assets {
    static let style = HTML(trusted: PackageResources.page_css)
    /// Adds times in the reader's time zone as tooltips, and refreshes the page while it is visible.
    static let page = HTML(trusted: PackageResources.page_js)
    /// Plays the live stream, and says how far behind it is.
    static let live = HTML(trusted: PackageResources.mp4_js + PackageResources.live_js)
}

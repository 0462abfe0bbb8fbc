import SnapshotBase
import Testing

@Suite struct RTSPSourceTests {
    private func list(_ url: String, _ user: String? = nil, _ password: String? = nil) -> String {
        String(decoding: RTSPSource(url: url, user: user, password: password).list, as: UTF8.self)
    }

    @Test func credentialsArePercentEncoded() {
        #expect(
            list("rtsp://10.0.0.2:554/Preview_01_main", "admin", "p@ss:/w'rd #%é").contains(
                "file 'rtsp://admin:p%40ss%3A%2Fw%27rd%20%23%25%C3%A9@10.0.0.2:554/Preview_01_main'\n"))
    }

    @Test func credentialsInTheAddressComeFirst() {
        #expect(list("rtsp://u:p%40@h/x", "admin", "other").contains("file 'rtsp://u:p%40@h/x'\n"))
        #expect(list("rtsp://u:p@q@h/x").contains("file 'rtsp://u:p%40q@h/x'\n"))
        #expect(list("rtsp://h/a@b").contains("file 'rtsp://h/a@b'\n"))
    }

    @Test func quotesCannotEndTheLine() {
        #expect(list("rtsp://h/it's").contains("file 'rtsp://h/it'\\''s'\n"))
        #expect(list("rtsp://h/it'\u{301}s").contains("file 'rtsp://h/it'\\''\u{301}s'\n"))
    }
}

import SnapshotBase
import Testing

@Suite struct RedactionTests {
    @Test(arguments: [
        "Impossible to open 'rtsp://admin:p@ss/w'rd%@10.0.0.2/x'", "p@ss/w'rd%", "p%40ss%2Fw%27rd%25",
        "p%40ss%2fw%27rd%25",
        "%70%40ss/w'rd%25",
    ])
    func noFormOfTheSecretStays(_ text: String) {
        let shown = redact(text, ["p@ss/w'rd%"])
        #expect(!shown.contains("rd"))
        #expect(shown.contains("***"))
    }

    @Test func otherTextStays() {
        #expect(redact("100% of p@ss é", ["secret", ""]) == "100% of p@ss é")
        #expect(redact("a rtsp://h/x and rtsp://u:p@h/x.", []) == "a rtsp://h/x and rtsp://***@h/x.")
        #expect(
            redact("rtsp://\u{301}u:a@\u{301}h/x", []).unicodeScalars.elementsEqual(
                "rtsp://***@\u{301}h/x".unicodeScalars))
        #expect(redact("rtsp://u:a@b@h/x http://h/y@z", []) == "rtsp://***@h/x http://***@z")
    }
}

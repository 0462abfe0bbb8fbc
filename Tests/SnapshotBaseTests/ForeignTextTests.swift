import Testing

@testable import SnapshotBase

/// How programs write a character in text that they quote or send.
private enum Writing: CaseIterable {
    case raw, percent, percentLower, percentTwice, json, jsonTwice, cEscape, htmlDecimal, htmlHex, quotedPrintable

    func write(_ scalar: Unicode.Scalar) -> String {
        let bytes = Array(String(scalar).utf8)
        func hex(_ byte: UInt8, _ uppercase: Bool = true) -> String {
            (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: uppercase)
        }
        let units = Array(String(scalar).utf16).map { unit in
            let digits = String(unit, radix: 16)
            return "u" + String(repeating: "0", count: 4 - digits.count) + digits
        }
        switch self {
        case .raw: return String(scalar)
        case .percent: return scalar == " " ? "+" : bytes.map { "%" + hex($0) }.joined()
        case .percentLower: return bytes.map { "%" + hex($0, false) }.joined()
        case .percentTwice: return bytes.map { "%25" + hex($0) }.joined()
        case .json: return "\"\\/".unicodeScalars.contains(scalar) ? "\\\(scalar)" : units.map { "\\" + $0 }.joined()
        case .jsonTwice: return units.map { "\\\\" + $0 }.joined()
        case .cEscape: return bytes.map { "\\x" + hex($0, false) }.joined()
        case .htmlDecimal: return "&#\(scalar.value);"
        case .htmlHex: return "&#x" + String(scalar.value, radix: 16) + ";"
        case .quotedPrintable: return bytes.map { "=" + hex($0) }.joined()
        }
    }
}

/// What secrets are made of: letters, marks, blanks, other scripts, characters beyond the first plane.
private let alphabet = Array("abZ019 %+&\"'\\/<>=;:@?#{}äé§ß漢字😀".unicodeScalars)

private func base64(_ text: String) -> String {
    let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    var result = ""
    let bytes = Array(text.utf8)
    for start in stride(from: 0, to: bytes.count, by: 3) {
        let part = bytes[start..<min(start + 3, bytes.count)]
        let bits = part.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - part.count))
        for index in 0..<4 { result.append(index > part.count ? "=" : digits[bits >> (18 - 6 * index) & 63]) }
    }
    return result
}

@Suite struct ForeignTextTests {
    private func shown(_ text: String, _ secrets: String..., limit: Int = 200) -> String {
        "\(ForeignText(text, limit: limit, secrets: Secrets(secrets)))"
    }

    /// Each character is written in a form of its own, or all are in the same one.
    @Test(arguments: 0..<200)
    func noFormOfASecretStays(_ seed: Int) {
        var random = SystemRandomNumberGenerator()
        let length = [1, 2, 3, 5, 6, 8, 31, 64][seed % 8]
        let secret = (0..<length).map { _ in String(alphabet.randomElement(using: &random) ?? "a") }.joined()
        let one = Writing.allCases.randomElement(using: &random) ?? .raw
        let isMixed = seed % 3 == 0
        let written = secret.unicodeScalars.map { scalar in
            (isMixed ? Writing.allCases.randomElement(using: &random) ?? .raw : one).write(scalar)
        }.joined()
        let result = shown("before « \(written) » behind", secret, limit: 2000)
        if length < 6 {
            #expect(result.hasPrefix("(not shown"), "\(secret) as \(written): \(result)")
        } else {
            #expect(result == "before « *** » behind", "\(secret) as \(written): \(result)")
        }
    }

    @Test(arguments: ["a1", "a2c", "wrong", "pässwörd", "thirty-one characters long xxx", "p@ss/w'rd%"])
    func notInBase64(_ secret: String) {
        for login in [secret, "me:\(secret)", "admin:\(secret)\n", "x:\(secret):y"] {
            let result = shown("Authorization: Basic \(base64(login)) for you", secret)
            #expect(!result.contains(base64(login)))
        }
    }

    /// No part of a secret is shown, whether the excerpt ends within it or the text itself was cut there.
    @Test(arguments: 0..<80)
    func notCut(_ position: Int) {
        let secret = "Canary%Päss"
        let text = String(repeating: ".", count: position) + secret + " behind"
        #expect(!shown(text, secret, limit: 40).contains("Ca"))
        let cut = String(text.prefix(position + 4 + position % 7))
        #expect(!shown(cut, secret).contains("Can"), "\(cut)")
    }

    @Test func otherTextStays() {
        #expect(shown("100% of p@ss é", "secret", "") == "100% of p@ss é")
        #expect(shown("a rtsp://h/x and rtsp://u:p@h/x.") == "a rtsp://h/x and rtsp://***@h/x.")
        #expect(shown("rtsp://u:a@b@h/x http://h/y@z") == "rtsp://***@h/x http://***@z")
        #expect(shown("see http://h/x?key=1 there") == "see http://h/x?*** there")
        #expect(shown("all wrong here, CANARY1 too", "canary1") == "all wrong here, *** too")
        #expect(shown(#"{"a":"wr\u006fng"}"#, "wrong") == "(not shown, it may hold a secret: JSON of 18 bytes)")
        #expect(shown(#"p\'a\\s&auml;s'\''x &amp;amp; y"#, #"p'a\säs'x & y"#) == "***")
    }

    @Test func namesOfEntitiesAndLatin1() {
        #expect(shown("p&auml;ssw&ouml;rd", "pässwörd") == "***")
        let latin = Array("x p".utf8) + [0xE4] + Array("ssw".utf8) + [0xF6] + Array("rd".utf8)
        #expect("\(ForeignText(latin, secrets: Secrets(["pässwörd"])))" == "x ***")
    }

    @Test func secretsOfURLs() {
        let secrets = Secrets()
        secrets.register(url: "rtsp://H/user=admin_password=pa_ss_channel=1_stream=0.sdp", hasSecretPath: false)
        secrets.register(url: "rtsp://me:c%C3%A4n+ary@H:554/x?channel=0&pwd=zz9", hasSecretPath: false)
        secrets.register(url: "https://hc.example.org/ping/0123-4567", hasSecretPath: true)
        for text in ["pa_ss", "pa%5Fss", "cän+ary", "zz9", "ping/0123-4567"] { #expect(secrets.areIn("« \(text) »")) }
        for text in ["admin", "channel=1", "H", "0"] { #expect(!secrets.areIn("« \(text) »")) }
    }

    @Test func anyBytesAreReadWithoutTrouble() {
        var random = SystemRandomNumberGenerator()
        let marks = Array("%+=\\&'u25xX#;{}amp0aF\r\n://@?".utf8)
        for _ in 0..<2000 {
            let bytes = (0..<Int.random(in: 0...24)).map { _ in
                Bool.random(using: &random) ? marks.randomElement(using: &random) ?? 0 : UInt8.random(in: 0...255)
            }
            let text = "\(ForeignText(bytes, secrets: Secrets(["%25", "a\\u", "x&amp;=+"])))"
            #expect(text.unicodeScalars.allSatisfy { !$0.isUnprintable })
        }
    }
}

@Suite struct TerminalTextTests {
    private let hostile = "\u{1B}[2J\r\nx\u{7F}\u{9B}31m\u{202E}\u{2028}\u{2066}\u{200B}\u{FEFF}\u{E0041}\u{AD}"

    @Test func onlyLiteralsGoInAsTheyAre() {
        let text: TerminalText = "\u{1B}[1m\(hostile)\u{1B}[0m\n"
        #expect(text.text.hasPrefix("\u{1B}[1m\\u{1b}[2J\\u{d}\\u{a}x\\u{7f}\\u{9b}31m\\u{202e}"))
        #expect(text.text.unicodeScalars.filter(\.isUnprintable).count == 3)
        #expect(TerminalText(lines: "a\n\u{1B}b").text == "a\n\\u{1b}b")
    }

    @Test func jsonStaysJSONAndIsPrintable() {
        let object: JSONObject = ["a": hostile + "ä 漢 😀"]
        let text = object.json.text
        #expect(text.unicodeScalars.allSatisfy { !$0.isUnprintable })
        #expect(text.hasPrefix(#"{"a":"\u001b[2J\u000d\u000ax\u007f\u009b31m\u202e\u2028"#))
        #expect(JSON(Array(text.utf8))?["a"]?.string == hostile + "ä 漢 😀")
    }
}

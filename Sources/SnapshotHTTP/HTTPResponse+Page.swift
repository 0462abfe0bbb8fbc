extension HTTPResponse {
    /// Whether the body begins like HTML, after a byte order mark, white space, comments and an XML prolog: such a page
    /// comes from a captive portal. The content type is no help, as frameworks send a plain `ok` as HTML. A compressed
    /// body counts as a page, because its text is unknown.
    package var isPage: Bool {
        if isCompressed { return true }
        // Without its zero bytes, markup in UTF-16 is ASCII.
        var rest = (body.prefix(4).contains(0) ? body.filter { $0 != 0 } : body)[...]
        for mark: [UInt8] in [[0xFF, 0xFE], [0xFE, 0xFF], [0xEF, 0xBB, 0xBF]] where rest.starts(with: mark) {
            rest.removeFirst(mark.count)
        }
        while true {
            rest = rest.afterSpace
            if rest.starts(with: "<!--".utf8) {
                guard rest.skip(past: "-->") else { return true }
            } else if rest.starts(with: "<?".utf8) {
                guard rest.skip(past: "?>") else { return false }
            } else if rest.word(after: "<!") == "doctype" {
                guard rest.dropFirst(9).afterSpace.word(after: "") != "html" else { return true }
                guard rest.skip(past: ">") else { return false }
            } else {
                return Self.elements.contains(rest.word(after: "<"))
            }
        }
    }

    /// Whether the body is compressed. No request of this program offers to accept that.
    package var isCompressed: Bool {
        guard !body.isEmpty, let coding = headers["content-encoding"]?.lowercased() else { return false }
        return ["gzip", "deflate", "br", "zstd", "compress"].contains { coding[...].range(of: $0) != nil }
    }

    /// The elements with which a page may begin: those of the WHATWG's "MIME Sniffing", and all others of HTML whose
    /// names hardly occur in the XML of a program's interface. It is an array, since the first use of a set makes
    /// the runtime scan all conformances, in each run (see `NamedValues`).
    private static let elements = [
        "html", "head", "body", "script", "iframe", "h1", "div", "font", "table", "a", "style", "title", "b", "br", "p",
        "meta", "link", "base", "center", "form", "noscript", "frameset", "h2", "h3", "span", "main", "img", "h4", "h5",
        "h6", "pre", "section", "article", "nav", "svg", "strong", "em", "i", "u", "small", "big", "tt", "hr", "ul",
        "ol", "li", "dl", "tr", "td", "tbody", "input", "button", "fieldset", "blockquote", "basefont", "marquee",
        "frame", "template", "embed", "applet",
    ]
}

extension ArraySlice<UInt8> {
    fileprivate var afterSpace: Self { drop { $0 == 0x20 || (0x09...0x0D).contains($0) } }

    /// Drops everything up to the end of `mark`; false if it does not occur.
    fileprivate mutating func skip(past mark: String) -> Bool {
        let mark = Array(mark.utf8)
        guard let start = indices.first(where: { self[$0...].starts(with: mark) }) else { return false }
        self = self[(start + mark.count)...]
        return true
    }

    /// The word after `mark` at the start, in lower case; empty if there is none.
    fileprivate func word(after mark: String) -> String {
        guard starts(with: mark.utf8) else { return "" }
        let word = dropFirst(mark.utf8.count).prefix(16).prefix { byte in
            byte > 0x20 && byte != UInt8(ascii: ">") && byte != UInt8(ascii: "/")
        }
        return String(decoding: word, as: UTF8.self).lowercased()
    }
}

import SnapshotBase

/// The page at `/recordings/`, and those of its days and hours: newest first, by local time.
struct RecordingsPage {
    let index: RecordingIndex
    let selection: RecordingsSelection
    let files: PictureFiles
    let links: [(String, String)]

    /// The number of recordings on one page.
    static let listed = 120

    private var day: RecordingIndex.Group? { selection.day.flatMap { day in index.days.first { $0.name == day } } }
    private var hours: [RecordingIndex.Group] { day.map { index.hours(in: $0.range) } ?? [] }

    /// The positions in the index of all recordings of this list, including those on further pages.
    private var range: Range<Int> {
        guard selection.day != nil else { return index.all }
        guard let hour = selection.hour else { return day?.range ?? 0..<0 }
        return hours.first { $0.name == hour }?.range ?? 0..<0
    }

    var page: Page {
        let range = range
        let begin = min(range.count, (selection.page - 1) * Self.listed)
        let shown = range.dropFirst(begin).prefix(Self.listed)
        return Page(
            path: "/recordings/", root: "../" + selection.back, title: "Recordings", icon: Page.icon(colour: "566069"),
            links: links, refreshSeconds: nil,
            main: """
                <h1>Recordings</h1>
                \(warnings)
                \(calendar)
                \(clock)
                \(list(shown, of: range))
                \(pager(shown, of: range))
                """)
    }

    private func address(_ target: RecordingsSelection) -> String {
        selection.back.isEmpty && target.path.isEmpty ? "./" : selection.back + target.path
    }

    private var unreadable: HTML { "<p class=\"card\">Some recordings cannot be read. \(Unreadable.advice)</p>" }

    private var warnings: HTML {
        let unreadable = index.areUnreadable ? unreadable : ""
        let cut: HTML =
            index.isCut ? "<p class=\"card\">There are too many recordings to list, so some are missing here.</p>" : ""
        return "\(unreadable)\(cut)"
    }

    /// The days that have recordings, a row for each month. Only the newest month and the chosen day's are unfolded.
    private var calendar: HTML {
        guard !index.days.isEmpty else { return "" }
        var months: [(name: String, days: [RecordingIndex.Group])] = []
        for day in index.days {
            let month = String(day.name.prefix(7))
            if months.last?.name == month {
                months[months.count - 1].days.append(day)
            } else {
                months.append((month, [day]))
            }
        }
        let rows = months.map { month -> HTML in
            let isOpen = month.name == months.first?.name || selection.day?.hasPrefix(month.name) == true
            let days = month.days.map { day in
                choice(
                    "\(String(day.name.suffix(2)))", RecordingsSelection(day: day.name),
                    isChosen: day.name == selection.day,
                    "\(day.name), \(counted(day.range.count, "recording"))")
            }
            return """
                <details\(isOpen ? " open" : "")><summary>\(inWords(month: month.name))</summary><p class="choices">\(days)</p></details>
                """
        }
        let newest = choice("Newest", RecordingsSelection(), isChosen: selection.day == nil, "The newest of all days")
        return """
            <nav class="card calendar" aria-label="Days"><p class="choices">\(newest)</p>\(rows)</nav>
            """
    }

    /// `2026-01` as `January 2026`.
    private func inWords(month: String) -> String {
        let names = [
            "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
            "November",
            "December",
        ]
        guard let number = Int(decimal: month.suffix(2)), (1...12).contains(number) else { return month }
        return "\(names[number - 1]) \(month.prefix(4))"
    }

    /// The hours of the chosen day.
    private var clock: HTML {
        guard let day else { return "" }
        let whole = choice(
            "All day", RecordingsSelection(day: day.name), isChosen: selection.hour == nil, "All of \(day.name)")
        let each = hours.map { hour in
            choice(
                "\(hour.name):00", RecordingsSelection(day: day.name, hour: hour.name),
                isChosen: hour.name == selection.hour,
                "\(counted(hour.range.count, "recording")) from \(hour.name):00 on")
        }
        return "<nav class=\"card calendar\" aria-label=\"Hours\"><p class=\"choices\">\(whole)\(each)</p></nav>"
    }

    private func choice(_ name: HTML, _ target: RecordingsSelection, isChosen: Bool, _ title: String) -> HTML {
        let current: HTML = isChosen ? " aria-current=\"page\"" : ""
        return "<a href=\"\(address(target))\"\(current) title=\"\(title)\">\(name)</a> "
    }

    private func list(_ shown: Range<Int>, of range: Range<Int>) -> HTML {
        var items: [HTML] = []
        var areUnreadable = false
        for position in shown {
            let (names, begin) = index.recording(position)
            switch files.describe(names, begin: begin) {
            case .file(let recording): items.append(item(recording))
            case .unreadable: areUnreadable = true
            case .missing: break
            }
        }
        // Unreadable folders are reported at the top of the page already.
        let warning = areUnreadable && !index.areUnreadable ? unreadable : ""
        guard items.isEmpty else { return "\(warning)<ul class=\"card files\">\(items)</ul>" }
        if areUnreadable { return warning }
        if !index.all.isEmpty { return "<p class=\"card\">The recordings that were here are gone.</p>" }
        return index.areUnreadable
            ? ""
            : """
            <p class="card">There are no recordings yet. The relay makes them: set <code>STREAM_MODE=record</code>, then \
            <code>sudo systemctl enable --now snapshot-relay</code> (<code>snapshot-relay@NAME</code> \
            for <code>NAME.env</code>).</p>
            """
    }

    private func item(_ recording: PictureFiles.Recording) -> HTML {
        let path = recording.names.map { percentEncoded($0) }.joined(separator: "/")
        var facts = [recording.seconds.map(playtime), sizeText(recording.size)].compactMap(\.self)
        let isDated = recording.names.last.flatMap(Timestamp.init(recording:)) != nil
        let folders = recording.names.dropLast().joined(separator: "/")
        if isDated, !folders.isEmpty { facts.insert(folders, at: 0) }
        let name: HTML =
            isDated ? .time(recording.begin) : "\(recording.names.joined(separator: "/").printable())"
        let time: HTML = isDated ? "" : "\(.time(recording.begin)) · "
        return """
            <li><a href="\(selection.back + path)">\(name)</a> <span>\(time)\(facts.joined(separator: " · ").printable())</span></li>
            """
    }

    private func pager(_ shown: Range<Int>, of range: Range<Int>) -> HTML {
        guard range.count > shown.count, !shown.isEmpty else { return "" }
        let first = shown.startIndex - range.lowerBound
        func link(_ page: Int, _ name: String) -> HTML {
            "<a href=\"\(address(RecordingsSelection(day: selection.day, hour: selection.hour, page: page)))\">\(name)</a> "
        }
        let newer = selection.page > 1 ? link(selection.page - 1, "Newer") : ""
        let older = first + shown.count < range.count ? link(selection.page + 1, "Older") : ""
        return """
            <nav class="pager" aria-label="More recordings">\(newer)\
            <span>\(grouped(first + 1)) to \(grouped(first + shown.count)) of \(grouped(range.count))</span> \(older)</nav>
            """
    }
}

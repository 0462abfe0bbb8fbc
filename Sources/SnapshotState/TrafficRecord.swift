import SnapshotBase

/// The traffic so far in bytes, including TLS, TCP and IP. Not included are DNS look-ups, pings to PING_URL, RTSP, TLS
/// handshakes that only examine a server, and the traffic of other programs.
package struct TrafficRecord: JSONMapped, Equatable, Sendable {
    /// The total to and from stores.
    package var sent = 0
    package var received = 0
    /// The total to and from cameras.
    package var cameraSent = 0
    package var cameraReceived = 0
    /// The traffic to and from stores on each of the last days, UTC, oldest first.
    package var days: [TrafficDay] = []

    static let daysKept = 8

    package init() {}

    package mutating func map(_ fields: inout JSONFields) {
        fields.field("sent", &sent)
        fields.field("received", &received)
        fields.field("camera_sent", &cameraSent)
        fields.field("camera_received", &cameraReceived)
        fields.field("days", &days)
    }

    mutating func count(sent: Int, received: Int, on day: Int) {
        self.sent = self.sent.adding(sent)
        self.received = self.received.adding(received)
        if days.last?.day != day { days = days.suffix(Self.daysKept - 1) + [TrafficDay(day: day)] }
        let last = days.count - 1
        days[last].sent = days[last].sent.adding(sent)
        days[last].received = days[last].received.adding(received)
    }
}

/// One day's sums, stored as three numbers.
package struct TrafficDay: JSONValue, Equatable, Sendable {
    /// Days since 1970.
    package var day: Int
    package var sent = 0
    package var received = 0

    package init(day: Int) { self.day = day }

    package init?(json: JSON) {
        guard let numbers = [Int](json: json), numbers.count >= 3 else { return nil }
        (day, sent, received) = (numbers[0], numbers[1], numbers[2])
    }

    package var json: JSON { [day, sent, received].json }

    /// The date, e.g. `2026-01-21`.
    package var date: String {
        String(Timestamp(milliseconds: Int64(clamping: day.times(86_400_000))).iso8601.prefix(10))
    }
}

extension Record {
    /// Adds what a run, or a part of one, sent to and received from the camera and other hosts, in bytes.
    package mutating func countTraffic(
        camera: (sent: Int, received: Int), others: (sent: Int, received: Int), now: Now
    ) {
        let counts = [camera.sent, camera.received, others.sent, others.received]
        guard traffic != nil || counts.contains(where: { $0 > 0 }) else { return }
        var sums = traffic ?? TrafficRecord()
        sums.cameraSent = sums.cameraSent.adding(camera.sent)
        sums.cameraReceived = sums.cameraReceived.adding(camera.received)
        sums.count(sent: others.sent, received: others.received, on: Int(now.wall.milliseconds / 86_400_000))
        traffic = sums
    }
}

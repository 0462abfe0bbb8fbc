import SnapshotBase
import SnapshotCamera
import SnapshotHTTP
import SnapshotState
import SnapshotStore

/// Sends a queue's pictures over several connections at once, each with the attempts that `put` would make.
struct ParallelDrain {
    private struct Upload {
        var picture: DrainQueue.Picture
        /// As it was when the request was signed.
        var store: any RemoteStore
        var attempts: Attempts
        /// Set between attempts.
        var pause: (end: Uptime, after: StoreFailure)?
        /// Tells it from the others.
        let tag: Int
    }

    private let http: HTTPTransfers
    private let most: Int
    private let stop: StopRequest
    /// What is known of the store by now.
    private var store: any RemoteStore
    private var underWay: [Upload] = []
    private var lastTag = 0
    /// The first goes alone: it tells whether the store is there and takes the credentials, its region and its clock.
    private var isAccepted = false

    /// How soon it is seen that the program is asked to end.
    private static let timeout = Duration.milliseconds(200)

    init(_ store: any RemoteStore, transfers: Int, stop: StopRequest) {
        http = store.client.transfers()
        self.stop = stop
        self.store = store
        most = transfers
    }

    mutating func run(_ queue: inout DrainQueue) {
        while true {
            let room = isAccepted ? most : 1
            while underWay.count < room, let picture = queue.next() {
                lastTag += 1
                begin(
                    Upload(picture: picture, store: store, attempts: Attempts(queue.policy(of: room)), tag: lastTag),
                    &queue)
            }
            resume(&queue)
            guard !underWay.isEmpty else { return }
            if let (tag, answer) = http.next(within: wait) { end(tag, answer, &queue) }
        }
    }

    private mutating func begin(_ upload: Upload, _ queue: inout DrainQueue) {
        var upload = upload
        upload.pause = nil
        upload.attempts.begin()
        do throws(StoreFailure) { try upload.store.prepare(upload.attempts.policy.deadline) } catch {
            return failed(upload, error, &queue)
        }
        let request = upload.store.upload(
            upload.picture.object, store.client.uploadTimeouts, upload.attempts.policy.deadline,
            reusesConnection: upload.attempts.reusesConnection)
        underWay.append(upload)
        http.start(request, tag: upload.tag)
    }

    /// Begins the attempts whose pause is over.
    private mutating func resume(_ queue: inout DrainQueue) {
        let (now, isAsked) = (Uptime.now(), stop.isMade)
        for upload in underWay {
            guard let pause = upload.pause, isAsked || pause.end <= now else { continue }
            underWay.removeAll { $0.tag == upload.tag }
            if isAsked { queue.failed(pause.after) } else { begin(upload, &queue) }
        }
    }

    private var wait: Duration {
        let now = Uptime.now()
        return underWay.reduce(Self.timeout) { wait, upload in
            upload.pause.map { max(.zero, min(wait, $0.end - now)) } ?? wait
        }
    }

    private mutating func end(_ tag: Int, _ answer: HTTPAnswer, _ queue: inout DrainQueue) {
        guard let index = underWay.firstIndex(where: { $0.tag == tag }) else { return }
        var upload = underWay.remove(at: index)
        do throws(StoreFailure) {
            try upload.store.settle(answer, of: upload.picture.object.key)
            learn(upload.store, &queue, isNew: !isAccepted)
            isAccepted = true
            queue.run.record.retryQuota = queue.run.record.retryQuota.replenished
            queue.sent(upload.picture)
        } catch {
            failed(upload, error, &queue)
        }
    }

    private mutating func failed(_ upload: Upload, _ failure: StoreFailure, _ queue: inout DrainQueue) {
        var upload = upload
        learn(upload.store, &queue, isNew: true)
        guard let pause = upload.attempts.pause(after: failure, quota: &queue.run.record.retryQuota) else {
            return queue.failed(failure)
        }
        // Refused for our clock, it goes with the right time.
        if failure.clockOffset != nil { queue.renew(&upload.picture) }
        upload.pause = (.now() + pause, failure)
        underWay.append(upload)
    }

    private mutating func learn(_ told: any RemoteStore, _ queue: inout DrainQueue, isNew: Bool) {
        guard isNew else { return }
        store = told
        queue.run.note(told)
    }
}

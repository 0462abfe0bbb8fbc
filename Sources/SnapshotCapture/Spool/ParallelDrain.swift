import SnapshotBase
import SnapshotCamera
import SnapshotHTTP
import SnapshotState
import SnapshotStore

/// Uploads a queue's pictures over several connections at once, each with the same retries as `putWithRetries`.
struct ParallelDrain {
    private struct Upload {
        var picture: DrainQueue.Waiting
        /// The store as it was when the request was signed.
        var store: any RemoteStore
        var attempts: Attempts
        /// When the pause before the next attempt ends, and which failure it follows; nil during an attempt.
        var pause: (end: Deadline, after: StoreFailure)?
        /// Identifies the transfer among those under way.
        let tag: Int
    }

    private let http: HTTPTransfers
    private let maxTransfers: Int
    private let stop: StopRequest
    /// The store with what its responses have taught so far: region, clock, checksum.
    private var store: any RemoteStore
    private var underWay: [Upload] = []
    private var lastTag = 0
    /// Set by the first success. Until then pictures go one at a time: the first tells whether the store responds and
    /// accepts the credentials, and what its region and clock are.
    private var isAccepted = false

    /// The longest wait for a result, so that a request to stop is noticed within 200 ms.
    private static let timeout = Duration.milliseconds(200)

    init(_ store: any RemoteStore, transfers: Int, stop: StopRequest) {
        http = store.client.transfers()
        self.stop = stop
        self.store = store
        maxTransfers = transfers
    }

    mutating func run(_ queue: inout DrainQueue) {
        while true {
            let room = isAccepted ? maxTransfers : 1
            while underWay.count < room, let picture = queue.next() {
                lastTag += 1
                begin(
                    Upload(picture: picture, store: store, attempts: Attempts(queue.policy(of: room)), tag: lastTag),
                    &queue)
            }
            resume(&queue)
            guard !underWay.isEmpty else { return }
            if let (tag, result) = http.next(within: wait) { end(tag, result, &queue) }
        }
    }

    private mutating func begin(_ upload: Upload, _ queue: inout DrainQueue) {
        var upload = upload
        upload.pause = nil
        upload.attempts.begin()
        do throws(StoreFailure) { try upload.store.prepare(upload.attempts.policy.deadline) } catch {
            return failed(upload, error, &queue)
        }
        let request = upload.store.uploadRequest(
            upload.picture.object, store.client.uploadTimeouts, upload.attempts.policy.deadline,
            reusesConnection: upload.attempts.reusesConnection)
        underWay.append(upload)
        http.start(request, tag: upload.tag)
    }

    /// Begins the attempts whose pause is over. When the program is asked to end, those that wait fail instead.
    private mutating func resume(_ queue: inout DrainQueue) {
        let isAsked = stop.isMade
        for upload in underWay {
            guard let pause = upload.pause, isAsked || pause.end.hasPassed else { continue }
            underWay.removeAll { $0.tag == upload.tag }
            if isAsked { queue.failed(pause.after) } else { begin(upload, &queue) }
        }
    }

    /// The time until the next pause ends, at most `timeout`.
    private var wait: Duration {
        underWay.reduce(Self.timeout) { wait, upload in
            upload.pause.map { max(.zero, min(wait, $0.end.left)) } ?? wait
        }
    }

    private mutating func end(_ tag: Int, _ result: HTTPResult, _ queue: inout DrainQueue) {
        guard let index = underWay.firstIndex(where: { $0.tag == tag }) else { return }
        var upload = underWay.remove(at: index)
        do throws(StoreFailure) {
            try upload.store.checkResult(result, of: upload.picture.object.key)
            noteLearned(from: upload.store, &queue, mayHaveLearned: !isAccepted)
            isAccepted = true
            queue.run.record.retryQuota = queue.run.record.retryQuota.replenished
            queue.sent(upload.picture)
        } catch {
            failed(upload, error, &queue)
        }
    }

    private mutating func failed(_ upload: Upload, _ failure: StoreFailure, _ queue: inout DrainQueue) {
        var upload = upload
        noteLearned(from: upload.store, &queue, mayHaveLearned: true)
        guard let pause = upload.attempts.pause(after: failure, quota: &queue.run.record.retryQuota) else {
            return queue.failed(failure)
        }
        // The store refused our time and sent its own: correct the picture's capture time before the next attempt.
        if failure.clockOffset != nil { queue.renew(&upload.picture) }
        upload.pause = (.after(pause), failure)
        underWay.append(upload)
    }

    /// - Parameter mayHaveLearned: false for successes after the first: they teach nothing, and their copy of the store
    ///   may be older than what a failure has taught meanwhile.
    private mutating func noteLearned(from updated: any RemoteStore, _ queue: inout DrainQueue, mayHaveLearned: Bool) {
        guard mayHaveLearned else { return }
        store = updated
        queue.run.noteLearned(from: updated)
    }
}

import Synchronization

/// Passes each request of a connection to the camera or to the control endpoint.
final class Server: Sendable {
    private let camera: Camera
    private let listeners: [Listener]
    private let log: RequestLog?
    private let connections = Mutex((made: 0, control: 0))

    init(camera: Camera, listeners: [Listener], log: RequestLog?) {
        self.camera = camera
        self.listeners = listeners
        self.log = log
    }

    /// Serves one connection to its end.
    func serve(_ descriptor: Int32, tls: TLSContext?) {
        let number = connections.withLock { connections in
            connections.made += 1
            return connections.made
        }
        guard let wire = Wire(descriptor: descriptor, tls: tls) else { return }
        var reader = RequestReader()
        var isFirst = true
        while let request = reader.next(from: wire) {
            let isControl = request.path.hasPrefix("/simulator/")
            if isControl, isFirst { connections.withLock { $0.control += 1 } }
            isFirst = false
            let answer = isControl ? control(request) : page(request, secure: wire.isSecure)
            if !isControl { log?.record(request, answer, connection: number, secure: wire.isSecure) }
            guard wire.send(answer, closing: request.wantsClose) else { return }
        }
    }

    private func page(_ request: Request, secure: Bool) -> Answer {
        switch request.path {
        case "/cgi-bin/api.cgi", "/api.cgi": camera.answer(request, secure: secure)
        case "/": Answer(html: "<!DOCTYPE html><html><head><title>Reolink</title></head><body></body></html>")
        default: Answer(status: 404)
        }
    }

    // MARK: control

    private func control(_ request: Request) -> Answer {
        switch (request.method, request.path) {
        case ("GET", "/simulator/still.jpg"): return camera.still()
        case ("GET", "/simulator/stats"): return result(.object(stats))
        case ("POST", "/simulator/reset"):
            camera.reset()
            connections.withLock { $0 = (made: 0, control: 0) }
            listeners.forEach { $0.setDeaf(false) }
            return result(["reset": true])
        case ("POST", "/simulator/fault"): return setFault(request.query)
        default: return Answer(status: 404)
        }
    }

    private func setFault(_ query: Query) -> Answer {
        let name = query["name"] ?? ""
        let count = query["count"].flatMap { Int(decimal: $0) }
        let fault = Fault(name: name)
        guard name == "none" || fault != nil, count.map({ $0 > 0 }) ?? (query["count"] == nil) else {
            return result(["error": .string("no such fault or count: \(name)")], status: 400)
        }
        let plan = fault.map { [PlannedFault(fault: $0, count: count)] } ?? []
        camera.setFaults(plan)
        listeners.forEach { $0.setDeaf(fault?.strikes == .connect) }
        return result(["fault": .string(name)])
    }

    private var stats: [String: JSON] {
        var stats = camera.report
        // Connections that began with a control request are the test's own and don't count.
        stats["connections"] = connections.withLock { .int($0.made - $0.control) }
        return stats
    }

    private func result(_ json: JSON, status: Int = 200) -> Answer {
        var answer = Answer(Array((json.line + "\n").utf8), type: "application/json")
        answer.status = status
        return answer
    }
}

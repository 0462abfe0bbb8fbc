import SnapshotBase

extension Device {
    /// A description in one line: `Reolink RLC-810A "Front door"`.
    package var text: String {
        let what = isReolink ? "Reolink" : kinds.contains(.onvif) ? "ONVIF camera" : "camera at this machine"
        let named = model == name ? nil : name.map { "\"\($0)\"" }
        return [what, model, named].compactMap(\.self).joined(separator: " ")
    }
}

extension Discovery.Result {
    /// Why no camera was found on the network, and what may help; nil if one was found.
    package var failure: Failure? {
        guard !devices.contains(where: { $0.address != nil }) else { return nil }
        let (what, code) = ("no camera found", Failure.Code.camera(.silent))
        guard !interfaces.isEmpty else {
            return Failure(
                code, what, why: "no network interface is up that has an IPv4 address and can broadcast",
                hint: "ip -br address   # shows what there is")
        }
        let asked = "nothing answered on " + interfaces.map(\.text).joined(separator: ", ")
        return Failure(
            code, what, why: ([asked] + obstacles).joined(separator: "; "),
            hint:
                "questions don't cross to another network or VLAN: with a camera there, name its address, as its app shows it; "
                + "a firewall here must let UDP to port \(ReolinkOld.answerPort) and answers to questions in; "
                + "ONVIF is off in many cameras")
    }
}

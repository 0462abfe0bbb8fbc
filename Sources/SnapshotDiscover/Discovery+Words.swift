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
                code, what, why: "no network interface that is up has an IPv4 address and can broadcast",
                hint: "ip -br address   # shows what there is")
        }
        let asked = "nothing answered on " + interfaces.map(\.text).joined(separator: ", ")
        return Failure(
            code, what, why: ([asked] + obstacles).joined(separator: "; "),
            hint:
                "discovery doesn't reach other networks or VLANs: for a camera there give its address, which its app shows; "
                + "this machine's firewall must let in UDP to port \(ReolinkOld.answerPort), and answers to what was sent; "
                + "ONVIF is off in many cameras")
    }
}

import CLibCurl
import SnapshotBase

/// Sets headers and body, whose memory lives as long as the transfer.
extension HTTPTransfer {
    func setHeaders() {
        for (name, value) in request.headers {
            headers = shim_slist_append(headers, value.isEmpty ? "\(name);" : "\(name): \(value)")
        }
        // Waiting for 100-continue costs a round trip, or a second if the server doesn't support it. An endless stream
        // waits for it, as a refusal could otherwise be missed.
        headers = shim_slist_append(headers, request.body.isStream ? "Expect: 100-continue" : "Expect:")
        // With `ignoresLength` libcurl sees a response end only where the connection does: ask the server to close it.
        if request.ignoresLength { headers = shim_slist_append(headers, "Connection: close") }
        if let headers { _ = shim_set_list(easy, CURLOPT_HTTPHEADER, headers) }
    }

    func setBody() throws(HTTPFailure) {
        guard let source else {
            if request.method == "HEAD" {
                _ = shim_set_long(easy, CURLOPT_NOBODY, 1)
            } else if request.method != "GET" {
                // Makes libcurl send Content-Length for an empty body.
                _ = shim_set_string(easy, CURLOPT_COPYPOSTFIELDS, "")
                _ = shim_set_string(easy, CURLOPT_CUSTOMREQUEST, request.method)
            }
            return
        }
        if case .form(let fields, let file) = request.body { return try setForm(fields, file, source) }
        _ = shim_set_long(easy, CURLOPT_UPLOAD, 1)
        if request.method != "PUT" { _ = shim_set_string(easy, CURLOPT_CUSTOMREQUEST, request.method) }
        if let length = source.length {
            _ = shim_set_offset(easy, CURLOPT_INFILESIZE_LARGE, curl_off_t(length))
        }
        _ = shim_set_transfer(easy, CURLOPT_READFUNCTION, readSource)
        _ = shim_set_pointer(easy, CURLOPT_READDATA, source.context)
        _ = shim_set_seek(easy, seekSource)
        _ = shim_set_pointer(easy, CURLOPT_SEEKDATA, source.context)
    }

    private func setForm(
        _ fields: [(name: String, value: String)], _ file: FormFile, _ source: BodySource
    ) throws(HTTPFailure) {
        form = shim_mime_init(easy)
        var codes: [CURLcode] = []
        for field in fields {
            let part = shim_mime_addpart(form)
            codes.append(shim_mime_name(part, field.name))
            codes.append(shim_mime_data(part, field.value, field.value.utf8.count))
        }
        let part = shim_mime_addpart(form)
        codes.append(shim_mime_name(part, file.field))
        codes.append(shim_mime_filename(part, file.fileName))
        codes.append(shim_mime_type(part, file.contentType))
        codes.append(
            shim_mime_source(part, curl_off_t(source.length ?? 0), readSource, seekSource, source.context))
        // A part that could not be allocated gives an error code here instead of a crash.
        guard let form, codes.allSatisfy({ $0 == CURLE_OK }) else {
            throw HTTPFailure(kind: .lost, why: "libcurl can't build the form: it got no memory or no random numbers")
        }
        _ = shim_set_mime(easy, form)
        if request.method != "POST" { _ = shim_set_string(easy, CURLOPT_CUSTOMREQUEST, request.method) }
    }
}

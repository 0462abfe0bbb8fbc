/// A value that is one JSON object: it lists its fields once, for both directions.
package protocol JSONMapped: JSONValue {
    /// A value to read into.
    init()
    mutating func map(_ fields: inout JSONFields)
}

extension JSONMapped {
    package init?(json: JSON) {
        guard case .object(let object) = json else { return nil }
        var fields = JSONFields(reading: object)
        self.init()
        map(&fields)
        guard fields.areWhole else { return nil }
    }

    package var json: JSON {
        var fields = JSONFields()
        var copy = self
        copy.map(&fields)
        return .object(fields.object)
    }
}

/// The fields of an object on their way in or out.
package struct JSONFields {
    fileprivate private(set) var object: JSONObject
    private let isReading: Bool
    /// Every field that must be there was, and each was of its type.
    fileprivate private(set) var areWhole = true

    fileprivate init() {
        object = JSONObject()
        isReading = false
    }

    fileprivate init(reading object: JSONObject) {
        self.object = object
        isReading = true
    }

    /// A field that must be there.
    package mutating func field(_ name: String, _ value: inout some JSONValue) {
        guard isReading else { return object.append(name, value.json) }
        read(object[name] ?? .null, into: &value)
    }

    /// A field that is left out where there is no value.
    package mutating func field<Value: JSONValue>(_ name: String, _ value: inout Value?) {
        guard isReading else { return object.append(name, value?.json) }
        value = nil
        guard let json = object[name], json != .null else { return }
        value = Value(json: json)
        if value == nil { areWhole = false }
    }

    private mutating func read<Value: JSONValue>(_ json: JSON, into value: inout Value) {
        if let found = Value(json: json) { value = found } else { areWhole = false }
    }
}

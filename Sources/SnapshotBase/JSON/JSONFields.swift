/// A value stored as one JSON object. `map` lists its fields once, for reading and for writing.
package protocol JSONMapped: JSONValue {
    /// A default value to read the fields into.
    init()
    mutating func map(_ fields: inout JSONFields)
    /// Members that are not among the fields, e.g. those of a later version. A type that stores them preserves them
    /// when it is written again.
    var others: JSONObject { get set }
}

extension JSONMapped {
    package var others: JSONObject {
        get { JSONObject() }
        set {}
    }

    package init?(json: JSON) {
        guard case .object(let object) = json else { return nil }
        var fields = JSONFields(reading: object)
        self.init()
        map(&fields)
        guard fields.areWhole else { return nil }
        if fields.found < object.members.count { others = unknown(of: object) }
    }

    private func unknown(of object: JSONObject) -> JSONObject {
        var fields = JSONFields(naming: ())
        var copy = self
        copy.map(&fields)
        var unknown = JSONObject()
        for member in object.members where !fields.names.contains(member.name) {
            unknown.append(member.name, member.value)
        }
        return unknown
    }

    package var json: JSON {
        var fields = JSONFields()
        var copy = self
        copy.map(&fields)
        for member in others.members { fields.add(member) }
        return .object(fields.object)
    }
}

/// The fields of an object that is being read or written.
package struct JSONFields {
    private enum Way { case reading, writing, naming }

    fileprivate private(set) var object: JSONObject
    private let way: Way
    /// `found` counts the known fields in the object that is read; `names` collects all names when only these are
    /// wanted.
    fileprivate private(set) var found = 0
    fileprivate private(set) var names: [String] = []
    /// Whether every required field was present, and every field had the right type.
    fileprivate private(set) var areWhole = true

    fileprivate init() {
        object = JSONObject()
        way = .writing
    }

    fileprivate init(naming: Void) {
        object = JSONObject()
        way = .naming
    }

    fileprivate init(reading object: JSONObject) {
        self.object = object
        way = .reading
    }

    fileprivate mutating func add(_ member: JSONObject.Member) { object.append(member.name, member.value) }

    /// Maps a required field.
    package mutating func field(_ name: String, _ value: inout some JSONValue) {
        switch way {
        case .reading: read(member(name) ?? .null, into: &value)
        case .writing: object.append(name, value.json)
        case .naming: names.append(name)
        }
    }

    /// Maps an optional field, which is omitted if it has no value.
    package mutating func field<Value: JSONValue>(_ name: String, _ value: inout Value?) {
        switch way {
        case .reading:
            value = nil
            guard let json = member(name), json != .null else { return }
            value = Value(json: json)
            if value == nil { areWhole = false }
        case .writing: object.append(name, value?.json)
        case .naming: names.append(name)
        }
    }

    private mutating func member(_ name: String) -> JSON? {
        let json = object[name]
        if json != nil { found += 1 }
        return json
    }

    private mutating func read<Value: JSONValue>(_ json: JSON, into value: inout Value) {
        if let found = Value(json: json) { value = found } else { areWhole = false }
    }
}

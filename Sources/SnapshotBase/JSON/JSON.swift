/// A JSON value (RFC 8259). The implementation is our own: in each run `Codable` alone would take longer than this one
/// takes to parse and to write that run's small files.
package enum JSON: Equatable, Sendable {
    case null
    case bool(Bool)
    /// A number that is written without fraction and exponent, and fits in `Int`.
    case integer(Int)
    case number(Double)
    case string(String)
    case array([JSON])
    case object(JSONObject)

    /// A member of an object; nil if there is none, or if this value is not an object.
    package subscript(_ name: String) -> JSON? {
        guard case .object(let object) = self else { return nil }
        return object[name]
    }

    /// An element of an array; nil if there is none, or if this value is not an array.
    package subscript(_ index: Int) -> JSON? {
        guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
        return elements[index]
    }

    package var string: String? { String(json: self) }
    package var integer: Int? { Int(json: self) }
    package var double: Double? { Double(json: self) }
}

/// The members of an object, in the order in which they are written.
package struct JSONObject: Equatable, Sendable, ExpressibleByDictionaryLiteral {
    package struct Member: Equatable, Sendable {
        package let name: String
        package let value: JSON
    }

    package private(set) var members: [Member] = []

    package init() {}

    /// Members without a value are left out.
    package init(dictionaryLiteral members: (String, (any JSONValue)?)...) {
        for (name, value) in members { append(name, value?.json) }
    }

    /// Adds a member at the end, unless `value` is nil.
    package mutating func append(_ name: String, _ value: JSON?) {
        if let value { members.append(Member(name: name, value: value)) }
    }

    package subscript(_ name: String) -> JSON? { members.first { $0.name == name }?.value }

    package func without(_ names: String...) -> JSONObject {
        var rest = self
        rest.members.removeAll { names.contains($0.name) }
        return rest
    }
}

/// A type that can be written as JSON and read back.
package protocol JSONValue {
    init?(json: JSON)
    var json: JSON { get }
}

extension JSON: JSONValue {
    package init?(json: JSON) { self = json }
    package var json: JSON { self }
}

extension JSONObject: JSONValue {
    package init?(json: JSON) {
        guard case .object(let object) = json else { return nil }
        self = object
    }
    package var json: JSON { .object(self) }
}

extension Bool: JSONValue {
    package init?(json: JSON) {
        guard case .bool(let value) = json else { return nil }
        self = value
    }
    package var json: JSON { .bool(self) }
}

/// Integers are limited to `largestInJSON` in both directions, so that every written number can be read, and sums do
/// not overflow.
extension Int: JSONValue {
    package init?(json: JSON) {
        switch json {
        case .integer(let value): self = value
        case .number(let value):
            guard let whole = Int(exactly: value) else { return nil }
            self = whole
        case .null, .bool, .string, .array, .object: return nil
        }
        guard magnitude <= Int.largestInJSON else { return nil }
    }
    package var json: JSON { .integer(fittingJSON) }
}

extension Int64: JSONValue {
    package init?(json: JSON) {
        guard let value = Int(json: json) else { return nil }
        self = Int64(value)
    }
    package var json: JSON { Int(self).json }
}

extension Double: JSONValue {
    package init?(json: JSON) {
        switch json {
        case .integer(let value): self = Double(value)
        case .number(let value): self = value
        case .null, .bool, .string, .array, .object: return nil
        }
        guard magnitude <= Double(Int.largestInJSON) else { return nil }
    }
    /// Infinities and numbers that are too large become the nearest number that can be read back, NaN becomes 0.
    package var json: JSON { .number(magnitude <= Double(Int.largestInJSON) ? self : Double(Int(bounded: self))) }
}

extension String: JSONValue {
    package init?(json: JSON) {
        guard case .string(let value) = json else { return nil }
        self = value
    }
    package var json: JSON { .string(self) }
}

extension Array: JSONValue where Element: JSONValue {
    package init?(json: JSON) {
        guard case .array(let elements) = json else { return nil }
        self = []
        reserveCapacity(elements.count)
        for element in elements {
            guard let value = Element(json: element) else { return nil }
            append(value)
        }
    }
    package var json: JSON { .array(map { $0.json }) }
}

extension Dictionary: JSONValue where Key == String, Value: JSONValue {
    package init?(json: JSON) {
        guard case .object(let object) = json else { return nil }
        self = [:]
        for member in object.members {
            guard let value = Value(json: member.value) else { return nil }
            self[member.name] = value
        }
    }
    package var json: JSON {
        var object = JSONObject()
        for (name, value) in self.sorted(by: { $0.key < $1.key }) { object.append(name, value.json) }
        return .object(object)
    }
}

extension JSONValue where Self: RawRepresentable, RawValue == String {
    package init?(json: JSON) {
        guard let text = String(json: json) else { return nil }
        self.init(rawValue: text)
    }
    package var json: JSON { .string(rawValue) }
}

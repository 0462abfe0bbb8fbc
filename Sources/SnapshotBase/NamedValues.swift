/// Values by name, found by linear search. For a few dozen entries that is cheaper than a dictionary, whose first use
/// makes the runtime scan every protocol conformance in the program, at each start.
///
/// It is public because only then does the compiler specialise it in other modules: unspecialised, a look-up takes
/// three times as long.
public struct NamedValues<Value> {
    public typealias Entry = (name: String, value: Value)

    @usableFromInline
    var all: [Entry] = []
    @inlinable
    public var entries: [Entry] { all }

    @inlinable
    public init() {}

    @inlinable
    func index(of name: String) -> Int? {
        // Most names differ in length, which is cheaper to compare than the bytes.
        let length = name.utf8.count
        for index in 0..<all.count
        where all[index].name.utf8.count == length && all[index].name == name { return index }
        return nil
    }

    package init(_ values: [String: Value]) { all = values.map { ($0.key, $0.value) } }

    /// Adds a value whose name must not exist yet.
    @inlinable
    public mutating func append(_ name: String, _ value: Value) { all.append((name, value)) }

    @inlinable
    public subscript(_ name: String) -> Value? {
        get { index(of: name).map { all[$0].value } }
        set {
            switch (index(of: name), newValue) {
            case (let index?, let value?): all[index].value = value
            case (let index?, nil): all.remove(at: index)
            case (nil, let value?): all.append((name, value))
            case (nil, nil): break
            }
        }
    }
}

extension NamedValues: Sendable where Value: Sendable {}

extension NamedValues: Equatable where Value: Equatable {
    public static func == (left: NamedValues, right: NamedValues) -> Bool {
        left.entries.count == right.entries.count && left.entries.allSatisfy { right[$0.name] == $0.value }
    }
}

extension NamedValues: ExpressibleByDictionaryLiteral {
    @inlinable
    public init(dictionaryLiteral entries: (String, Value)...) {
        for (name, value) in entries { self[name] = value }
    }
}

extension NamedValues: JSONValue where Value: JSONValue {
    package init?(json: JSON) {
        guard case .object(let object) = json else { return nil }
        for member in object.members {
            guard let value = Value(json: member.value) else { return nil }
            self[member.name] = value
        }
    }

    package var json: JSON {
        var object = JSONObject()
        for (name, value) in entries { object.append(name, value.json) }
        return .object(object)
    }
}

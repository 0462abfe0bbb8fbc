import SnapshotBase

/// What a state remembers of the folder that it stores into: `STATE_PATH/folder.json`. A file of its own, so that a lost
/// state doesn't forget which disk the pictures belong on; written only when it changes.
package struct FolderMemory: JSONMapped, Equatable, Sendable {
    /// The folder that the rest belongs to, an absolute path.
    package var path = ""
    /// The mount point that pictures were stored below; nil where they lay beside the root's other files.
    package var mount: String?
    /// The mount point of which a person has said that nothing needs to be mounted there.
    package var accepted: String?
    /// When the folder itself was made, and its number: another disk has others. Nil where the file system doesn't tell.
    package var identity: String?
    /// Set while what lay there before is yet to be found.
    package var search: Search?

    /// How far a search for earlier pictures has come.
    package struct Search: JSONMapped, Equatable, Sendable {
        /// The last folder that was looked through, below `path`.
        package var done: String?
        /// What was stored from then on is known, in milliseconds since 1970.
        package var before: Int = 0

        package init() {}

        package mutating func map(_ fields: inout JSONFields) {
            fields.field("done", &done)
            fields.field("before", &before)
        }
    }

    package static let fileName = "folder.json"

    package init() {}

    package mutating func map(_ fields: inout JSONFields) {
        fields.field("path", &path)
        fields.field("mount", &mount)
        fields.field("accepted", &accepted)
        fields.field("identity", &identity)
        fields.field("search", &search)
    }

    /// The memory in a state directory; nil where there is none that can be read.
    package init?(reading statePath: String, _ name: String = fileName) {
        guard let bytes = try? readFile(statePath + "/" + name, limit: 65536),
            let found = JSON(bytes).flatMap(FolderMemory.init(json:))
        else { return nil }
        self = found
    }

    package func write(to statePath: String, _ name: String = fileName) throws(SystemError) {
        let path = statePath + "/" + name
        try writeDurably([json.bytes], to: path, temporary: path + ".new", mode: 0o600)
    }
}

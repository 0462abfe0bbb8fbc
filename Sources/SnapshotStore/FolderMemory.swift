import SnapshotBase

/// What a state knows about the folder that it stores into: `STATE_PATH/folder.json`. It is a file of its own, so that
/// losing the record doesn't lose which disk the pictures belong on; it is written only when it changes.
package struct FolderMemory: JSONMapped, Equatable, Sendable {
    /// The folder that the other fields describe, an absolute path.
    package var path = ""
    /// The mount point below which pictures were stored; nil where the folder is on the root file system.
    package var mount: String?
    /// A mount point that a person has accepted as unmounted (`snapshot check --accept-folder`).
    package var accepted: String?
    /// The folder's inode and time of creation, which a folder on another disk doesn't have; nil where unknown.
    package var identity: String?
    /// Set while the search for earlier pictures isn't complete.
    package var search: SearchProgress?

    /// How far the search for earlier pictures has come.
    package struct SearchProgress: JSONMapped, Equatable, Sendable {
        /// The folder that was searched last, relative to `path`; nil at the start.
        package var done: String?
        /// In milliseconds since 1970: pictures from then on are in the ledger already.
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

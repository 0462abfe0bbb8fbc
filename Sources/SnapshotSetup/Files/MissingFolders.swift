import SnapshotBase

/// The folders that a path lacks, so that they can be removed again after they were created.
struct MissingFolders {
    /// Innermost first.
    private let paths: [String]

    init(_ path: String) {
        var (path, missing) = (path, [String]())
        while fileStatus(path) == nil, parentDirectory(path) != path {
            missing.append(path)
            path = parentDirectory(path)
        }
        paths = missing
    }

    /// Removes those that exist now and are empty.
    func remove() { for path in paths { removeFolder(path) } }
}

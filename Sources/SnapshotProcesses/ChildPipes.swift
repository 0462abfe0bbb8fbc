import Glibc
import SnapshotBase

/// Both ends of a command's pipes.
struct Pipes {
    var ours: [Int32: FileHandle] = [:]
    /// The child's ends; the index is the child's descriptor.
    var theirs: [FileHandle] = []

    init(_ command: Command) throws(SystemError) {
        let numbers = [2] + Array(command.inputs.keys) + Array(command.handles.keys) + Array(command.outputs)
        let count = (numbers.max() ?? 2) + 1
        for number in 0..<count {
            if let bytes = command.inputs[number] {
                let (reader, writer) = try makePipe()
                // The pipe is filled before its reader exists elsewhere, so writing neither blocks nor raises SIGPIPE.
                guard bytes.count <= 4096 else { throw SystemError("pipe", number: E2BIG) }
                try writer.write(bytes)
                theirs.append(reader)
            } else if command.outputs.contains(number) {
                let (reader, writer) = try makePipe()
                guard fcntl(reader.descriptor, F_SETFL, O_NONBLOCK) == 0 else { throw SystemError("fcntl") }
                ours[number] = reader
                theirs.append(writer)
            } else if let handle = command.handles[number] {
                theirs.append(handle)
            } else {
                theirs.append(try FileHandle(opening: "/dev/null", O_RDWR))
            }
        }
    }
}

import Glibc
import SnapshotBase
import SnapshotMedia
import SnapshotProcesses
import Testing

@testable import SnapshotRelay

@Suite struct PeerTests {
    /// Both ends of a connection over loopback; this process has both, so it is also the peer.
    private func connection() throws -> (near: FileHandle, far: FileHandle) {
        let (listener, port) = try listenOnLoopback()
        let far = try connect(to: "127.0.0.1", port: port, timeout: .seconds(5), deadline: .after(.seconds(5)))
        let near = accept(listener.descriptor, nil, nil)
        return (FileHandle(owning: near), far)
    }

    @Test func whoseConnectionItIs() throws {
        let (near, far) = try connection()
        let peer = try #require(Peer(of: near))
        #expect(peer.belongs(toGroup: getpgrp()))
        // Another program of the same user is another.
        let child = try Child(Command("sleep", ["60"], environment: [:]))
        #expect(!peer.belongs(toGroup: child.pid) && !peer.belongs(toGroup: 1))
        withExtendedLifetime(far) {}
    }

    @Test func whatTheKernelTellsOfOneIsWhatItListsOfAll() throws {
        let (near, far) = try connection()
        let peer = try #require(Peer(of: near))
        #expect(try #require(Peer.ends(of: near).flatMap { Peer(listed: $0) }) == peer)
        withExtendedLifetime(far) {}
    }

    @Test func oneThatIsGoneIsNobodys() throws {
        let near = try connection().near
        #expect(Peer(of: near)?.belongs(toGroup: getpgrp()) != true)
    }
}

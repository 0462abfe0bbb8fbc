import Glibc
import Testing

@testable import SnapshotBase

@Suite struct AccessListTests {
    @Test(arguments: [0o640, 0o600, 0o750, 0o604] as [UInt32])
    func aGroupIsAddedAndTakenBack(mode: UInt32) {
        var list = AccessList(mode: mode)
        let before = list
        let isNew = list.set(group: 995, to: 4)
        #expect(isNew)
        #expect(list.entries.map(\.tag) == [0x01, 0x04, 0x08, 0x10, 0x20])
        #expect(list.entries[2] == AccessList.Entry(tag: 0x08, rights: 4, id: 995))
        #expect(list.entries[3].rights == UInt16(mode >> 3 & 7) | 4)
        let again = list
        let isNewAgain = list.set(group: 995, to: 4)
        #expect(!isNewAgain && list == again)
        #expect(AccessList(bytes: list.bytes[...]) == list)
        let isGone = list.set(group: 995, to: nil)
        #expect(isGone)
        #expect(list.entries.filter { $0.tag != 0x10 } == before.entries)
    }

    @Test func whatOthersWereGivenStays() {
        var list = AccessList(mode: 0o640)
        for (group, rights) in [(33, 5), (995, 4), (995, nil)] as [(gid_t, UInt16?)] {
            _ = list.set(group: group, to: rights)
        }
        #expect(list.entries.contains(AccessList.Entry(tag: 0x08, rights: 5, id: 33)))
    }

    @Test(arguments: [[], [2, 0, 0], [1, 0, 0, 0], [2, 0, 0, 0, 1], Array(repeating: 255, count: 44)] as [[UInt8]])
    func noListIsMadeOfNoise(bytes: [UInt8]) {
        #expect(AccessList(bytes: bytes[...]) == nil)
    }
}

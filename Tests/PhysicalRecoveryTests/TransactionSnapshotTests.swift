// How many transactions one server had seen end, and another had not.

import PhysicalRecovery
import Testing

struct TransactionSnapshotTests {
    @Test(arguments: [
        ("10:10:", "10:10:", 0), ("10:10:", "13:13:", 3), ("10:10:", "11:13:11", 2), ("8:10:8,9", "9:12:9", 3), ("13:13:", "10:10:", 0),
    ])
    func ended(before: String, after: String, count: Int64) throws {
        #expect(try #require(TransactionSnapshot(before)).ended(in: try #require(TransactionSnapshot(after))) == count)
    }

    @Test(arguments: ["", "10", "10:x:", "10:10:a", "1:2:3:4"])
    func none(text: String) { #expect(TransactionSnapshot(text) == nil) }
}

// Which position of the log is a snapshot's, without a server.

import DrillModel
import OutsideTools
import Testing

@testable import PhysicalRecovery

@Suite struct MomentSearchTests {
    /// Of transactions 100 to 105, and all before; 103 was still running.
    private let snapshot = Seal.Moment.Snapshot(xmin: 103, xmax: 106, running: [103])

    private func commits(_ all: [(UInt32, UInt64)]) -> [PgWaldump.TransactionEnd] {
        all.map { PgWaldump.TransactionEnd(isCommit: true, transaction: $0, position: $1) }
    }

    private func judge(_ all: [(UInt32, UInt64)], before: UInt64 = 1000) -> MomentSearch.Outcome {
        MomentSearch.judge(commits(all), snapshot, before: before)
    }

    /// Right behind the last one that was seen, and never behind one that was not.
    @Test func betweenTheTwo() {
        #expect(judge([(104, 1100), (105, 1200), (106, 1300)]) == .at(1201, upTo: 1201))
        #expect(judge([(104, 1100), (105, 1200)]) == .at(1201, upTo: 1201))
        #expect(judge([(103, 900), (106, 1300)]) == .at(900, upTo: 900), "one that waits for its flush stands before its time")
        #expect(judge([(106, 1000)]) == .at(1000, upTo: 1000))
        #expect(judge([]) == .at(1000, upTo: 1000), "an idle source")
    }

    /// The fewest that any position has on its wrong side.
    @Test func interleaved() {
        #expect(judge([(104, 1100), (103, 1150), (105, 1200)]) == .interleaved(commits: 1))
        #expect(judge([(106, 1100), (107, 1150), (104, 1200), (105, 1250), (102, 1300)]) == .interleaved(commits: 2))
    }

    /// The log names transactions without their epoch.
    @Test func numbersGoRound() {
        let epoch: UInt64 = 1 << 32
        let young = Seal.Moment.Snapshot(xmin: epoch - 2, xmax: epoch + 5, running: [epoch - 2, epoch + 3])
        #expect(young.full(4_294_967_294) == epoch - 2 && young.full(3) == epoch + 3 && young.full(9) == epoch + 9)
        #expect(!young.saw(4_294_967_294) && young.saw(4_294_967_295) && !young.saw(3) && young.saw(4) && !young.saw(5))
    }

    @Test func snapshotsAreRead() {
        #expect(Seal.Moment.Snapshot("741:745:741,743") == Seal.Moment.Snapshot(xmin: 741, xmax: 745, running: [741, 743]))
        #expect(Seal.Moment.Snapshot("741:741:") == Seal.Moment.Snapshot(xmin: 741, xmax: 741, running: []))
        for text in ["", "741", "741:745", "741:745:a", "741:745:741,743:1"] { #expect(Seal.Moment.Snapshot(text) == nil) }
    }
}

// How far a replica was behind: at the very byte where it wasn't any more, and at which its history ends. Nobody is asked here.

import DrillModel
import RedisClient
import Testing

@testable import RedisRecovery

@Suite struct ReplicaLagTests {
    private func state(
        offset: Int64, history: String = "a", isLinked: Bool = false, down: Duration? = nil, patience: Duration? = nil
    ) -> ReplicaState {
        ReplicaState(
            history: history, primary: "p:6379", offset: offset, isLinked: isLinked, silence: isLinked ? .seconds(3) : nil, linkDown: down,
            patience: patience, isReadOnly: true, size: 1, version: "7.0.15", release: nil, keys: [:], expiring: [:])
    }

    /// A primary that was promoted tells the first byte that it doesn't share with the history which it went on from.
    @Test func whereASharedHistoryEnds() {
        let position = ReplicationPosition(history: "b", offset: 120, before: ("a", 101), asked: .now)
        #expect(position.holds(state(offset: 100)) && !position.holds(state(offset: 101)))
        #expect(position.holds(state(offset: 500, history: "b")) && !position.holds(state(offset: 1, history: "c")))
        #expect(!ReplicationPosition(history: "b", offset: 120, before: nil, asked: .now).holds(state(offset: 1)))
    }

    @Test func whatAReplicasOwnWordsTell() {
        #expect(state(offset: 1, isLinked: true).age == .seconds(3) && state(offset: 1).age == nil)
        #expect(state(offset: 1, down: .seconds(2), patience: .seconds(9)).age == .seconds(11))
        #expect(state(offset: 1, down: .seconds(2)).age == .seconds(62), "its default")
    }
}

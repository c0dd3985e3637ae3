// How far a standby was behind: at the very byte and the very moment where it wasn't any more. Nobody is asked here.

import DrillModel
import Foundation
import PostgresClient
import Testing

@testable import PhysicalRecovery

@Suite struct StandbyLagTests {
    private let clock = Date(timeIntervalSince1970: 1_795_395_087)
    private let asked = ContinuousClock.now

    /// - Parameter commit: Seconds between the primary's answer and the last commit that was replayed.
    private func lag(replayed: UInt64, received: UInt64? = nil, commit: Double? = nil, silence: Double = 5) async throws -> StandbyLag {
        let snapshot = try #require(TransactionSnapshot("8:10:"))
        let state = StandbyState(
            systemIdentifier: "7", timeline: "1", serverVersion: 150_018, received: received, replayed: replayed,
            lastCommit: commit.map { clock.addingTimeInterval($0) }, snapshot: snapshot, isPaused: false, isStreaming: true, size: 1)
        let position = PrimaryPosition(systemIdentifier: "7", end: 0x500_0100, snapshot: snapshot, clock: clock, asked: asked)
        let probe = StandbyProbe(standby: PostgresConfiguration(host: "/nowhere/at/all"), service: "postgres")
        return try await probe.lag(of: state, behind: position, lostAt: asked.advanced(by: .seconds(silence)))
    }

    @Test func whatWasReplayed() async throws {
        let all = try await lag(replayed: 0x500_0100)
        #expect(all.isCaughtUp && all.bytes == 0 && all.unreceived == nil)
        // One byte less, and it is asked again.
        await #expect(throws: DrillFailure.self) { try await lag(replayed: 0x500_00ff) }
    }

    @Test(arguments: [(0x500_00fe, 2), (0x500_0100, 0), (0x500_0102, 0)] as [(UInt64, UInt64)])
    func whatWasReceived(_ received: UInt64, _ lacking: UInt64) async throws {
        #expect(try await lag(replayed: 0x500_0100, received: received).unreceived == lacking)
    }

    /// What the primary did in the seconds behind its answer is lost, but for what the standby shows of them.
    @Test(arguments: [(nil, 5), (0, 5), (-3, 5), (3, 2), (5, 0), (7, 0)] as [(Double?, Int)])
    func theSecondsBehindTheAnswer(_ commit: Double?, _ lost: Int) async throws {
        #expect(try await lag(replayed: 0x500_0100, commit: commit).time == .seconds(lost))
    }
}

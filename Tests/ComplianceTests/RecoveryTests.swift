// Whether a green run is the recovery from an earlier red one: what is told to people.

import DrillModel
import Foundation
import Reports
import Testing

@Suite struct RecoveryTests {
    private let deep = red("digest-differs", "daily", group: .policy, name: "daily: every artifact reads to its end")
    private let read = green(group: .policy, name: "daily: every artifact reads to its end")

    /// What the newest run of a folder, which is green, is the recovery from.
    private func recovered(_ folder: RunFolder, names: [String: String] = [:]) async throws -> [String: Verdict] {
        let history = RunHistory(folder: folder.folder)
        let own = try #require(try history.runs().first)
        let records = try await history.records(of: own)
        return await history.recovered(
            records, of: folder.estate, names: names, before: try #require(records.first).row.started, without: own)
    }

    @Test func redThenGreen() async throws {
        let folder = try RunFolder()
        try folder.run("nightly", at: "2026-11-01T10:00:00Z", [red()])
        try folder.run("nightly", at: "2026-11-02T10:00:00Z")
        #expect(try await recovered(folder) == ["nightly": .failed])
        try folder.run("nightly", at: "2026-11-03T10:00:00Z")
        #expect(try await recovered(folder) == [:])
    }

    /// A plain inspection says nothing of what --deep found; the deep one that follows does, whatever was green in between.
    @Test func whatWasRedIsAskedAgain() async throws {
        let folder = try RunFolder()
        try folder.run(nil, at: "2026-11-01T10:00:00Z", [deep], facts: [.deepInspection])
        try folder.run(nil, at: "2026-11-02T10:00:00Z", [green(group: .policy, name: "daily: made every day")])
        #expect(try await recovered(folder) == [:])
        try folder.run(nil, at: "2026-11-03T10:00:00Z", [read], facts: [.deepInspection])
        #expect(try await recovered(folder) == ["inspection of shop": .failed])
    }

    @Test func aSkippedQuestionIsNoAnswer() async throws {
        let folder = try RunFolder()
        try folder.run("nightly", at: "2026-11-01T10:00:00Z", [red("rto-missed", "nightly", group: .objective, name: "RTO")])
        try folder.run(
            "nightly", at: "2026-11-02T10:00:00Z", [green(), .skipped(.objective, service: "postgres", name: "RTO", reason: "fast")])
        #expect(try await recovered(folder) == [:])
    }

    /// Neither the lab nor an inspection as of last week tells how things are.
    @Test func whatTellsNothing() async throws {
        let folder = try RunFolder()
        try folder.run("nightly", at: "2026-11-01T10:00:00Z", [red()], standIn: "/tmp/lab/estate.yaml")
        try folder.run(nil, at: "2026-11-01T11:00:00Z", [red(group: .policy)], asOf: "2026-10-01T10:00:00Z")
        try folder.run("nightly", at: "2026-11-02T10:00:00Z")
        #expect(try await recovered(folder) == [:])
        try folder.run(nil, at: "2026-11-03T10:00:00Z", [green(group: .policy)])
        #expect(try await recovered(folder) == [:])
        let report = try await folder.quarter("2026-Q4", [folder.plan("nightly")], now: "2026-11-30T06:00:00Z")
        #expect(report.actions.isEmpty && report.runs.map(\.verdict) == [.passed, .passed])
    }

    @Test func aFormerNameAndACutOffRun() async throws {
        let folder = try RunFolder()
        try folder.run("one", at: "2026-11-01T10:00:00Z", [green()], isCutOff: true)
        try folder.run("uno", at: "2026-11-02T10:00:00Z")
        #expect(try await recovered(folder, names: ["one": "uno"]) == ["uno": .error])
        #expect(try await recovered(folder) == [:])
    }
}

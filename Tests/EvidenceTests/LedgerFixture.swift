// A small ledger of real runs' shape, in a folder that goes away with the test.

import Cryptography
import DrillModel
import Foundation
import Testing

@testable import Evidence

final class LedgerFixture: Sendable {
    let folder: URL
    let key: Ed25519PrivateKey
    let estate: Estate
    private let evidence: RunEvidence

    init(key: Ed25519PrivateKey? = nil) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "muster-evidence-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        self.key = try key ?? Ed25519PrivateKey.generate()
        let keyFile = folder.appending(path: "evidence.key")
        try self.key.pem().withBytes { try Data($0).write(to: keyFile) }
        let trust = folder.appending(path: "evidence.pub")
        try Data(self.key.publicKey().pem().utf8).write(to: trust)
        let file = folder.appending(path: "estate.yaml")
        try Data("version: 1\n".utf8).write(to: file)
        estate = Self.estate(file, EvidencePolicy(signingKey: .file(keyFile), trustedKeys: [trust]))
        evidence = try #require(try RunEvidence([(estate, nil)]))
        try FileManager.default.createDirectory(at: reports, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    static func estate(_ file: URL, _ policy: EvidencePolicy?) -> Estate {
        var estate = Estate(name: "shop", timeZone: .gmt, stores: [:], keys: [:], services: [:], seals: SealPolicy(), file: file)
        estate.evidence = policy
        return estate
    }

    var reports: URL { folder.appending(path: "reports") }
    var file: URL { reports.appending(path: "ledger.jsonl") }
    var trust: URL { folder.appending(path: "evidence.pub") }

    static func name(_ number: Int) -> String { "run-20260314T023000Z-\(String(0x1_0000 + number, radix: 16).suffix(4))" }

    /// A run with two small reports, appended.
    @discardableResult
    func run(_ number: Int, evidence: RunEvidence? = nil, ledger: Ledger? = nil, facts: [Fact] = [], environment: [String: String] = [:])
        throws -> LedgerHead
    {
        let folder = reports.appending(path: Self.name(number))
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data("{\"run\":\(number)}\n".utf8).write(to: folder.appending(path: "report.json"))
        try Data("{\"v\":1}\n".utf8).write(to: folder.appending(path: "events.jsonl"))
        return try (evidence ?? self.evidence).append(
            Self.report(number, estate: estate, facts: facts), in: folder, to: ledger ?? Ledger(folder: reports), environment)
    }

    static func report(_ number: Int, estate: Estate, facts: [Fact] = []) -> RunReport {
        let start = Date(timeIntervalSince1970: 1_773_455_400)
        let events: [Event.Kind] =
            [
                .runStarted(RunInfo(musterVersion: "0.1.0", host: "drill-host", runID: name(number), drills: 1)),
                .drillStarted(
                    DrillInfo(
                        name: "nightly", estate: estate.name, estateFile: estate.file.path, scenario: .databaseCorruption,
                        profile: .production, disaster: start, timeZone: .gmt)),
            ] + facts.map { .fact($0) } + [
                .drillFinished(
                    DrillOutcome(
                        verdict: .passed, duration: .seconds(90), steps: [],
                        objectives: Objectives(
                            rto: RecoveryTime(
                                measured: .milliseconds(90_250), allowances: [], target: .seconds(14_400), profile: .production,
                                accepting: [:]),
                            rpo: [
                                RecoveryPointAge(
                                    service: "postgres", disaster: start, recovered: start.addingTimeInterval(-3600), source: nil,
                                    worstCase: nil, target: .seconds(21_600))
                            ], skew: nil), unproven: [])), .runFinished(.passed),
            ]
        var report = RunReport()
        for kind in events { report.apply(Event(time: start, elapsed: .seconds(1), kind: kind)) }
        return report
    }

    func verify(_ anchor: LedgerHead? = nil, allowsMissingRuns: Bool = false) throws -> LedgerVerification {
        try LedgerVerification(folder: reports, trusting: [trust], anchor: anchor, allowsMissingRuns: allowsMissingRuns)
    }

    /// What the entries say, where gone folders are no damage.
    func records() throws -> [LedgerRecord] {
        try LedgerVerification(folder: reports, trusting: [trust], allowsMissingRuns: true, collectingRecords: true).records
    }

    var bytes: Data { (try? Data(contentsOf: file)) ?? Data() }

    func replace(_ bytes: Data) throws { try bytes.write(to: file) }

    /// The lines, without line feeds.
    var lines: [String] { String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init) }

    func put(_ lines: [String]) throws { try replace(Data(lines.map { $0 + "\n" }.joined().utf8)) }

    func statement(_ line: Int) throws -> [String: Any] {
        guard case .whole(let entry) = LedgerLine.read(Data(lines[line].utf8)), let payload = Data(base64Encoded: entry.payload) else {
            throw CocoaError(.coderReadCorrupt)
        }
        return try #require(try JSONSerialization.jsonObject(with: payload) as? [String: Any])
    }

    /// The second verifier, which knows nothing of muster.
    func shell(_ arguments: String...) throws -> (code: Int32, text: String) {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "scripts/verify-evidence")
        let process = Process()
        let output = folder.appending(path: "shell-\(UUID().uuidString)")
        try Data().write(to: output)
        let handle = try FileHandle(forWritingTo: output)
        defer { try? handle.close() }
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["bash", script.path] + (arguments.isEmpty ? [reports.path, trust.path] : arguments)
        process.standardOutput = handle
        process.standardError = handle
        process.standardInput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return (process.terminationStatus, (try? String(contentsOf: output, encoding: .utf8)) ?? "")
    }
}

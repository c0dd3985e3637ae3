// report.json as a reader of it sees it.

import Foundation

struct Report: Decodable, Sendable {
    struct Run: Decodable, Sendable {
        var id: String
        var verdict: String
        var interrupted: Bool
    }
    struct Drill: Decodable, Sendable {
        var name: String
        var verdict: String
        var interrupted: Bool
        var profile: String
        var scenario: String?
        var estateFile: String?
        var estateFileNamed: String?
        var recoveryPoints: [Point]
        var steps: [Step]
        var objectives: Objectives?
        var unproven: [String]
        var facts: [Fact]
        var cases: [Case]

        var findings: [Finding] { cases.flatMap(\.findings) }
        /// Of the findings, but for what is said of the release of this machine's PostgreSQL, which made the lab.
        var rules: [String] { findings.map(\.rule).filter { $0 != "known-server-bug" } }
        func cases(of group: String, service: String? = nil) -> [Case] {
            cases.filter { $0.group == group && (service == nil || $0.service == service) }
        }
        func fact(_ name: String) -> String? { facts.first { $0.name == name }?.value }
    }
    struct Point: Decodable, Sendable {
        var service: String
        var path: String
        var rejected: Int
        var sealed: Bool
        var truth: String?
        var time: String
    }
    struct Step: Decodable, Sendable {
        struct Activity: Decodable, Sendable {
            var service: String?
            var start: Double
            var end: Double
            var verdict: String
            var detail: String
        }
        var step: String
        var verdict: String
        var duration: Double
        var activities: [Activity]
    }
    struct Fact: Decodable, Sendable {
        var name: String
        var value: String
    }
    struct Case: Decodable, Sendable {
        var group: String
        var service: String?
        var name: String
        var verdict: String
        var reason: String?
        var findings: [Finding]
    }
    struct Finding: Decodable, Sendable {
        var rule: String
        var severity: String
        var object: String
        var expected: String
        var actual: String
        var message: String
        var hint: String
    }
    struct Objectives: Decodable, Sendable {
        struct RTO: Decodable, Sendable {
            var achieved: Double?
            var measured: Double?
            var target: Double?
            var profile: String
            var accepting: [String: Double]
            var verdict: String
        }
        struct RPO: Decodable, Sendable {
            var service: String
            var recovered: String?
            var achieved: Double?
            var target: Double?
            var timeSource: String?
            var verdict: String
        }
        var rto: RTO
        var rpo: [RPO]
        var skew: Double?
    }
    var schemaVersion: Int
    var run: Run
    var drills: [Drill]
}

/// One run's folder.
struct RunFolder: Sendable {
    var url: URL

    func text(_ name: String) throws -> String { String(decoding: try Data(contentsOf: url.appendingPathComponent(name)), as: UTF8.self) }

    func report() throws -> Report {
        try JSONDecoder().decode(Report.self, from: Data(contentsOf: url.appendingPathComponent("report.json")))
    }

    /// Every line of events.jsonl as an object; throws where one is no JSON.
    func events() throws -> [[String: Any]] {
        try text("events.jsonl").split(separator: "\n").map {
            try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] ?? [:]
        }
    }
}

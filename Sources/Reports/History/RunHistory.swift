// The runs that lie in a folder: found by name, read from their own reports, and removed by age where somebody asks for that.

public import DrillModel
public import Foundation

/// A folder of runs, as `--output` names it.
public struct RunHistory: Sendable {
    public var folder: URL

    public init(folder: URL) { self.folder = folder }

    /// One drill of one run.
    public struct Row: Sendable, Hashable {
        public var run: String
        public var drill: String
        /// The estate's name.
        public var estate: String
        public var isInspection: Bool
        public var started: Date
        /// The instant that it was judged for.
        public var asOf: Date
        public var timeZone: TimeZone
        public var verdict: Verdict
        /// It was cut off, or is not over.
        public var isUnfinished: Bool
        public var profile: String?
        public var recoveryTime: Objective?
        /// By service.
        public var recoveryPoints: [String: Objective]
        /// Of the findings that turned a case red.
        public var failed: Int
    }

    /// What was measured against a target.
    public struct Objective: Sendable, Hashable {
        /// nil where nothing came back.
        public var achieved: Duration?
        public var target: Duration?
        public var verdict: Verdict

        public init(achieved: Duration?, target: Duration?, verdict: Verdict) {
            self.achieved = achieved
            self.target = target
            self.verdict = verdict
        }
    }

    /// A run whose reports can't be read.
    public struct Unreadable: Sendable, Hashable {
        public var run: String
        public var problem: ReplayError

        public init(run: String, problem: ReplayError) {
            self.run = run
            self.problem = problem
        }
    }

    /// The newest first, by their names, which sort by time.
    ///
    /// - Throws: ``ReplayError``: the folder can't be listed.
    public func runs() throws(ReplayError) -> [String] {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path) else {
            throw ReplayError(
                .notFound, "\(folder.path) can't be listed",
                hint: "name the folder that runs were written to with --output; a first run makes it")
        }
        return names.filter { $0.wholeMatch(of: Self.name) != nil }.sorted(by: >)
    }

    /// `run-20260314T023000Z-0a1b`
    nonisolated(unsafe) private static let name = /run-[0-9]{8}T[0-9]{6}Z-[0-9a-f]{4}/

    /// The drills of the newest runs, the newest first.
    ///
    /// - Parameters:
    ///   - drill: Only drills of this name.
    ///   - last: At most so many.
    public func rows(drill: String? = nil, last: Int) async throws(ReplayError) -> (rows: [Row], unreadable: [Unreadable]) {
        var rows: [Row] = []
        var unreadable: [Unreadable] = []
        for run in try runs() where rows.count < last {
            do throws(ReplayError) {
                rows += try await self.rows(of: run).reversed().filter { drill == nil || $0.drill == drill }
            } catch {
                unreadable.append(Unreadable(run: run, problem: error))
            }
        }
        return (Array(rows.prefix(last)), unreadable)
    }

    func rows(of run: String) async throws(ReplayError) -> [Row] {
        try await document(of: run).drills.map { Row($0, of: run) }
    }

    /// One drill of one run, with all that was asked in it.
    public struct Record: Sendable {
        public var row: Row
        /// The estate file that it ran against, and the one that its drill names where that is another: a rehearsal on a stand-in.
        public var estateFile: String?
        public var namedEstateFile: String?
        public var host: String?
        public var cases: [CaseResult]
        public var facts: [Fact]

        /// Whether it is of an estate. What was rehearsed on a stand-in, such as the lab, proves nothing of the estate that the drill names,
        /// though both may have one name.
        public func isOf(_ estate: Estate) -> Bool {
            row.estate == estate.name && (namedEstateFile == nil || estateFile == estate.file.path)
        }
    }

    /// What a run tells of each of its drills.
    ///
    /// - Throws: ``ReplayError``: of kind `empty` where it was cut off before its first drill began, or is about to begin it.
    public func records(of run: String) async throws(ReplayError) -> [Record] {
        let document = try await document(of: run)
        return try document.drills.map { drill throws(ReplayError) in
            guard let record = Record(drill, of: run, host: document.run.host) else {
                throw ReplayError(
                    .unreadable, "\(run) holds words that this muster doesn't know",
                    hint: "it was made by a newer version: read it with that")
            }
            return record
        }
    }

    /// A drill of a run that is only now at its end, as others will read it.
    public static func record(of drill: DrillReport, in report: RunReport) -> Record? {
        Record(DrillDocument(drill, in: report), of: report.info?.runID ?? "", host: report.info?.host)
    }

    /// When a run began, as its name says, to the second; nil where it is no run's name.
    public static func started(_ run: String) -> Date? {
        guard run.wholeMatch(of: name) != nil else { return nil }
        let digits = run.dropFirst(4).prefix(15)
        return try? Date(
            "\(digits.prefix(4))-\(digits.dropFirst(4).prefix(2))-\(digits.dropFirst(6).prefix(2))T"
                + "\(digits.dropFirst(9).prefix(2)):\(digits.dropFirst(11).prefix(2)):\(digits.dropFirst(13).prefix(2))Z",
            strategy: .iso8601)
    }

    private func document(of run: String) async throws(ReplayError) -> ReportDocument {
        let place = folder.appendingPathComponent(run, isDirectory: true)
        let document: ReportDocument
        let file = place.appendingPathComponent(Self.report)
        if let data = try? Data(contentsOf: file) {
            do {
                let version = try JSONDecoder().decode(SchemaVersion.self, from: data).schemaVersion
                guard version <= JSONReport.schemaVersion else {
                    throw ReplayError(
                        .unreadable, "\(file.path) has the layout \(version), which is newer than this muster",
                        hint: "read it with that version")
                }
                document = try JSONDecoder().decode(ReportDocument.self, from: data)
            } catch let error as ReplayError {
                throw error
            } catch {
                throw ReplayError(
                    .unreadable, "\(file.path) is no report of muster's",
                    hint: "it was damaged or edited since: compare it with another copy")
            }
        } else {
            // A kill leaves the log alone.
            var report = RunReport()
            do {
                _ = try await EventReplay.read(place.appendingPathComponent(Self.log)) { report.apply($0) }
            } catch {
                throw error as? ReplayError ?? ReplayError(.unreadable, "\(place.path) can't be read", hint: "check its permissions")
            }
            guard !report.drills.isEmpty else {
                throw ReplayError(
                    .empty, "\(place.path) tells of no drill",
                    hint: "the run was killed before its first one began, or is about to begin it")
            }
            document = ReportDocument(report)
        }
        return document
    }

    private struct SchemaVersion: Decodable {
        var schemaVersion: Int
    }

    private static let report = "report.json"
    static let log = "events.jsonl"

    /// The log of a run.
    ///
    /// - Parameter run: Its name, a path of its folder, or `latest`.
    public func log(of run: String) throws(ReplayError) -> URL {
        if run.contains("/") {
            let file = URL(fileURLWithPath: run, isDirectory: true).appendingPathComponent(Self.log)
            guard FileManager.default.fileExists(atPath: file.path) else {
                throw ReplayError(.notFound, "\(run) holds no \(Self.log)", hint: "name a run's folder, or its name")
            }
            return file
        }
        let runs = try runs()
        guard let found = run == "latest" ? runs.first : runs.first(where: { $0 == run || $0.hasSuffix("-\(run)") }) else {
            throw ReplayError(
                .notFound, run == "latest" ? "no run lies in \(folder.path)" : "no run in \(folder.path) is called \(run)",
                hint: "muster history shows the runs' names; --output names another folder")
        }
        return folder.appendingPathComponent(found, isDirectory: true).appendingPathComponent(Self.log)
    }

    /// Removes the oldest runs, so that some are left.
    ///
    /// - Parameter own: The run that asks: it counts, and stays, also where the clock was set back and others have later names.
    /// Only runs that are over, and hold nothing but what a run writes: a folder that somebody has put something into is theirs.
    ///
    /// - Returns: What could not be removed: sentences.
    public func keep(_ count: Int, with own: String) -> [String] {
        guard let runs = try? runs() else { return [] }
        let written = Set(ReportFormat.all.map(\.fileName))
        return runs.filter { $0 != own }.dropFirst(count - 1).compactMap { run in
            let place = folder.appendingPathComponent(run, isDirectory: true)
            guard let names = try? FileManager.default.contentsOfDirectory(atPath: place.path), names.contains(Self.report),
                written.isSuperset(of: names)
            else { return nil }
            do {
                try FileManager.default.removeItem(at: place)
                return nil
            } catch {
                return "\(place.path) can't be removed"
            }
        }
    }
}

extension RunHistory.Record {
    /// nil where it holds words that this version doesn't know.
    fileprivate init?(_ drill: DrillDocument, of run: String, host: String?) {
        guard let cases = try? drill.cases.map({ try CaseResult($0) }) else { return nil }
        self.init(
            row: RunHistory.Row(drill, of: run), estateFile: drill.estateFile, namedEstateFile: drill.estateFileNamed, host: host,
            cases: cases, facts: drill.facts.map { Fact($0.name, $0.value) })
    }
}

extension RunHistory.Row {
    fileprivate init(_ drill: DrillDocument, of run: String) {
        self.run = run
        self.drill = drill.name
        estate = drill.estate
        isInspection = drill.kind != nil
        started = drill.started.date
        asOf = drill.disaster.date
        timeZone = TimeZone(identifier: drill.timeZone) ?? .gmt
        verdict = drill.verdict
        isUnfinished = drill.interrupted
        profile = drill.profile
        recoveryTime = drill.objectives.map {
            RunHistory.Objective(achieved: $0.rto.achieved?.duration, target: $0.rto.target?.duration, verdict: $0.rto.verdict)
        }
        recoveryPoints = Dictionary(
            (drill.objectives?.rpo ?? []).map { age in
                (
                    age.service,
                    RunHistory.Objective(achieved: age.achieved?.duration, target: age.target?.duration, verdict: age.verdict)
                )
            }, uniquingKeysWith: { $1 })
        failed = drill.cases.lazy.flatMap(\.findings).count { $0.severity == Finding.Severity.critical.rawValue }
    }
}

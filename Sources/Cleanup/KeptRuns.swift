// What runs with --keep left: whose it is, and which of it is meant.

import DrillModel
public import Foundation
import Reports
public import ScratchHost

/// The folders below one scratch root that were left on purpose.
public struct KeptRuns: Sendable {
    private let all: [ScratchCleaner.Remains]
    /// Where the command runs: what was kept from elsewhere goes by its name only.
    private let place: String

    public init(in root: ScratchRoot, from place: String = FileManager.default.currentDirectoryPath) {
        all = ScratchCleaner.find(in: root).filter(\.kept)
        self.place = place
    }

    /// - Parameter names: Runs, how their names begin or what they end with behind the last dash, scratch folders or their names; none: what was
    ///   kept from here, and nobody has open.
    /// - Throws: ``CommandFailure`` where one is of nothing that was kept, or of several runs, or is open in a `muster attach`.
    public func chosen(_ names: [String]) throws -> [ScratchCleaner.Remains] {
        guard !names.isEmpty else { return all.filter { $0.place == place && !$0.inUse } }
        var chosen: [ScratchCleaner.Remains] = []
        for name in names {
            let meant = try meant(by: name)
            guard !meant.isEmpty else {
                let known = Set(all.map(Self.name)).sorted().joined(separator: ", ")
                throw CommandFailure(
                    .usage, "no run of the name \(name) has left anything on purpose",
                    hint: known.isEmpty ? "nothing is kept here; another folder is named with --scratch" : "there are: \(known)")
            }
            if let open = meant.first(where: \.inUse) {
                throw CommandFailure(
                    .usage, "\(open.folder.path) is in use: somebody looks into it",
                    hint: "end that muster attach first, or use the line that it printed")
            }
            chosen += meant.filter { !chosen.contains($0) }
        }
        return chosen
    }

    private func meant(by name: String) throws -> [ScratchCleaner.Remains] {
        let exact = all.filter { Self.answers($0, to: name) }
        guard exact.isEmpty, name.count >= Self.shortest else { return exact }
        let alike = all.filter { Self.name(of: $0).hasPrefix(name) || Self.name(of: $0).hasSuffix("-\(name)") }
        let runs = Set(alike.map(Self.name)).sorted()
        guard runs.count > 1 else { return alike }
        throw CommandFailure(
            .usage, "\(name) may be one of \(runs.count) runs that have left something on purpose",
            hint: "name one of them: \(runs.joined(separator: ", "))")
    }

    /// Of a run's name: what is shorter is more likely a slip than a choice.
    private static let shortest = 4

    private static func answers(_ remains: ScratchCleaner.Remains, to name: String) -> Bool {
        if [remains.run, remains.folder.lastPathComponent].contains(name) { return true }
        return name.contains("/") && URL(fileURLWithPath: name).resolvingSymlinksInPath().path == remains.folder.path
    }

    /// What it is asked for by.
    public static func name(of remains: ScratchCleaner.Remains) -> String { remains.run ?? remains.folder.lastPathComponent }

    /// ` by a run in FOLDER`, where that is known.
    public static func origin(of remains: ScratchCleaner.Remains) -> String { remains.place.map { " by a run in \($0)" } ?? "" }

    public static func describe(_ remains: ScratchCleaner.Remains, now: Date = Date()) -> String {
        let age = Readable.duration(.seconds(max(0, now.timeIntervalSince(remains.created).rounded())))
        return "\(name(of: remains)): \(remains.purpose), \(age) old, \(Readable.bytes(remains.size())), \(remains.folder.path)"
    }
}

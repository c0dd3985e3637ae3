// Whom a run tells: what must be known before it starts, and what is sent once its reports are written.

import BackupCatalog
public import DrillModel
public import Foundation
import Reports
import ScratchHost

/// The channels of a run's estates.
///
/// Each estate's channels hear of its own drills alone. What can't be sent makes itself heard: it is returned, never passed over.
public struct RunNotifications: Sendable {
    private struct Party: Sendable {
        var estate: Estate
        /// The names of the drills that are to run.
        var planned: [String]
        /// Former names of drills, with those that they have now.
        var names: [String: String]
        var channels: [ReadyChannel]
    }
    private var parties: [Party] = []
    /// Who can't be told, whatever becomes of the run: a secret or a program can't be had. The others are told all the same, and backups are
    /// asked: only the run can't end well.
    public private(set) var unready: [Untold] = []

    /// - Parameters:
    ///   - drills: The estates of a run, each with a drill's name; without one for an inspection.
    /// - Returns: nil where no estate tells anybody. Secrets and programs are looked for now: better known before hours of restoring than after.
    public init?(_ drills: [(estate: Estate, drill: DrillPlan?)]) {
        // Two estates of one run have no business with each other's secrets either.
        let hidden = drills.reduce(into: Set<String>()) { $0.formUnion(Keyring($1.estate).secretVariables) }
        for (estate, drill) in drills where !estate.notify.isEmpty {
            let names = Dictionary((drill?.formerNames ?? []).map { ($0, drill?.name ?? "") }, uniquingKeysWith: { first, _ in first })
            let planned = [drill?.name].compactMap { $0 }
            if let known = parties.firstIndex(where: { $0.estate.file.path == estate.file.path }) {
                parties[known].planned += planned
                parties[known].names.merge(names) { first, _ in first }
                continue
            }
            var channels: [ReadyChannel] = []
            for channel in estate.notify {
                do throws(CommandFailure) {
                    channels.append(try ReadyChannel(channel, hiding: hidden))
                } catch {
                    unready.append(Untold(message: error.message, hint: error.hint))
                }
            }
            parties.append(Party(estate: estate, planned: planned, names: names, channels: channels))
        }
        if parties.isEmpty { return nil }
    }

    /// What became of it.
    public struct Outcome: Sendable {
        /// The names of those who were told, each with the occasions.
        public var told: [String] = []
        public var untold: [Untold] = []
    }

    /// Tells of a run.
    ///
    /// - Parameters:
    ///   - folder: The run's own, whose files are all written.
    ///   - ledger: The ledger's head.
    ///   - problem: What went wrong with the reports.
    public func tell(
        _ report: RunReport, in folder: URL, ledger: String?, problem: String?, at pace: Pace
    ) async -> Outcome {
        let history = RunHistory(folder: folder.deletingLastPathComponent())
        var messages: [(ReadyChannel, Notice)] = []
        for party in parties {
            let notice = await Notice(
                report, of: party.estate, planned: party.planned, names: party.names, history: history, run: folder.lastPathComponent,
                reportPath: folder.appendingPathComponent("report.html").path, ledger: ledger, problem: problem)
            messages += party.channels.compactMap { channel in
                notice.restricted(to: channel.channel.occasions).map { (channel, $0) }
            }
        }
        return await Self.send(messages, at: pace, unready: unready)
    }

    /// Sends a test through each channel of one estate.
    ///
    /// - Parameter host: This machine's name.
    public func test(host: String, version: String) async -> Outcome {
        await Self.send(
            parties.flatMap { party in
                party.channels.map { ($0, Notice.test(of: party.estate, host: host, version: version)) }
            }, at: .usual, unready: unready)
    }

    /// All at once: one that hangs keeps nobody else from hearing.
    static func send(_ messages: [(ReadyChannel, Notice)], at pace: Pace, unready: [Untold] = []) async -> Outcome {
        let results = await withTaskGroup(of: (Int, Untold?).self) { group in
            for (index, (channel, notice)) in messages.enumerated() {
                group.addTask { (index, await send(notice, through: channel, at: pace)) }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        var outcome = Outcome(untold: unready)
        for (index, (channel, notice)) in messages.enumerated() {
            if let untold = results[index] ?? nil {
                outcome.untold.append(untold)
            } else {
                let occasions = NotifyChannel.Occasion.allCases.filter(notice.occasions.contains).map(\.rawValue)
                outcome.told.append("\(channel.channel.name) (\(notice.isTest ? "test" : occasions.joined(separator: ", ")))")
            }
        }
        return outcome
    }

    private static func send(_ notice: Notice, through channel: ReadyChannel, at pace: Pace) async -> Untold? {
        let hint = "muster notify test sends one to try it"
        do {
            let told: Bool? = try await TimeLimit.run(pace.whole) {
                try await channel.send(notice, at: pace)
                return true
            }
            return told == nil
                ? Untold(channel.channel, "was given up after \(pace.whole.components.seconds) s", hint: hint) : nil
        } catch let untold as Untold {
            return untold
        } catch is CancellationError {
            return Untold(channel.channel, "was not told: a signal came first", hint: hint)
        } catch {
            return Untold(channel.channel, "has a message that can't be written", hint: "report this as a defect of muster")
        }
    }
}

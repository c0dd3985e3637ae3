// `muster notify`: whom an estate tells, tried out; and what a run says of those whom it told.

import ArgumentParser
import DrillFiles
import DrillModel
import Foundation
import Notifications
import Reports

struct NotifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "notify", abstract: "Whom runs tell how they ended.", subcommands: [TestNotifyCommand.self])
}

struct TestNotifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Send a test through each channel that the estate file names under notify.",
        discussion: "Ends with 2 where somebody could not be told.")

    @OptionGroup var estateFile: EstateArgument

    @Option(help: ArgumentHelp("Only this channel.", valueName: "name"))
    var channel: String?

    func run() async throws {
        let (estate, path) = try estateFile.load()
        guard estate.notify.contains(where: { channel == nil || $0.name == channel }) else {
            let what = channel.map { "no channel \($0)" } ?? "nobody to tell"
            throw CommandFailure(.usage, "\(path) names \(what)", hint: "add it under notify: see docs/notifications.md")
        }
        var chosen = estate
        chosen.notify.removeAll { channel != nil && $0.name != channel }
        guard let notifications = RunNotifications([(chosen, nil)]) else { return }
        try await notifications.report { await $0.test(host: RecordedRun.hostName, version: Muster.version) }
    }
}

extension RunNotifications {
    /// Says who was told, and who could not be.
    ///
    /// - Throws: ``ExitCode/unverified`` in the latter case, or what a signal says.
    func report(_ tell: @escaping @Sendable (RunNotifications) async -> Outcome) async throws {
        let isWhole = try await SignalGuard.run {
            let outcome = await tell(self)
            if !outcome.told.isEmpty { Console.print("  told \(outcome.told.joined(separator: ", "))") }
            for untold in outcome.untold { Console.complain(untold.failure.description) }
            return outcome.untold.isEmpty
        }
        guard isWhole else { throw DrillModel.ExitCode.unverified }
    }
}

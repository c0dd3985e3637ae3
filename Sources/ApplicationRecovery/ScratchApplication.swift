// A new instance of an application: started inside the quarantine, gone with its drill.

public import DrillModel
import Foundation
import Glibc
public import ScratchHost

/// A running application of one drill.
public struct ScratchApplication: Sendable {
    public let application: Application
    public let places: ApplicationPlaces
    public let process: ServerProcess
    let host: ScratchHost

    /// Starts it in the copy of its files, as the unprivileged user, with no way out of this machine.
    ///
    /// - Parameters:
    ///   - command: Its program and arguments, with every place filled in. Never holds a secret.
    ///   - environment: May hold what only it may know.
    /// - Throws: ``DrillFailure``, `CancellationError`.
    public static func start(
        _ application: Application, command: [String], environment: [String: String], places: ApplicationPlaces, host: ScratchHost
    ) async throws -> ScratchApplication {
        if application.usesTCP, !(await host.canHaveLoopback()) { throw noLoopback(application.name, host) }
        let resolved = try StartCommand(host: host, files: places.files).resolve(command)
        // Whatever a command of the application's left there must not answer in its place.
        try? FileManager.default.removeItem(at: places.socket)
        let home = ["HOME": places.folder.path, "TMPDIR": places.folder.path]
        do {
            let process = try await host.start(
                resolved, environment: home.merging(environment) { $1 }, loopback: application.usesTCP, reaching: places.reachable,
                workingFolder: places.files, log: places.log)
            return ScratchApplication(application: application, places: places, process: process, host: host)
        } catch {
            throw DrillFailure.error(
                Finding(.applicationToolMissing, object: application.name, message: error.message, hint: error.hint))
        }
    }

    public func stop() async {
        await process.stop([(SIGTERM, .seconds(3))])
    }

    /// Why it is no more, without a word of what it said.
    public func death(_ ending: ToolResult, after time: Duration) -> DrillFailure {
        let seconds = time.formatted(
            .units(allowed: [.minutes, .seconds, .milliseconds], width: .narrow, maximumUnitCount: 2).locale(.english))
        return .failed(
            Finding(
                .applicationDied, object: application.name, expected: "an application that runs", actual: ending.ending,
                message: "the application ended by itself after \(seconds)",
                hint: "run again with --keep, and read a/application.log in the scratch folder; it must stay in the foreground"))
    }

    private static func noLoopback(_ name: String, _ host: ScratchHost) -> DrillFailure {
        .error(
            Finding(
                .applicationNetworkMissing, object: name, expected: "a network of its own with a loopback device",
                actual: host.isolation.network == .none ? "the host's network" : "no loopback device",
                message: "a TCP port of the application could not be told from other programs' on this machine",
                hint:
                    "run muster as root or allow user namespaces; or let the application listen on {application.socket}"
            ))
    }
}

extension Locale {
    /// Reports speak one language, whatever the machine speaks.
    static let english = Locale(identifier: "en_US_POSIX")
}

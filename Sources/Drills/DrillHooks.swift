// Runs a drill file's hooks: as Muster's own user, outside of the quarantine, knowing no secret.

import DrillEngine
import DrillModel
import Foundation
import ScratchHost

/// The hooks of one drill.
struct DrillHooks: HookRunner {
    var plan: DrillPlan
    var host: ScratchHost

    func run(_ hook: Hook, _ moment: Hook.Moment, of step: Step) async throws -> HookEnding {
        try await run(hook, logName: "\(step.rawValue)-\(moment.rawValue)", telling: ["MUSTER_STEP": step.rawValue])
    }

    func environment(telling values: [String: String]) -> [String: String] {
        ["MUSTER_DRILL": plan.name, "MUSTER_SCENARIO": plan.scenario.rawValue].merging(values) { $1 }
    }

    /// Where a hook works: the folder of the file that states it; nil: of the drill's own.
    func place(of file: URL?) -> URL { (file ?? plan.file).deletingLastPathComponent() }

    /// nil where its program can't be run.
    func command(of hook: Hook, statedIn file: URL? = nil) -> [String]? {
        let place = place(of: file)
        var command = hook.run
        // A program with a folder in its name lies beside the file that names it, not beside whoever runs muster.
        if command[0].contains("/") {
            command[0] = URL(fileURLWithPath: command[0], isDirectory: false, relativeTo: place).standardizedFileURL.path
        }
        guard let program = ScratchHost.locate(command[0]) else { return nil }
        command[0] = program
        return command
    }

    /// - Parameter values: Told beside the drill's name and scenario.
    /// - Parameter file: The one that states it; nil: the drill's own.
    func run(_ hook: Hook, statedIn file: URL? = nil, logName: String, telling values: [String: String]) async throws -> HookEnding {
        guard let command = command(of: hook, statedIn: file) else {
            return .notStarted("the hook's program \(hook.run[0]) can't be run", hint: "check its path and that it is executable")
        }
        let folder = host.folder.url.appendingPathComponent("hooks", isDirectory: true)
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            let result = try await host.runOutside(
                command,
                environment: environment(telling: values),
                workingFolder: place(of: file), log: folder.appendingPathComponent("\(logName).log"), limit: hook.timeout)
            guard let result else { return .timedOut }
            return .ended(result.ending, succeeded: result.succeeded)
        } catch {
            if Task.isCancelled { throw CancellationError() }
            let problem = error as? ScratchError
            return .notStarted(
                problem?.message ?? "the hook's program \(hook.run[0]) could not be started", hint: problem?.hint ?? "try it by hand")
        }
    }
}

// What a drill insists on, asked before anything of a backup is restored or started.

public import DrillModel
import Foundation
import Glibc

extension ScratchHost {
    /// Whether this machine gives what a drill demands: asked in the place of a small program, as it is asked of each server later on.
    ///
    /// - Returns: A case in error for each demand that isn't met or could not be asked; empty where all are met.
    public func unmet(_ demand: QuarantineDemand) async -> [CaseResult] {
        guard demand.network || demand.files else { return [] }
        let log = folder.url.appendingPathComponent(".quarantine.log")
        defer { unlink(log.path) }
        let program: ServerProcess
        do throws(ScratchError) {
            // It ends by itself, should nobody be left to end it.
            program = try await start(["sleep", "600"], workingFolder: folder.url, log: log)
        } catch {
            let finding = Finding(.scratchUnusable, object: "quarantine", message: error.message, hint: error.hint)
            return [.unasked(.quarantine, name: "the demanded quarantine can be asked", finding: finding)]
        }
        let answers = await QuarantineAnswers.ask(program, host: self)
        await program.stop([(SIGKILL, .zero)])
        return QuarantineCases.unmet(answers, by: demand)
    }
}

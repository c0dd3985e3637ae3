// Finds the program that an application is started by, and tells whose fault it is where there is none.

import DrillModel
import Foundation
import ScratchHost

/// Leads from the words of an estate file to what can be executed.
struct StartCommand {
    let host: ScratchHost
    let files: URL

    /// - Throws: ``DrillFailure``: failed where the application's own files lack it, error where this machine does.
    func resolve(_ words: [String]) throws(DrillFailure) -> [String] {
        guard let program = words.first else { throw missing("") }
        if program.contains("/"), !program.hasPrefix("/") {
            let file = files.appendingPathComponent(program).standardizedFileURL
            guard FileManager.default.isExecutableFile(atPath: file.path) else {
                throw .failed(
                    Finding(
                        .applicationIncomplete, object: program, expected: "a program among the application's files", actual: "none",
                        message: "the application can't be started: its files lack \(program), or it is not executable",
                        hint: "check what is backed up of the code, and \"start\" in the estate file"))
            }
            if let interpreter = ScriptInterpreter.of(file), host.locate(interpreter) == nil { throw missing(interpreter) }
            return [file.path] + words.dropFirst()
        }
        guard let path = host.locate(program) else { throw missing(program) }
        return [path] + words.dropFirst()
    }

    private func missing(_ program: String) -> DrillFailure {
        .error(
            Finding(
                .applicationToolMissing, object: program, expected: "a program that the unprivileged user may run", actual: "none",
                message: "\(program) is not on this machine, or only root may run it",
                hint: "install it, put its folder on PATH, or write ./\(program) for a program among the application's files"))
    }
}

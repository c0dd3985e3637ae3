// The command line's root: what it is called, what it can do, and how every command ends.

public import ArgumentParser
import DrillFiles
import DrillModel
import Foundation
import Glibc
import ScratchHost

/// `muster`.
public struct Muster: AsyncParsableCommand {
    /// The version of this build, in every report.
    public static let version = BuildVersion.text

    public static let configuration = CommandConfiguration(
        commandName: "muster",
        abstract: "Does your backup pass muster? A test runner for disaster recovery of PostgreSQL and Redis.",
        discussion: """
            Exit codes: 0 all passed, 1 something failed, 2 nothing failed but something could not be verified, \
            64 wrong usage or an invalid drill file, 130 and 143 stopped by a signal, after cleaning up.
            """,
        version: version,
        subcommands: [
            RunCommand.self, InspectCommand.self, SealCommand.self, SabotageCommand.self, LabCommand.self, InitCommand.self,
            DoctorCommand.self, HistoryCommand.self, ShowCommand.self, ReportCommand.self, EvidenceCommand.self, NotifyCommand.self,
            AttachCommand.self, CleanCommand.self,
        ])

    public init() {}

    /// The process' entry: hardens it, runs the command, and ends with the documented exit code.
    ///
    /// On the main thread until the command runs: a thread of Dispatch's, which reads /proc each second, would trap where there is none.
    public nonisolated(nonsending) static func main() async {
        ProcessStart.forbidCoreDumps()
        // Whatever others may do with it, what this process makes is its own to use.
        let mask = umask(0)
        umask(mask & 0o077)
        // A reader that goes away (`muster run | head`) must not end a drill before it has cleaned up.
        signal(SIGPIPE, SIG_IGN)
        do {
            try ProcessStart.prepare()
            try CommandNames.check(CommandLine.arguments.dropFirst(), in: Muster.self)
            var command = try parseAsRoot()
            CommandOptions.use(type(of: command))
            try OpenFiles.raiseLimit()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            end(.passed)
        } catch let code as DrillModel.ExitCode {
            end(code)
        } catch let error as CommandFailure {
            fail(error)
        } catch let error as ScratchError {
            fail(CommandFailure(.unverified, error.message, hint: error.hint))
        } catch let error as DrillFileError {
            Console.complain(error.description)
            end(.usage)
        } catch {
            let code = exitCode(for: error)
            // Help and version are asked for; anything else is a complaint.
            let text = fullMessage(for: error)
            if !text.isEmpty { code.isSuccess ? Console.print(text) : Console.complain(text) }
            code.isSuccess ? end(.passed) : Glibc.exit(code.rawValue)
        }
    }

    private static func fail(_ error: CommandFailure) -> Never {
        Console.complain(CommandFailure(error.code, error.message, hint: CommandOptions.ofThisCommand.fitting(error.hint)).description)
        end(error.code)
    }

    /// What nobody could read was not said: a command that passed has not, where its output is lost.
    private static func end(_ code: DrillModel.ExitCode) -> Never {
        if code == .passed, let problem = Console.lost {
            Console.complain("muster: standard output can't be written: \(String(cString: strerror(problem)))")
            Glibc.exit(DrillModel.ExitCode.unverified.rawValue)
        }
        Glibc.exit(code.rawValue)
    }
}

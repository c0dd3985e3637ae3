// `muster lab`: a small real estate to try everything on.

import ArgumentParser
import DrillModel
import Foundation
import Lab
import Reports

struct LabCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lab", abstract: "A small but real estate to try everything on.",
        subcommands: [Create.self, Start.self, Stop.self, Destroy.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Build the estate: servers with a past, sealed and encrypted backups, keys and drill files.")

        @Argument(help: "A folder that doesn't exist yet, or is empty.", completion: .directory)
        var folder: String

        @Option(help: "Days of history, one backup each.")
        var days = 35

        @Option(help: "How many domains the database watches; the other tables grow with it.")
        var rows = 2000

        @Option(
            help: ArgumentHelp(
                "The major version of its Postgres, 15 or newer. MUSTER_PG_BIN names servers that lie apart, MUSTER_REDIS_BIN its Redis or Valkey.",
                valueName: "major"))
        var postgres: Int?

        @OptionGroup var scratch: ScratchOption

        func validate() throws {
            if let postgres, postgres < 15 {
                throw ValidationError("--postgres: the lab needs major version 15 or newer, and not \(postgres)")
            }
        }

        func run() async throws {
            try await scratch.cleanUpAfterEarlierRuns()
            let options = LabOptions(
                folder: URL(fileURLWithPath: folder, isDirectory: true), days: days, rows: rows, scratch: scratch.root,
                postgresMajor: postgres)
            let started = ContinuousClock.now
            let live = Console.options.live
            let estate = try await LabCommand.reporting {
                try await Lab.create(options) { label, done, total in
                    if live {
                        Console.write("\r\u{1B}[2K\(label)  \(done)/\(total)")
                    } else if done == 0 || done == total {
                        Console.print("\(label)  \(done)/\(total)")
                    }
                }
            }
            if live { Console.write("\r\u{1B}[2K") }
            let took = Readable.duration(ContinuousClock.now - started)
            Console.print("The lab is in \(estate.folder.path): \(days) days of backups, made in \(took).")
            Console.print("Try:  muster run \(estate.drillFiles.first?.path ?? estate.folder.path)")
        }
    }

    struct Start: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Start the lab's source servers, a standby and a replica in the background.")
        @Argument(help: "The lab's folder.", completion: .directory) var folder: String

        func run() async throws {
            let lab = try await LabCommand.reporting { try await Lab.start(URL(fileURLWithPath: folder, isDirectory: true)) }
            Console.print("The lab's Postgres and Redis take connections in \(lab.sockets.path)")
            Console.print("Their standby and replica take connections in \(lab.secondZone.path)")
            if let drill = lab.drill { Console.print("Try:  muster run \(drill.path)") }
        }
    }

    struct Stop: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Stop the lab's servers.")
        @Argument(help: "The lab's folder.", completion: .directory) var folder: String

        func run() async throws {
            try await LabCommand.reporting { try await Lab.stop(URL(fileURLWithPath: folder, isDirectory: true)) }
        }
    }

    struct Destroy: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Stop the lab's servers and remove its folder.")
        @Argument(help: "The lab's folder.", completion: .directory) var folder: String

        func run() async throws {
            try await LabCommand.reporting { try await Lab.destroy(URL(fileURLWithPath: folder, isDirectory: true)) }
        }
    }

    private static func reporting<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        do {
            return try await SignalGuard.run(body)
        } catch let error as LabError {
            throw CommandFailure(error.kind == .usage ? .usage : .unverified, error.message, hint: error.hint)
        }
    }
}

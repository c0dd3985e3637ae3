// How an application is let in to a living server: a password file of its own, and sessions that only read.

import ApplicationRecovery
import DrillModel
import Foundation
import PostgresClient
import ScratchHost

/// What the application is told beside its own variables.
struct LivingLogin: Sendable {
    private let servers: [PostgresConfiguration]
    private let places: ApplicationPlaces

    init(_ servers: [PostgresConfiguration], places: ApplicationPlaces) {
        self.servers = servers
        self.places = places
    }

    /// - Returns: Variables for libpq. None where there is no living server.
    /// - Throws: ``DrillFailure`` (error): the file can't be written.
    func write(on host: ScratchHost) throws(DrillFailure) -> [String: String] {
        guard !servers.isEmpty else { return [:] }
        // The server can't be written to, and its role is weak; should it be promoted meanwhile, this is what is left.
        var variables = ["PGOPTIONS": "-c default_transaction_read_only=on"]
        let lines = servers.compactMap { server in
            server.password.map { password in
                let fields = ["*", String(server.port), server.database, server.user, password]
                return fields.map { $0 == "*" ? $0 : Self.escaped($0) }.joined(separator: ":") + "\n"
            }
        }
        guard !lines.isEmpty else { return variables }
        let file = Self.file(in: places)
        do {
            // Code of the application may have run already.
            try UnlinkedFile.write(Data(lines.joined().utf8), to: file)
        } catch {
            throw .error(
                Finding(
                    .scratchUnusable, object: "application", message: "the application's password file can't be written",
                    hint: "check the scratch folder's disk and permissions"))
        }
        do throws(ScratchError) {
            try host.folder.own(file)
        } catch {
            throw .error(Finding(.scratchUnusable, object: "application", message: error.message, hint: error.hint))
        }
        variables["PGPASSFILE"] = file.path
        return variables
    }

    /// Also where the scratch folder is kept.
    static func remove(from places: ApplicationPlaces) { try? FileManager.default.removeItem(at: file(in: places)) }

    private static func file(in places: ApplicationPlaces) -> URL { places.folder.appendingPathComponent("pgpass") }

    private static func escaped(_ field: String) -> String {
        field.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: ":", with: "\\:")
    }
}

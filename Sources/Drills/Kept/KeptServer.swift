// What is written down of each server that a drill brings up, so that it can be started again where the run keeps its folder.

import DrillModel
import Foundation
import Glibc
import PostgresRecovery
import RedisRecovery
import ScratchHost

/// One server of one drill. Lies in the scratch folder, where no program of the quarantine can write; never holds a secret.
struct KeptServer: Sendable, Codable {
    enum Engine: Sendable, Codable {
        case postgres(StoppedPostgres, database: String)
        case redis(StoppedRedis)
    }
    var service: String
    var engine: Engine
    /// What the drill hid, and showed: the same is hidden again.
    private var hidden: [URL]
    private var readable: [URL]
    private(set) var recovery: Int?
    var demand: QuarantineDemand

    init(_ engine: Engine, of service: String, on host: ScratchHost, demand: QuarantineDemand) {
        self.service = service
        self.engine = engine
        self.demand = demand
        (hidden, readable, recovery) = (host.view.hidden, host.view.readable, host.recovery)
    }

    var view: SandboxView { SandboxView(readable: readable, hidden: hidden) }

    /// `PostgreSQL 15`, `redis 7.0.15`
    var title: String {
        switch engine {
        case .postgres(let server, _): server.title
        case .redis(let server): server.title
        }
    }

    /// `psql`, `redis-cli` and their words.
    var client: [String] {
        switch engine {
        case .postgres(let server, let database): server.client(database: database)
        case .redis(let server): server.client()
        }
    }

    private var isThere: Bool {
        switch engine {
        case .postgres(let server, _): server.isThere
        case .redis(let server): server.isThere
        }
    }

    private static let prefix = ".server-"

    /// All that are there in a scratch folder, by name.
    static func all(in folder: URL) -> [KeptServer] {
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).filter { $0.hasPrefix(prefix) }
        return names.sorted().compactMap { name in
            let file = folder.appendingPathComponent(name)
            guard let data = try? Data(contentsOf: file), let server = try? JSONDecoder().decode(KeptServer.self, from: data),
                server.isThere
            else { return nil }
            return server
        }
    }

    /// Only a look depends on it, and no drill: where it can't be written down, the server can't be started again.
    fileprivate func write(to folder: URL) {
        let file = folder.appendingPathComponent("\(Self.prefix)\(service).json")
        try? JSONEncoder().encode(self).write(to: file, options: .atomic)
        chmod(file.path, 0o600)
    }
}

extension ScratchHost {
    /// Writes down how a server is started again; a later one of the service takes its place.
    func remember(_ server: ScratchPostgres, database: String, of service: String, demand: QuarantineDemand) {
        KeptServer(.postgres(StoppedPostgres(server), database: database), of: service, on: self, demand: demand).write(to: folder.url)
    }

    func remember(_ server: ScratchRedis, of service: String, demand: QuarantineDemand) {
        KeptServer(.redis(StoppedRedis(server)), of: service, on: self, demand: demand).write(to: folder.url)
    }
}

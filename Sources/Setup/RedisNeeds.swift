// What a drill of a Redis or Valkey needs of this machine.

import DrillModel
import Foundation
import RedisRecovery
import ScratchHost

/// The server, its checkers and its modules, of one backup set.
struct RedisNeeds {
    private let software: RedisSoftware
    /// `redis/rdb`
    private let user: String
    /// What the newest artifact says of its writer; nil where it is packed or encrypted, and so says nothing.
    private let origin: RedisOrigin?

    init(_ software: RedisSoftware, of user: String, origin: RedisOrigin?) {
        self.software = software
        self.user = user
        self.origin = origin
    }

    func look() -> [MachineNeed] { server() + software.modules.map(look) }

    private func server() -> [MachineNeed] {
        let binaries: RedisBinaries
        do throws(DrillFailure) {
            binaries = try software.suitable(for: origin ?? RedisOrigin())
        } catch {
            let isMissing = error.finding.rule == .redisMissing
            return [
                MachineNeed(
                    state: .missing, name: isMissing ? "redis-server" : "a server for \(user)",
                    detail: isMissing ? "needed for \(user)" : "\(error.finding.message): it has \(error.finding.actual)",
                    mend: error.finding.hint)
            ]
        }
        let others = software.installed().map(\.version.description).joined(separator: ", ")
        let detail = origin == nil ? "\(user) doesn't tell who wrote it; this machine has \(others)" : ""
        return [
            MachineNeed(state: .here, name: "\(binaries.name(.server)) \(binaries.version.number)", detail: detail)
        ]
            + [RedisBinaries.Program.checkRDB, .checkAOF].map { program in
                let isThere = ScratchHost.locate(binaries.path(program)) != nil
                return MachineNeed(
                    state: isThere ? .here : .missing, name: binaries.name(program), detail: isThere ? "" : "needed for \(user)",
                    mend: isThere ? "" : "apt-get install \(binaries.prefix)-tools, or put it beside \(binaries.path(.server))")
            }
    }

    private func look(at module: ServerModule) -> MachineNeed {
        let isThere = FileManager.default.isReadableFile(atPath: module.path)
        return MachineNeed(
            state: isThere ? .here : .missing, name: "module \(module.path)", detail: isThere ? "" : "needed for \(user)",
            mend: isThere ? "" : "install it, or mend modules of the service in the estate file")
    }
}

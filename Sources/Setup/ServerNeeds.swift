// Which servers this machine has, where no estate says which ones it takes.

import PostgresRecovery
import RedisRecovery

/// One look for all that Muster drills. Without any server of a kind, nothing of that kind can be drilled.
struct ServerNeeds {
    var postgres: [PostgresBinaries]
    var redis: [RedisBinaries] = RedisBinaries.installed()

    func look() -> [MachineNeed] {
        [
            Self.need(
                "postgres", found: postgres.isEmpty ? "" : "postgres " + postgres.map { String($0.major) }.joined(separator: ", "),
                mend: "apt-get install postgresql, or name its bin folder in MUSTER_PG_BIN"),
            Self.need(
                "redis-server or valkey-server", found: redis.map(\.version.description).joined(separator: ", "),
                mend: "apt-get install redis-server, or name a folder of its programs in MUSTER_REDIS_BIN"),
        ]
    }

    private static func need(_ name: String, found: String, mend: String) -> MachineNeed {
        if !found.isEmpty { return MachineNeed(state: .here, name: found) }
        return MachineNeed(
            state: .missing, name: name, detail: "no such server is on this machine; an estate that has none of them needs none",
            mend: mend)
    }
}

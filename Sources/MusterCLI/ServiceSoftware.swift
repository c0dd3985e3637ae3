// What a service of the estate is restored with.

import DrillModel
import RedisRecovery

extension Service {
    /// Of a Redis.
    var redisSoftware: RedisSoftware { RedisSoftware(binaries: binaries, modules: modules) }
}

extension Estate {
    /// Of a service of this name; what the machine has, where there is none.
    func redisSoftware(of service: String) -> RedisSoftware { services[service]?.redisSoftware ?? RedisSoftware() }
}

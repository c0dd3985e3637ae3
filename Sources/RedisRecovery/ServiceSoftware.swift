// What a service of the estate is restored with.

public import DrillModel

extension Service {
    /// Of a Redis.
    public var redisSoftware: RedisSoftware { RedisSoftware(binaries: binaries, modules: modules) }
}

extension Estate {
    /// Of a service of this name; what the machine has, where there is none.
    public func redisSoftware(of service: String) -> RedisSoftware { services[service]?.redisSoftware ?? RedisSoftware() }
}

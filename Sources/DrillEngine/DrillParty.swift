// Who takes part in one drill.

import DrillModel

/// The drivers of one drill, and what surrounds its steps.
public struct DrillParty: Sendable {
    /// One per recovery of the plan, in its order.
    public var services: [any ServiceDriver]
    /// What no backup brings back; in the plan's order.
    public var caches: [any CacheDriver]
    /// What stands for the services that outlive the disaster, made before the incident; in the plan's order.
    public var existing: [any ServiceDriver]
    /// Knows ``existing``; nil where there is none.
    public var survivors: (any SurvivorDriver)?
    /// Loses a zone, and knows that it is lost; nil where none is.
    public var outage: (any OutageDriver)?
    public var application: (any ApplicationDriver)?
    public var hooks: (any HookRunner)?
    /// nil: nobody is there to be asked, and manual steps count with their allowances.
    public var confirmer: (any ManualConfirmer)?

    public init(
        services: [any ServiceDriver], caches: [any CacheDriver] = [], existing: [any ServiceDriver] = [],
        survivors: (any SurvivorDriver)? = nil,
        outage: (any OutageDriver)? = nil, application: (any ApplicationDriver)? = nil, hooks: (any HookRunner)? = nil,
        confirmer: (any ManualConfirmer)? = nil
    ) {
        self.services = services
        self.caches = caches
        self.existing = existing
        self.survivors = survivors
        self.outage = outage
        self.application = application
        self.hooks = hooks
        self.confirmer = confirmer
    }

    func tearDown() async -> [Finding] {
        var findings: [Finding] = []
        // The application first: it holds connections to the others.
        if let application { findings += await application.tearDown() }
        for cache in caches.reversed() { findings += await cache.tearDown() }
        for driver in (existing + services).reversed() { findings += await driver.tearDown() }
        if let outage { findings += await outage.tearDown() }
        return findings
    }
}

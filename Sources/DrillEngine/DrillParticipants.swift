// Who takes part in one drill.

public import DrillModel

/// The drivers of one drill, and what surrounds its steps.
public struct DrillParticipants<Provision: Sendable>: Sendable {
    /// What the drill demands of this machine and it can't give, as cases; asked before anything else is done.
    public var unmetDemands: @Sendable () async -> [CaseResult]
    /// One per recovery of the plan, in its order.
    public var services: [any ServiceDriver<Provision>]
    /// What no backup brings back; in the plan's order.
    public var caches: [any CacheDriver<Provision>]
    /// What stands for the services that outlive the disaster, made before the incident; in the plan's order.
    public var existing: [any ServiceDriver<Provision>]
    /// Holds ``existing`` against what they were; nil where there is none.
    public var witness: (any ExistingServicesDriver<Provision>)?
    /// Loses a zone, and knows that it is lost; nil where none is.
    public var outage: (any OutageDriver)?
    public var application: (any ApplicationDriver<Provision>)?
    public var hooks: (any HookRunner)?
    /// nil: nobody is there to be asked, and manual steps count with their allowances.
    public var confirmer: (any ManualConfirmer)?

    public init(
        services: [any ServiceDriver<Provision>], caches: [any CacheDriver<Provision>] = [],
        existing: [any ServiceDriver<Provision>] = [], witness: (any ExistingServicesDriver<Provision>)? = nil,
        outage: (any OutageDriver)? = nil, application: (any ApplicationDriver<Provision>)? = nil, hooks: (any HookRunner)? = nil,
        confirmer: (any ManualConfirmer)? = nil, unmetDemands: @escaping @Sendable () async -> [CaseResult] = { [] }
    ) {
        self.services = services
        self.caches = caches
        self.existing = existing
        self.witness = witness
        self.outage = outage
        self.application = application
        self.hooks = hooks
        self.confirmer = confirmer
        self.unmetDemands = unmetDemands
    }
}

// ISO/IEC 27001:2022, annex A: continuity, backup and redundancy.

import DrillModel

extension ControlCatalogue {
    private static let framework = "ISO/IEC 27001:2022"

    static let iso: [Clause] = [
        Clause(
            framework: framework, clause: "A.5.29",
            asks: "Plan how information stays protected at the level that it needs while there is a disruption.",
            supports: [EvidenceFields.questions, EvidenceFields.answers, EvidenceFields.promises, EvidenceFields.unproven],
            doesNotShow: [
                "protection in a real emergency: access rights, logging and monitoring of a site that takes over",
                "how people act under pressure, and what they may pass over",
                "more than the drill's own quarantine (no way out, no open port, private files) and the encryption of the backups",
            ],
            judge: { $0.ability(by: $0.drills, "a recovery in quarantine", adding: [$0.keeping]) }),
        Clause(
            framework: framework, clause: "A.5.30",
            asks: "Plan, keep up and test the readiness of information technology by the objectives of business continuity.",
            supports: [
                EvidenceFields.windows, EvidenceFields.recoveryTime, EvidenceFields.recoveryTimeTarget, EvidenceFields.dataLoss,
                EvidenceFields.measured, EvidenceFields.forecast,
            ],
            doesNotShow: [
                "the business impact analysis that the objectives should come from: a drill file's targets are taken as they are",
                "services that the estate file doesn't name",
            ],
            judge: { $0.tests(of: $0.drills, "the plan", adding: [$0.due, $0.times($0.drills), $0.losses($0.drills)]) }),
        Clause(
            framework: framework, clause: "A.8.13",
            asks: "Keep backups of information, software and systems by an agreed policy, and test them regularly.",
            supports: [
                EvidenceFields.promises, EvidenceFields.broken, EvidenceFields.backups, EvidenceFields.answers, EvidenceFields.store,
            ],
            doesNotShow: [
                "that the policy covers all that needs a backup: what the estate file leaves out is not looked at",
                "physical protection of the stores, and how far apart they are: zones are names",
            ],
            judge: { $0.tests(of: $0.restores, "a restore", adding: [$0.keeping, $0.looking]) }),
        Clause(
            framework: framework, clause: "A.8.14",
            asks: "Have facilities for processing information redundant enough for the availability that is needed.",
            supports: [EvidenceFields.scenario, EvidenceFields.store, EvidenceFields.recoveryTime, EvidenceFields.questions],
            doesNotShow: [
                "redundancy by anything but a drill that takes a zone away: restores in place say nothing of it",
                "redundant power, network and hardware of the facilities, and whether they share a fate",
                "a switchover of production itself: the zone is cut off from the machine that drills alone",
            ],
            judge: { evidence in
                let outages = evidence.drills(of: .dataCenterOutage)
                return evidence.ability(by: outages, "data-center-outage", adding: [evidence.times(outages)])
            }),
    ]
}

// DORA, Regulation (EU) 2022/2554: response and recovery, backup and restoration.

import DrillModel

extension ControlCatalogue {
    private static let framework = "DORA (EU) 2022/2554"

    static let dora: [Clause] = [
        Clause(
            framework: framework, clause: "Article 11(6)",
            asks: "Test the continuity plans, and those of response and recovery, at least once a year and after weighty changes, with "
                + "scenarios that include cyber attacks and switchovers to redundant capacity and backups; test crisis communication.",
            supports: [
                EvidenceFields.windows, EvidenceFields.scenario, EvidenceFields.recorded, EvidenceFields.inputs, EvidenceFields.actions,
            ],
            doesNotShow: [
                "crisis communication, and what people decide: not at all",
                "cyber attacks: drills rehearse what is lost, and not how it was lost",
                "that a change of the systems was followed by a test: the ledger shows changed drill and estate files alone",
            ],
            judge: { evidence in
                let outages = evidence.drills(of: .dataCenterOutage).count
                return evidence.tests(
                    of: evidence.drills, "the plan",
                    adding: [evidence.due, "\(outages == 0 ? "none" : "\(outages)") of data-center-outage", evidence.mending])
            }),
        Clause(
            framework: framework, clause: "Article 12(2)",
            asks: "Have backup systems that can be put to work by the set procedures without harm to security or data, and test backup and "
                + "restoration periodically.",
            supports: [EvidenceFields.windows, EvidenceFields.steps, EvidenceFields.questions, EvidenceFields.answers],
            doesNotShow: [
                "putting production's own backup system to work: drills restore beside it, in a quarantine",
                "how often is often enough: the cadence is the drill file's",
            ],
            judge: { $0.tests(of: $0.restores, "a restore", adding: [$0.due]) }),
        Clause(
            framework: framework, clause: "Article 12(3)",
            asks: "Restore onto systems that are physically and logically apart from the source's, protected from unauthorized access and "
                + "corruption, and quick enough.",
            supports: [EvidenceFields.questions, EvidenceFields.answers, EvidenceFields.recoveryTime, EvidenceFields.unproven],
            doesNotShow: [
                "physical separation: the machine that drills may stand beside the source, or be a part of it",
                "the systems that a real restore would use: the quarantine's separation is the scratch servers'",
                "what central counterparties and data reporting providers must add",
            ],
            judge: { $0.ability(by: $0.restores, "a restore in quarantine", adding: [$0.times($0.restores)]) }),
        Clause(
            framework: framework, clause: "Article 12(4)",
            asks:
                "Keep redundant capacity in technology, with the resources and functions that the business needs; microenterprises decide "
                + "by their risk.",
            supports: [EvidenceFields.scenario, EvidenceFields.store, EvidenceFields.recoveryTime, EvidenceFields.questions],
            doesNotShow: [
                "that the capacity is adequate for production's load: scratch servers are small",
                "capacity that is no store, standby or replica of the estate",
            ],
            judge: { evidence in
                let losses = evidence.drills(of: .dataCenterOutage, .serverFailure)
                return evidence.ability(by: losses, "data-center-outage or server-failure", adding: [evidence.times(losses)])
            }),
        Clause(
            framework: framework, clause: "Article 12(5)",
            asks:
                "As a central securities depository, keep a secondary site with the resources, functions and staff to go on with critical "
                + "functions, far enough from the first, and reachable by staff at once.",
            supports: [EvidenceFields.scenario, EvidenceFields.store, EvidenceFields.recoveryTime, EvidenceFields.dataLoss],
            doesNotShow: [
                "the site itself: distance, risk profile, staffing and access",
                "more than that the data in another zone brings the services back",
            ],
            judge: { evidence in
                let outages = evidence.drills(of: .dataCenterOutage)
                return evidence.ability(
                    by: outages, "data-center-outage", adding: [evidence.times(outages), evidence.losses(outages)])
            }),
        Clause(
            framework: framework, clause: "Article 12(6)",
            asks:
                "Set a recovery time and a recovery point for each function by how critical it is, such that agreed service levels are met "
                + "in extreme scenarios, too.",
            supports: [
                EvidenceFields.recoveryTimeTarget, EvidenceFields.recoveryTime, EvidenceFields.dataLossTarget, EvidenceFields.dataLoss,
                EvidenceFields.worstCase, EvidenceFields.forecast,
            ],
            doesNotShow: [
                "how the targets were chosen, and what they mean for the market",
                "functions without a drill, and drills without targets",
            ],
            judge: { evidence in
                guard evidence.hasObjective(evidence.drills) else {
                    return Judgement(hasEvidence: false, summary: "no drill was measured against a target in this period")
                }
                return Judgement(
                    hasEvidence: true, summary: evidence.joined([evidence.times(evidence.drills), evidence.losses(evidence.drills)]))
            }),
        Clause(
            framework: framework, clause: "Article 12(7)",
            asks: "When recovering, check by several means and reconcile, so that data is as sound as can be and agrees between systems.",
            supports: [
                EvidenceFields.questions, EvidenceFields.answers, EvidenceFields.sealed, EvidenceFields.skew, EvidenceFields.findings,
            ],
            doesNotShow: [
                "reconciliation with outside parties, and of business records between systems",
                "equality with the source where a backup has no seal",
            ],
            judge: { $0.ability(by: $0.restores, "a restore with its checks", adding: [$0.mending]) }),
    ]
}

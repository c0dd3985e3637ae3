// Frameworks of which one clause each is about testing recovery: NIS2, PCI DSS, HIPAA, and the Reserve Bank of India's direction.

import DrillModel

extension ControlCatalogue {
    static let nis2: [Clause] = [
        Clause(
            framework: "NIS2 (EU) 2024/2690", clause: "Annex 4.2",
            asks: "Keep backups by a plan (recovery times, completeness, safe and separate places, access, retention), check that they are "
                + "whole, keep resources partly redundant, test recovery regularly, document the results, and mend what fell short.",
            supports: [
                EvidenceFields.promises, EvidenceFields.broken, EvidenceFields.recoveryTime, EvidenceFields.answers, EvidenceFields.actions,
                EvidenceFields.files,
            ],
            doesNotShow: [
                "redundancy of people, facilities and means of communication",
                "that places are far enough apart, and that approvals for a restore exist",
                "access rights beyond those of the files that an inspection looks at",
            ],
            judge: { $0.tests(of: $0.restores, "a restore", adding: [$0.keeping, $0.times($0.restores), $0.mending]) })
    ]

    static let pci: [Clause] = [
        Clause(
            framework: "PCI DSS 4.0", clause: "12.10.2",
            asks:
                "At least every 12 months, review the plan for security incidents, bring it up to date, and test it with all its elements.",
            supports: [EvidenceFields.windows, EvidenceFields.steps, EvidenceFields.recorded, EvidenceFields.actions],
            doesNotShow: [
                "any element of the plan but two: recovery of the business's services, and the backup processes",
                "roles and contacts, notice to payment brands, containment, legal analysis: not at all",
                "that the plan was reviewed and brought up to date",
            ],
            judge: { $0.tests(of: $0.drills, "the plan", adding: [$0.due, $0.mending]) })
    ]

    static let hipaa: [Clause] = [
        Clause(
            framework: "HIPAA", clause: "164.308(a)(7)(ii)(D)",
            asks: "Have procedures to test contingency plans periodically and to revise them (addressable: or say why not).",
            supports: [
                EvidenceFields.windows, EvidenceFields.runs, EvidenceFields.actions, EvidenceFields.closedBy, EvidenceFields.recorded,
            ],
            doesNotShow: [
                "the written procedures, and the revision of the plan",
                "the emergency mode of operation, and the part of the workforce in a test",
            ],
            judge: { $0.tests(of: $0.drills, "the plan", adding: [$0.due, $0.mending]) })
    ]

    static let rbi: [Clause] = [
        Clause(
            framework: "RBI Master Direction on IT Governance 2023", clause: "¶29",
            asks: "Drill disaster recovery of critical systems at least every half-year; mend what a drill showed and drill it again; work "
                + "from the other site for a full working day; restore backups periodically; aim at the least recovery time and at almost no "
                + "data loss, and reconcile what was lost.",
            supports: [
                EvidenceFields.windows, EvidenceFields.scenario, EvidenceFields.recoveryTime, EvidenceFields.dataLoss,
                EvidenceFields.closedBy, EvidenceFields.owner, EvidenceFields.user, EvidenceFields.trigger,
            ],
            doesNotShow: [
                "a working day at the other site: a drill ends when operation is verified",
                "that both sites run the same configuration and patches",
                "drills together with vendors and partners, and the reconciliation of business records",
            ],
            judge: { evidence in
                let outages = evidence.drills(of: .dataCenterOutage).count
                return evidence.tests(
                    of: evidence.drills, "the plan",
                    adding: [
                        evidence.due, "\(outages == 0 ? "none" : "\(outages)") of data-center-outage", evidence.times(evidence.drills),
                        evidence.losses(evidence.drills), evidence.mending,
                    ])
            })
    ]
}

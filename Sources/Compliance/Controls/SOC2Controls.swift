// SOC 2: the trust services criteria for availability.

extension ControlCatalogue {
    private static let framework = "SOC 2"

    static let soc2: [Clause] = [
        Clause(
            framework: framework, clause: "A1.2",
            asks: "Build, run and watch over environmental protections, backup processes and the infrastructure for recovery, as the "
                + "promised availability takes.",
            supports: [EvidenceFields.promises, EvidenceFields.broken, EvidenceFields.backups, EvidenceFields.inspections],
            doesNotShow: [
                "environmental protections (power, cooling, fire, water): not at all",
                "who authorized, designed and approved the backup processes",
                "capacity and readiness of a site for recovery, beyond what a drill of an outage uses",
            ],
            judge: { evidence in
                guard !evidence.inspections.isEmpty, !evidence.promises.isEmpty else {
                    return Judgement(hasEvidence: false, summary: "no inspection asked for a promise of the backup plan in this period")
                }
                return Judgement(hasEvidence: true, summary: evidence.joined([evidence.keeping, evidence.looking]))
            }),
        Clause(
            framework: framework, clause: "A1.3",
            asks: "Test the procedures of the recovery plan, and whether backups are whole and complete.",
            supports: [
                EvidenceFields.windows, EvidenceFields.recoveryTimeVerdict, EvidenceFields.answers, EvidenceFields.actions,
                EvidenceFields.files, EvidenceFields.ledgerVerdict,
            ],
            doesNotShow: [
                "scenarios in which key people are missing, and how threats led to the scenarios that were chosen",
                "that the plan itself was revised after a test: only that the finding is gone",
            ],
            judge: { $0.tests(of: $0.drills, "the plan", adding: [$0.due, $0.times($0.drills), $0.mending]) }),
    ]
}

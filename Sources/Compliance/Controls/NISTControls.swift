// NIST SP 800-53, revision 5: contingency planning.

extension ControlCatalogue {
    private static let framework = "NIST SP 800-53 r5"

    static let nist: [Clause] = [
        Clause(
            framework: framework, clause: "CP-4",
            asks: "Test the contingency plan as often, and by such tests, as the organization has set; look at what came of it; mend what "
                + "fell short.",
            supports: [
                EvidenceFields.windows, EvidenceFields.steps, EvidenceFields.answers, EvidenceFields.actions, EvidenceFields.recorded,
            ],
            doesNotShow: [
                "that people reviewed the results, or walked through the plan: only that drills ran and findings were closed by later ones",
                "a test at an alternate processing site (CP-4(2)): drills run on scratch servers of the machine that drills",
                "whether the drills that were chosen are the tests that the organization set",
            ],
            judge: { $0.tests(of: $0.drills, "the plan", adding: [$0.due, $0.mending]) }),
        Clause(
            framework: framework, clause: "CP-9(1)",
            asks: "Test backups at set intervals, to know that their media can be read and that what is in them is whole.",
            supports: [
                EvidenceFields.inspections, EvidenceFields.promises, EvidenceFields.answers, EvidenceFields.sealed, EvidenceFields.rejected,
            ],
            doesNotShow: [
                "backups that no drill chose and no deep inspection read: a drill reads the newest healthy one",
                "media that no store of the estate names, such as tapes and offline disks",
                "integrity against the source where a backup has no seal: `unproven` then says so",
            ],
            judge: { evidence in
                let restored = evidence.tests(of: evidence.restores, "a restore", adding: [evidence.looking])
                guard !restored.hasEvidence, !evidence.inspections.isEmpty else { return restored }
                return Judgement(hasEvidence: true, summary: evidence.joined([evidence.looking, restored.summary]))
            }),
        Clause(
            framework: framework, clause: "CP-9(2)",
            asks: "Restore chosen functions of the system from a sample of its backups when the contingency plan is tested.",
            supports: [
                EvidenceFields.runs, EvidenceFields.store, EvidenceFields.steps, EvidenceFields.answers, EvidenceFields.signedVerdict,
            ],
            doesNotShow: [
                "that the sample is large enough for the assurance that is wanted",
                "functions that no drill file recovers",
            ],
            judge: { $0.tests(of: $0.restores, "a restore", adding: [$0.due]) }),
        Clause(
            framework: framework, clause: "CP-10",
            asks: "Be able to bring the system back to a known state within the times and the data loss that were set.",
            supports: [
                EvidenceFields.recoveryTime, EvidenceFields.recoveryTimeTarget, EvidenceFields.dataLoss, EvidenceFields.dataLossTarget,
                EvidenceFields.questions,
            ],
            doesNotShow: [
                "recovery on production's own hardware, network and load: scratch servers stand in for them",
                "reconstitution: the return from interim operation to the normal one, and taking interim capacity down",
                "how long people take: declared allowances are added to the measured time, and not measured",
            ],
            judge: { $0.ability(by: $0.drills, "a recovery", adding: [$0.times($0.drills), $0.losses($0.drills)]) }),
    ]
}

// The clauses of standards that a period's evidence can support, in one table: a file per framework, a line per clause.

public import Reports

/// What standards ask for, and what Muster's evidence shows of it. It supports an assessment, and certifies nothing.
public enum ControlCatalogue {
    /// One clause.
    struct Clause: Sendable {
        var framework: String
        var clause: String
        /// What it asks for, in our words: the standard's own are the ones that count.
        var asks: String
        var supports: [ComplianceReport.Control.Support]
        var doesNotShow: [String]
        /// What of it a period holds.
        var judge: @Sendable (PeriodEvidence) -> Judgement
    }

    /// What a period holds for a clause.
    struct Judgement: Sendable, Equatable {
        var hasEvidence: Bool
        /// A sentence with the period's figures.
        var summary: String
    }

    /// The frameworks in the order in which reports show them.
    static let all: [Clause] = nist + soc2 + iso + dora + nis2 + pci + hipaa + rbi

    /// Every clause, with what this report's period holds for it. A run that was cut off, came to no verdict or was altered since counts
    /// for nothing.
    public static func judge(_ report: ComplianceReport) -> [ComplianceReport.Control] {
        let evidence = PeriodEvidence(report)
        return all.map { clause in
            let judgement = clause.judge(evidence)
            return ComplianceReport.Control(
                framework: clause.framework, clause: clause.clause, asks: clause.asks, supports: clause.supports,
                doesNotShow: clause.doesNotShow, hasEvidence: judgement.hasEvidence, summary: judgement.summary)
        }
    }
}

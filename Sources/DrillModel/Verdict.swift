// What Muster says of a question, and how several answers become one.

/// The answer to a question. The words are the design's: what could not be verified never reads as passed.
public enum Verdict: String, Sendable, Hashable, Codable, CaseIterable {
    /// It was asked, and it holds.
    case passed
    /// It was asked, and the backup, the data or a target fell short.
    case failed
    /// It could not be asked: a tool is missing, a disk is full.
    case error
    /// Nobody asked for it. A reason always stands beside it.
    case skipped

    /// How much a verdict weighs when several are combined; the heaviest wins.
    private var weight: Int {
        switch self {
        case .skipped: 0
        case .passed: 1
        case .error: 2
        case .failed: 3
        }
    }

    /// One verdict for many. Of nothing at all it is ``error``: a suite that looked at nothing proves nothing.
    ///
    /// Only skipped answers combine to ``skipped``; callers that promise a proof turn that into ``error`` themselves.
    public static func combined(_ verdicts: some Sequence<Verdict>) -> Verdict {
        verdicts.max { $0.weight < $1.weight } ?? .error
    }
}

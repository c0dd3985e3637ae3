// What a machine lacks to restore a backup, and what follows from it for the checks.

public import DrillModel
import Foundation

/// Something that is missing here, and isn't the backup's fault: an extension, a library, a server that knows what the dump sets.
public struct MachineLack: Sendable, Hashable {
    public var finding: Finding
    /// The names, without quotes, of what could not be made for it.
    public var unrestored: Set<String>

    /// A check's answer in its light: a difference of what could not be made here proves nothing against the backup.
    ///
    /// - Returns: The case without such differences, which are counted; in error where there was no other.
    public func weighed(_ result: CaseResult) -> CaseResult {
        guard result.verdict == .failed else { return result }
        let own = result.findings.filter { $0.severity == .critical && isExcused($0) }
        guard !own.isEmpty else { return result }
        var weighed = result
        weighed.findings = result.findings.filter { !own.contains($0) }
        let count = own.count == 1 ? "one object" : "\(own.count) objects"
        weighed.reason = "\(count) not proven, since \(finding.message)"
        if !weighed.findings.contains(where: { $0.severity == .critical }) { weighed.verdict = .error }
        return weighed
    }

    private func isExcused(_ finding: Finding) -> Bool {
        // Of the database as a whole: all of its tables may be among them.
        finding.rule.name == "nothing-restored" && !unrestored.isEmpty || isUnrestored(finding.object)
    }

    /// Whether a finding's object is one of these, or hangs on one: `column public.things.h` on `public.things`.
    private func isUnrestored(_ object: String) -> Bool {
        let text = object.filter { $0 != "\"" }
        return unrestored.contains { name in
            let name = name.filter { $0 != "\"" }
            var rest = text[...]
            while !name.isEmpty, let range = rest.range(of: name) {
                let before = range.lowerBound == text.startIndex ? nil : text[text.index(before: range.lowerBound)]
                let after = range.upperBound == text.endIndex ? nil : text[range.upperBound]
                if before.map({ " .(".contains($0) }) ?? true, after.map({ " .(),:".contains($0) }) ?? true { return true }
                rest = rest[range.upperBound...]
            }
            return false
        }
    }
}

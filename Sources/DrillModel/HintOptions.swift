// A hint may name an option. The one place where it is held against the command that tells it.

import Foundation

/// The options of one command, and those of all.
public struct HintOptions: Sendable {
    private let own: Set<String>
    private let all: Set<String>

    /// - Parameters:
    ///   - own: As they are typed: `--keep`. Those that the command at hand has.
    ///   - all: Those of every command: what is in none of them is another program's.
    public init(own: Set<String>, all: Set<String>) {
        self.own = own
        self.all = all
    }

    /// The hint without what this command can't be told to do; one that names a whole command line is another command's.
    public func fitting(_ hint: String) -> String {
        guard !isOurs(hint) else { return hint }
        let left = hint.split(separator: "; ").compactMap { part -> String? in
            let ways = String(part).components(separatedBy: ", or ").filter(isOurs)
            return ways.isEmpty ? nil : ways.joined(separator: ", or ")
        }
        return left.isEmpty ? "muster doctor shows what this machine lacks" : left.joined(separator: "; ")
    }

    /// - Returns: The event with hints that its command can follow.
    public func fitting(_ event: Event) -> Event {
        guard case .caseFinished(var result) = event.kind, !result.findings.allSatisfy({ isOurs($0.hint) }) else { return event }
        result.findings = result.findings.map { finding in
            var finding = finding
            finding.hint = fitting(finding.hint)
            return finding
        }
        var event = event
        event.kind = .caseFinished(result)
        return event
    }

    private func isOurs(_ text: String) -> Bool {
        if text.contains(#/\bmuster [a-z]+/#) { return true }
        return text.matches(of: #/--[a-z][a-z-]*/#).allSatisfy { own.contains(String($0.output)) || !all.contains(String($0.output)) }
    }
}

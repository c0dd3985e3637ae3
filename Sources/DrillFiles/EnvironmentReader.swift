// The variables that a program of the user's is given: an application's, or a check's.

import DrillModel
import Foundation
import Yams

/// Reads `environment`.
struct EnvironmentReader {
    let file: SourceFile

    /// - Parameter template: Reads one value, and tells what is wrong with a place in it.
    func read(_ fields: Fields, _ template: (String, Place?) -> Template?) -> [String: Template] {
        guard let entry = fields["environment"], let mapping = file.mapping(entry.node, what: "\"environment\" of \(fields.title)") else {
            return [:]
        }
        var environment: [String: Template] = [:]
        for variable in file.entries(mapping) {
            guard variable.name.wholeMatch(of: /[A-Za-z_][A-Za-z0-9_]*/) != nil, !variable.name.hasPrefix("MUSTER_") else {
                file.report(
                    at: variable.place, "\(shown(variable.name)) is no name of an environment variable",
                    hint: "use letters, digits and _, not beginning with a digit; MUSTER_ is muster's own")
                continue
            }
            guard let text = file.text(variable.node, what: "\"\(variable.name)\"") else { continue }
            if holdsSecret(variable.name, text) {
                file.report(
                    at: variable.node.place, "\"\(variable.name)\" would be a secret written in the file",
                    hint: "take it out and change it: scratch servers ask for none, and others belong into the recovered configuration")
                continue
            }
            environment[variable.name] = template(text, variable.node.place)
        }
        return environment
    }

    /// By its name, or by a password between a scheme and a host.
    private func holdsSecret(_ name: String, _ text: String) -> Bool {
        if text.contains(/:\/\/[^\/@{}]*:[^\/@{}]+@/) { return true }
        return Secrets.names(name, in: .application) && Template(text).owners.isEmpty && text.count > 5 && Double(text) == nil
    }
}

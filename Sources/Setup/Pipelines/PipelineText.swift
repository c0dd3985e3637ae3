// Which texts may stand in the files of a pipeline as they are: what YAML, a shell, a unit or a crontab could read otherwise is refused.

import DrillModel
import Foundation

/// Rules of what comes from the command line and the estate. Names of estates and keys are as plain already, by the reader of their files.
enum PipelineText {
    static func plain(_ text: String, _ what: String) throws(CommandFailure) -> String {
        guard text.wholeMatch(of: /[A-Za-z0-9_\/.][A-Za-z0-9_\/.@+\-]*/) != nil else {
            throw CommandFailure(
                .usage, "\(what) holds a character that shells, units and YAML read otherwise: \(text)",
                hint: "use letters, digits and / . _ @ + -, or write the pipeline by hand")
        }
        return text
    }

    static func filter(_ text: String, of plans: [DrillPlan]) throws(CommandFailure) -> String {
        guard text.wholeMatch(of: /[A-Za-z0-9_.^\-]+/) != nil, let pattern = try? Regex(text) else {
            throw CommandFailure(
                .usage, "--filter \(text) is more than a pipeline's line takes",
                hint: "use letters, digits and ^ . _ -, such as ^quarterly-")
        }
        guard plans.contains(where: { $0.name.contains(pattern) }) else {
            throw CommandFailure(.usage, "no drill's name matches \(text)", hint: "muster run --dry-run shows the names")
        }
        return text
    }

    static func image(_ name: String?, for kind: Pipeline.Kind) throws(CommandFailure) -> String? {
        guard let name else {
            guard kind != .kubernetes else {
                throw CommandFailure(
                    .usage, "kubernetes takes an image that holds muster, and none is named",
                    hint: "add --image NAME:VERSION: one of your own registry, with muster and the servers' programs in it")
            }
            return nil
        }
        guard Pipeline.Kind.takingAnImage.contains(kind) else {
            throw CommandFailure(
                .usage, "--image goes with \(Pipeline.Kind.takingAnImage.map(\.rawValue).joined(separator: ", "))",
                hint: "leave it out: \(kind.rawValue) takes the machine's own muster")
        }
        guard name.wholeMatch(of: /[a-z0-9][A-Za-z0-9._\/:@\-]*/) != nil else {
            throw CommandFailure(.usage, "--image \(name) is no image's name", hint: "write it as registry.example.org/muster:0.1.0")
        }
        return name
    }
}

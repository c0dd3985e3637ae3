// A file of corrective actions to an action plan.

import DrillModel
import Foundation
import Yams

/// Reads one file of corrective actions.
struct ActionReader {
    /// nil where the file has problems, which it then holds.
    static func read(_ file: SourceFile) -> ActionPlan? {
        guard let root = file.root, let fields = Fields(file, root, .actions) else { return nil }
        fields.requireVersion()
        var plan = ActionPlan()
        if let days = fields.whole("days", in: 1...3660) { plan.days = days }
        if let list = fields["corrective-actions"] {
            guard case .sequence(let nodes) = list.node else {
                fields.report(
                    "corrective-actions", "\"corrective-actions\" must be a list, not \(file.kind(of: list.node))",
                    hint: "begin each with \"- \", below it")
                return nil
            }
            plan.entries = nodes.compactMap { entry(file, $0) }
        }
        return file.problems.isEmpty ? plan : nil
    }

    private static func entry(_ file: SourceFile, _ node: Node) -> ActionPlan.Entry? {
        guard let fields = Fields(file, node, .action, title: "a corrective action", place: node.place) else { return nil }
        let entry = (
            drill: fields.text("drill"), rule: fields.text("rule"), object: fields.text("object"), owner: fields.text("owner"),
            due: fields.day("due"), note: fields.text("note")
        )
        if fields.stated.isDisjoint(with: ["owner", "due", "note"]) {
            file.report(at: fields.place, "a corrective action says nothing", hint: "name its owner, and the day until which it is due")
        }
        guard let drill = entry.drill, let rule = entry.rule else { return nil }
        return ActionPlan.Entry(
            drill: drill, rule: rule, object: entry.object, owner: entry.owner, due: entry.due, note: entry.note,
            line: node.place?.line ?? 0)
    }
}

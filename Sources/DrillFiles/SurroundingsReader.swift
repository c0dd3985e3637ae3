// What surrounds a drill's steps: hooks, and what people do.

import DrillModel
import Yams

/// Reads `hooks` and `manual`.
struct SurroundingsReader {
    let file: SourceFile
    let fields: Fields

    func hooks() -> [Step: [Hook.Moment: Hook]] {
        guard let entry = fields["hooks"], let steps = Fields(file, entry.node, .hooks, title: "\"hooks\"", place: entry.place) else {
            return [:]
        }
        if steps.stated.isEmpty { fields.report("hooks", "\"hooks\" is empty", hint: "name at least one step, or remove the line") }
        var hooks: [Step: [Hook.Moment: Hook]] = [:]
        for step in Step.allCases {
            guard let entry = steps[step.rawValue],
                let moments = Fields(file, entry.node, .stepHooks, title: "\"hooks\" of \(step.rawValue)", place: entry.place)
            else { continue }
            if moments.stated.isEmpty {
                steps.report(step.rawValue, "\(moments.title) is empty", hint: "name at least one of before, after and on-failure")
            }
            for moment in Hook.Moment.allCases {
                hooks[step, default: [:]][moment] = moments[moment.rawValue].flatMap {
                    hook($0, "hook \(moment.rawValue) \(step.rawValue)")
                }
            }
        }
        return hooks
    }

    func hook(_ entry: Entry, _ title: String) -> Hook? {
        guard let fields = Fields(file, entry.node, .hook, title: title, place: entry.place) else { return nil }
        let timeout = fields.duration("timeout")
        guard let run = fields.texts("run")?.map(\.text), timeout != nil || fields["timeout"] == nil else { return nil }
        return Hook(run: run, timeout: timeout ?? .seconds(60))
    }

    /// - Parameter names: Those of the allowances, which the report shows beside these.
    func manual(besides names: [String]) -> [ManualStep] {
        guard let entry = fields["manual"] else { return [] }
        guard case .sequence(let items) = entry.node, !items.isEmpty, !file.refusesTag(of: entry.node) else {
            fields.report(
                "manual", "\"manual\" must be a list of at least one",
                hint: "begin each with \"- \", as in \"- {step: identify, name: decide, allowance: 15m}\"")
            return []
        }
        var seen = Set(names)
        return items.compactMap { item in
            guard let fields = Fields(file, item, .manual, title: "a manual step", place: item.place) else { return nil }
            let step = fields.choice("step", Step.self)
            let allowance = fields.duration("allowance")
            guard let name = fields.name("name"), let step, let allowance else { return nil }
            guard seen.insert(name).inserted else {
                fields.report("name", "\(shown(name)) is there twice", hint: "give each manual step and each allowance a name of its own")
                return nil
            }
            return ManualStep(step: step, name: name, allowance: allowance)
        }
    }
}

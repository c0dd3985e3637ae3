// What earlier releases of Muster sealed, brought into today's form: a seal lasts as long as its backup does.

import DrillModel

/// A sealed schema without what is no longer compared, since no dump holds it.
enum SealedForm {
    static func today(of objects: [SchemaObject]) -> [SchemaObject] {
        let forward = Set(objects.filter(isForwardDeclaration).map(\.key))
        return objects.compactMap { object in
            if forward.contains(object.key) || !forward.isDisjoint(with: object.parents) { return nil }
            return SchemaObject(kind: object.kind, name: object.name, definition: definition(of: object))
        }
    }

    /// An operator that only a commutator or a negator names: it has no function.
    private static func isForwardDeclaration(_ object: SchemaObject) -> Bool {
        guard object.kind == .operator, !object.name.hasPrefix("class "), !object.name.hasPrefix("family ") else { return false }
        return !object.definition.split(separator: "\n").contains { $0.hasPrefix("function: ") }
    }

    private static func definition(of object: SchemaObject) -> String {
        let lines = object.definition.split(separator: "\n", omittingEmptySubsequences: false)
        let kept: [Substring]
        switch object.kind {
        case .column, .table, .view, .materializedView:
            kept = lines.filter { line in !ServersOwnOption.all.contains { line.hasPrefix("option \($0)=") } }
        case .sequence where lines.contains("identity"):
            kept = lines.filter { !$0.hasPrefix("type: ") }
        default: return object.definition
        }
        return kept.joined(separator: "\n")
    }
}

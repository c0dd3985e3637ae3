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

    /// What a copy holds of what a seal was asked for: the seal says nothing of the rest.
    ///
    /// - Returns: That, and how many objects the seal can say nothing of, or not all.
    static func known(to catalogue: Int, of objects: [SchemaObject]) -> (objects: [SchemaObject], unknown: Int) {
        guard catalogue < 3 else { return (objects, 0) }
        var unknown = 0
        let known = objects.compactMap { object -> SchemaObject? in
            if isCommentOnExtension(object) {
                unknown += 1
                return nil
            }
            guard catalogue < 2 else { return object }
            let first = isOfFirst(object) ? firstDefinition(of: object) : nil
            if first != object.definition { unknown += 1 }
            return first.map { SchemaObject(kind: object.kind, name: object.name, definition: $0) }
        }
        return (known, unknown)
    }

    /// The third catalogue is the first that asks for it.
    static func isCommentOnExtension(_ object: SchemaObject) -> Bool {
        object.kind == .comment && object.parents.first?.hasPrefix("extension ") == true
    }

    /// Whether the first catalogue asked for it.
    private static func isOfFirst(_ object: SchemaObject) -> Bool {
        let parent = object.parents.first ?? ""
        switch object.kind {
        case .accessMethod, .conversion, .transform, .dependency, .rolePassword: return false
        case .textSearch: return !object.name.hasPrefix("parser ") && !object.name.hasPrefix("template ")
        case .column: return !parent.hasPrefix("materialized-view ") && !parent.hasPrefix("index ")
        case .owner: return !["text-search ", "operator class ", "operator family ", "conversion "].contains { parent.hasPrefix($0) }
        case .grant:
            let ofOthers = object.parents.dropFirst().contains { $0.hasPrefix("extension ") || $0 == "the server" }
            return !parent.hasPrefix("parameter ") && !ofOthers
        case .comment: return !parent.hasPrefix("role ")
        case .trigger: return !object.definition.contains("\ncopy of that of table ")
        default: return true
        }
    }

    private static func firstDefinition(of object: SchemaObject) -> String {
        let more: [String]
        switch object.kind {
        case .function where object.definition.hasPrefix("aggregate\n"):
            more = ["final extra", "moving final extra", "final modifies: ", "moving final modifies: ", "moving space: "]
        case .materializedView: more = ["access method: ", "option toast."]
        case .publication: more = ["publishes generated columns: ", "all sequences"]
        case .roleMembership: more = ["with inherit option", "without inherit option"]
        default: return object.definition
        }
        let lines = object.definition.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.filter { line in !more.contains { line.hasPrefix($0) } }.joined(separator: "\n")
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

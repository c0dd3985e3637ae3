// What the list says of an artifact's encryption, by its content: for people, and for programs.

import DrillModel

extension RecoveryPointList {
    /// In the table.
    static func encryption(_ content: StoredContent?, of kind: BackupSet.Kind) -> String {
        if let enclosure = content?.enclosure { return "packed: \(enclosure.words)" }
        return switch content?.kind {
        case .folder where content?.parts.isEmpty == false: parts(content?.parts ?? [:])
        case .folder where isUnseen(content, of: kind): "not looked at"
        case .encrypted: content?.plainBehindHeader.map { "PLAIN: \($0) behind a header" } ?? content?.encryption ?? "openssl"
        case .plain(let kind): "PLAIN: \(kind)"
        case .folder: "PLAIN: a folder"
        case .empty: "EMPTY"
        case .unknown: "unknown"
        case nil: "UNREADABLE"
        }
    }

    /// Whether all that was seen is that there is a folder: what is in it, another tool or a drill knows.
    private static func isUnseen(_ content: StoredContent?, of kind: BackupSet.Kind) -> Bool {
        kind == .command || kind == .baseBackup && content?.permissions == nil
    }

    /// Of files that lie in one folder: what all are, or the first that isn't.
    private static func parts(_ parts: [String: StoredContent?]) -> String {
        let words = parts.sorted { $0.key < $1.key }.map { ($0.key, encryption($0.value, of: .pgDump)) }
        guard let odd = words.first(where: { $0.1.first?.isUppercase == true || $0.1 == "unknown" }) else {
            return Set(words.map(\.1)).sorted().joined(separator: ", ")
        }
        return odd.1.hasPrefix("PLAIN") ? "PLAIN: \(odd.0)" : "\(odd.1): \(odd.0)"
    }

    /// In JSON.
    static func word(_ content: StoredContent?, of kind: BackupSet.Kind) -> String {
        if content?.enclosure != nil { return "packed" }
        return switch content?.kind {
        case .folder where content?.parts.isEmpty == false:
            word(Set(content?.parts.values.map { word($0, of: kind) } ?? []))
        case .folder where isUnseen(content, of: kind): "not-looked-at"
        case .encrypted: content?.plainBehindHeader == nil ? content?.encryption ?? "openssl" : "plain"
        case .plain, .folder: "plain"
        case .empty: "empty"
        case .unknown: "unknown"
        case nil: "unreadable"
        }
    }

    /// Of files that lie in one folder: what all are, or the worst of it.
    private static func word(_ words: Set<String>) -> String {
        ["unreadable", "plain", "empty", "unknown"].first(where: words.contains) ?? words.sorted().joined(separator: ", ")
    }
}

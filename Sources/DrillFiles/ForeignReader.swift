// What only backups of other tools have: a pgBackRest stanza, or commands that restore.

import DrillModel

/// Reads those keys of one backup, and refuses them where they don't belong.
struct ForeignReader {
    struct Stated {
        var stanza: String?
        var restore: RestoreCommand?
    }

    let file: SourceFile
    let fields: Fields
    /// nil where it could not be read, which has been told.
    let kind: BackupSet.Kind?

    /// nil where something is wrong, which has been told.
    func read(_ encryption: Encryption?) -> Stated? {
        guard let kind else { return nil }
        var isRight = true
        func refuse(_ key: String, _ owner: BackupSet.Kind) {
            guard fields[key] != nil, kind != owner else { return }
            fields.report(
                key, "\"\(key)\" does not fit kind \"\(kind.rawValue)\"", hint: "remove it: it belongs to kind \(owner.rawValue)")
            isRight = false
        }
        refuse("stanza", .pgBackRest)
        refuse("restore", .command)
        refuse("fetch-wal", .command)
        refuse("fetch-wal-missing", .command)
        if let encryption, (encryption.format == .pgBackRest) != (kind == .pgBackRest) {
            fields.report(
                "encryption", "this format of \"encryption\" does not fit kind \"\(kind.rawValue)\"",
                hint: kind == .pgBackRest ? "write none, or {format: pgbackrest, key: NAME}" : "write none, or {format: openssl, key: NAME}"
            )
            isRight = false
        }
        // A cluster has thousands of files, and a program for each would take longer than the recovery itself.
        if let encryption, kind == .baseBackup, [.age, .gpg].contains(encryption.format) {
            fields.report(
                "encryption", "format \"\(encryption.format.name)\" does not fit kind \"\(kind.rawValue)\"",
                hint: "encrypt base backups and write-ahead log with format openssl or cms")
            isRight = false
        }
        switch kind {
        case .pgBackRest:
            guard let stanza = required("stanza", example: "main").flatMap({ fields.text($0) }), isRight else { return nil }
            return Stated(stanza: stanza)
        case .command:
            if fields["wal"] != nil, fields["fetch-wal"] != nil {
                fields.report("fetch-wal", "\"wal\" and \"fetch-wal\" say the same thing", hint: "keep one of them")
                isRight = false
            }
            let restore = required("restore", example: "[tool, restore, \"{data}\"]").flatMap {
                command($0, knowing: RestoreCommand.ofRestore, needing: [.data])
            }
            var fetch: [String]?
            if fields["fetch-wal"] != nil {
                fetch = command("fetch-wal", knowing: RestoreCommand.ofFetch, needing: [.wal, .path])
                isRight = isRight && fetch != nil
            }
            let codes = missingCodes()
            guard let restore, let codes, isRight else { return nil }
            return Stated(restore: RestoreCommand(restore: restore, fetchWAL: fetch, missingCodes: codes))
        default: return isRight ? Stated() : nil
        }
    }

    /// nil where they can't be read, which has been told.
    private func missingCodes() -> Set<Int>? {
        let key = "fetch-wal-missing"
        guard fields[key] != nil else { return RestoreCommand.usualMissingCodes }
        guard fields["fetch-wal"] != nil else {
            fields.report(key, "\"\(key)\" without \"fetch-wal\"", hint: "say how the write-ahead log is fetched, or remove it")
            return nil
        }
        guard let texts = fields.texts(key) else { return nil }
        let codes = texts.compactMap { Int($0.text) }.filter { (1...255).contains($0) }
        guard codes.count == texts.count else {
            fields.report(key, "\"\(key)\" must hold exit codes from 1 to 255", hint: "write \"\(key): [74]\" for wal-g")
            return nil
        }
        return Set(codes)
    }

    private func required(_ key: String, example: String) -> String? {
        if fields[key] != nil { return key }
        guard !fields.stated.contains(key) else { return nil }
        file.report(at: fields.place, "missing key \"\(key)\" in \(fields.title)", hint: "add \"\(key): \(example)\"")
        return nil
    }

    private func command(
        _ key: String, knowing known: [RestoreCommand.Placeholder], needing needed: [RestoreCommand.Placeholder]
    ) -> [String]? {
        guard let words = fields.texts(key)?.map(\.text), !words.isEmpty else { return nil }
        let spelt = known.map(\.rawValue).joined(separator: ", ")
        for placeholder in needed where !words.contains(where: { $0.contains(placeholder.rawValue) }) {
            fields.report(key, "\"\(key)\" doesn't say \(placeholder.rawValue)", hint: "it may hold \(spelt), each inside quotes")
            return nil
        }
        let foreign = RestoreCommand.Placeholder.allCases.first { other in
            !known.contains(other) && words.contains { $0.contains(other.rawValue) }
        }
        if let foreign {
            fields.report(key, "\"\(key)\" can't know \(foreign.rawValue)", hint: "it may hold \(spelt)")
            return nil
        }
        return words
    }
}

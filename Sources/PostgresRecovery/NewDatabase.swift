// What every new database has by itself: a dump that makes it once more has no fault.

import DrillModel

extension Rule {
    static let dumpBySchema = Rule("dump-by-schema")
}

/// What initdb puts into the templates, and so into each database: the schema `public`, and plpgsql.
enum NewDatabase {
    /// Whether all that a statement met is that such a thing is there already. Whatever the dump says of it (owner, comment, rights) stands in statements of
    /// its own, and what is in it is made anew: the same name for anything else stays a problem.
    static func explains(_ problem: RestoreLog.Problem, in script: DumpScript) -> Bool {
        let tokens = SQLToken.all(in: Array(problem.statement.utf8)).filter { !$0.isSign(";") }
        func makes(_ words: String...) -> Bool {
            tokens.count == words.count + 1 && zip(tokens, words).allSatisfy { $0.isWord($1) }
        }
        switch problem.text {
        case "schema \"public\" already exists":
            // Made in another role's name, it has that owner in the source and another here.
            return makes("CREATE", "SCHEMA") && tokens[2].identifier == "public"
                && !(problem.line.map(script.linesInAnothersName.contains) ?? false)
        case "extension \"plpgsql\" already exists", "language \"plpgsql\" already exists":
            return (makes("CREATE", "EXTENSION") || makes("CREATE", "LANGUAGE") || makes("CREATE", "PROCEDURAL", "LANGUAGE"))
                && tokens.last?.identifier == "plpgsql"
        default:
            return false
        }
    }

    /// For a dump that makes `public` itself, as `pg_dump -n public` does alone.
    static func note(on script: DumpScript) -> [Finding] {
        guard script.makesPublic else { return [] }
        let lacking = script.makesExtensions ? "unless told to, no large objects" : "no extensions and, unless told to, no large objects"
        return [
            Finding(
                .dumpBySchema, .note, object: "schema public", expected: "a dump of the whole database",
                actual: "a dump by schema (pg_dump -n)",
                message: "such a dump holds \(lacking), and nothing of other schemas",
                hint: """
                    dump the whole database, unless all of it is in this schema; in an emergency drop the empty schema public first: \
                    psql with ON_ERROR_STOP and pg_restore --exit-on-error end where the dump makes it once more
                    """)
        ]
    }
}

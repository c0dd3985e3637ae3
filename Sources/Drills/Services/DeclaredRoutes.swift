// Which database each of a drill's own questions goes to.

import DrillModel

extension Rule {
    static let databaseNotInBackup = Rule("database-not-in-backup")
    static let databaseAmbiguous = Rule("database-ambiguous")
}

/// A drill's questions of one Postgres service, by database.
struct DeclaredRoutes: Sendable {
    private(set) var byDatabase: [String: [DeclaredCheck]] = [:]
    /// Programs, which may change what they look at: they run when everything else has been asked of every database.
    private(set) var commands: [String: [DeclaredCheck]] = [:]
    /// Answers to what can't be put to any.
    private(set) var unasked: [CaseResult] = []

    /// - Parameters:
    ///   - main: Where those go that name none; nil where nobody has chosen.
    ///   - all: The databases that take connections; nil where that could not be asked.
    ///   - own: Those of them that are somebody's.
    init(_ declared: [DeclaredCheck], main: String?, all: [String]?, own: [String], service: String) {
        for check in declared {
            guard case .inDatabase(let name, let question) = check else {
                if let main {
                    add(check, to: main)
                } else {
                    unasked.append(
                        .unasked(.declared, service: service, name: check.name, finding: .databaseAmbiguous(own, object: check.name)))
                }
                continue
            }
            guard let all else {
                unasked.append(
                    .unasked(
                        .declared, service: service, name: check.name,
                        finding: Finding(
                            Rule("not-asked"), object: name, message: "which databases came back could not be asked",
                            hint: "the server's own findings say why")))
                continue
            }
            guard all.contains(name) else {
                unasked.append(
                    .judged(.declared, service: service, name: check.name, findings: [.notInBackup(name, holding: own)]))
                continue
            }
            add(question, to: name)
        }
    }

    private mutating func add(_ check: DeclaredCheck, to database: String) {
        if case .command = check.unwrapped.question {
            commands[database, default: []].append(check)
        } else {
            byDatabase[database, default: []].append(check)
        }
    }
}

extension Finding {
    static func notInBackup(_ name: String, holding own: [String]) -> Finding {
        Finding(
            .databaseNotInBackup, object: name, expected: "the database \(name) in the backup",
            actual: own.isEmpty ? "none that is anybody's" : own.sorted().joined(separator: ", "),
            message: "the drill asks for a database that did not come back",
            hint: "check database in the drill file, and that the backup is of the right server and leaves none out")
    }

    static func databaseAmbiguous(_ own: [String], object: String) -> Finding {
        Finding(
            .databaseAmbiguous, object: object, expected: "one database to ask", actual: own.sorted().joined(separator: ", "),
            message: "the backup holds several databases, and nothing says which of them the question is about",
            hint: "name it: database: NAME in the check, or beside from under recover for all that name none")
    }
}

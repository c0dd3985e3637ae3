// Asks whether the rows of a physical copy keep what their tables promise: the server took that for granted when they came back.

import DrillModel
import PostgresClient

extension Rule {
    static let constraintViolated = Rule("constraint-violated")
}

/// NOT NULL, CHECK, foreign keys, unique and exclusion constraints, asked of the rows themselves. A dump's are asked by its restore.
struct ConstraintsCheck: PostgresCheck {
    /// For all of a database's; what it is not enough for is said to be not proven.
    var limit: Duration = .seconds(600)

    func run(_ context: PostgresCheckContext) async {
        guard case .files = context.origin else { return }
        let start = ContinuousClock.now
        let catalog: ConstraintCatalog
        do throws(PostgresError) {
            catalog = try await ConstraintCatalog.read(context.connection)
        } catch {
            return await context.fail(.restore, "constraints", since: start, object: context.service, error)
        }
        tell(catalog.unasked, of: context, "can't be asked of rows that came back")
        let total = catalog.questions.reduce(0) { $0 + $1.bytes }
        var done: Int64 = 0
        var heard = Heard()
        // Small tables first: what the time is not enough for is little in number.
        let tables = Dictionary(grouping: catalog.questions, by: \.table).values
            .sorted { ($0[0].bytes, $0[0].table) < ($1[0].bytes, $1[0].table) }
        for questions in tables {
            let name = "constraints of \(questions[0].table)"
            let began = ContinuousClock.now
            (heard.findings, heard.isAnswered) = ([], false)
            for question in questions {
                context.progress(name, done, total)
                done += question.bytes
                await ask(question, until: start + limit, context, &heard)
                if Task.isCancelled { return }
            }
            if heard.isAnswered { await context.judge(.restore, name, since: began, heard.findings) }
        }
        tell(heard.unasked, of: context, "could not be asked")
        tell(heard.late, of: context, "were not asked, since \(limit.components.seconds) s were over")
    }

    /// What came of the questions about one table, and of all what could not be asked.
    private struct Heard {
        var findings: [Finding] = []
        var isAnswered = false
        var unasked: [String] = []
        var late: [String] = []
    }

    private func ask(
        _ question: ConstraintQuestion, until end: ContinuousClock.Instant, _ context: PostgresCheckContext, _ heard: inout Heard
    ) async {
        let names = question.promises.map { "\(question.table): \($0.name)" }
        let start = ContinuousClock.now
        var limited = context
        limited.statementTimeout = end - start
        guard limited.statementTimeout > .milliseconds(1) else {
            heard.late += names
            return
        }
        do throws(PostgresError) {
            // By the database's own settings: a function that a CHECK calls may rely on its search path.
            let change = question.change(on: context.connection.serverVersion)
            let row = try await DeclaredSession(limited, as: nil, heap: question.heap, change: change).ask {
                connection throws(PostgresError) in
                try await connection.query(question.query).first
            }
            heard.isAnswered = true
            heard.findings += zip(question.promises, 0...).compactMap { promise, index in
                // Of a domain's values the first that breaks it is an error; what is counted are the others.
                guard promise.kind != .domain, let count = row?[index].flatMap({ Int64($0) }), count > 0 else { return nil }
                return finding(promise, of: question.table, count)
            }
        } catch {
            switch (error.kind, error.sqlState) {
            case (.query, "23514"?) where question.promises[0].kind == .domain,
                (.query, "23502"?) where question.promises[0].kind == .domain:
                heard.isAnswered = true
                heard.findings.append(finding(question.promises[0], of: question.table, 1))
            case (.query, "57014"): heard.late += names
            case (.query, _) where !error.isStorageDamage && question.promises.count > 1:
                for part in question.parts { await ask(part, until: end, context, &heard) }
            // Code of the user's own may fail here for reasons of its own: that is no verdict on the rows.
            case (.query, let state?) where !error.isStorageDamage: heard.unasked += names.map { "\($0) (SQLSTATE \(state))" }
            default:
                await context.fail(.restore, "constraints of \(names[0])", since: start, object: question.table, error)
            }
        }
    }

    private func finding(_ promise: ConstraintQuestion.Promise, of table: String, _ count: Int64) -> Finding {
        let number = "\(count) \(count == 1 ? "row" : "rows")"
        let (rows, what): (String, String) =
            switch promise.kind {
            case .notNull: ("NULL in \(number)", "a column that holds no NULL holds one")
            case .check: ("false in \(number)", "rows break a CHECK of their table")
            case .foreignKey: ("\(number) without a match", "rows point to rows of \(promise.parent ?? "another table") that are not there")
            case .unique: ("\(number) too many", "rows share a key that must be unique")
            case .exclusion: ("\(count) \(count == 1 ? "pair" : "pairs")", "rows exclude each other")
            case .domain: ("a value that breaks it", "a column holds what its domain doesn't allow")
            }
        return Finding(
            .constraintViolated, object: "\(table): \(promise.name)", expected: "no row that breaks it (\(promise.kind.rawValue))",
            actual: rows, message: what,
            hint: "ask the source too: where its rows keep the constraint, the backup lost or changed some; where they break it, a dump of "
                + "it can't be restored")
    }

    private func tell(_ names: [String], of context: PostgresCheckContext, _ why: String) {
        guard !names.isEmpty else { return }
        let list = names.prefix(10).joined(separator: ", ") + (names.count > 10 ? " and \(names.count - 10) more" : "")
        context.unproven("\(context.service): these constraints \(why): \(list).")
    }
}

// The health probe that a database answers: a query whose single value must satisfy an expectation.

import ApplicationRecovery
import DrillModel
import Foundation
import IntegrityChecks
import PostgresClient
import Synchronization

/// Asks as a drill file's own query is asked: read-only, and with a limit on its time.
struct SQLProbe: Sendable {
    var service: String
    var application: String
    var endpoint: ScratchEndpoint?

    func ask(_ query: String, _ expect: Expectation) async -> ProbeAnswer {
        guard let configuration = endpoint?.postgres else { return unasked("the service has no running database", hint: "") }
        let connection: PostgresConnection
        do throws(PostgresError) {
            connection = try await PostgresConnection.connect(configuration)
        } catch {
            // Not the application's fault: whatever shut it out, no drill ended a living server.
            if endpoint?.isLiving == true { return .unasked(LivingDriver.gone(service).finding) }
            return .fails(expected: "a database that takes connections", actual: "none")
        }
        let answers = Mutex<[CaseResult]>([])
        await PostgresChecks.askDeclared(
            PostgresCheckContext(
                connection: connection, service: service, seal: nil,
                declared: [.sql(name: "probe", query: query, expect: expect)], statementTimeout: .seconds(5),
                emit: { result in answers.withLock { $0.append(result) } }))
        await connection.close()
        let answer = answers.withLock { $0.first }
        let finding = answer?.findings.first
        switch answer?.verdict {
        case .passed?: return .holds
        case .failed?: return .fails(expected: finding?.expected ?? "\(expect)", actual: finding?.actual ?? "something else")
        default: return unasked(finding?.message ?? "the query was not answered", hint: finding?.hint ?? "")
        }
    }

    private func unasked(_ message: String, hint: String) -> ProbeAnswer {
        .unasked(
            Finding(
                Rule("not-asked"), object: "\(application): query of \(service)", expected: "an answer", actual: "none", message: message,
                hint: hint.isEmpty ? "check the query in the estate file" : hint))
    }
}

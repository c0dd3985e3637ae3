// What outlives a disaster is compared whole, or nothing is said of it.

import DrillEngine
import DrillModel
import Foundation
import Testing

@testable import Drills

@Suite struct ExistingServicesTests {
    private struct Log: StepLog {
        func record(_ result: CaseResult) {}
        func fact(_ name: String, _ value: String) {}
        func progress(_ label: String, completed: Int64, total: Int64?, unit: DrillModel.Progress.Unit) {}
        func unproven(_ sentence: String) {}
    }

    /// Left out, it would be among those that "live, and were not started anew".
    @Test(arguments: [[:], ["code": ServiceProvision.code(URL(fileURLWithPath: "/x"))]])
    func oneThatCannotBeAskedIsAnError(_ services: [String: ServiceProvision]) async throws {
        do {
            _ = try await ExistingServices(names: ["code"]).remember(services, Log())
            Issue.record("it was remembered")
        } catch let failure as DrillFailure {
            #expect(failure.verdict == .error && failure.finding.rule.name == "existing-unreachable" && failure.finding.object == "code")
        }
    }
}

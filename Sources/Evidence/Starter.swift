// Who or what started a run. Of the environment, a few variables by their names, and never the environment.

import Foundation
import Glibc

/// The user, the machine, and what called muster.
struct Starter: Codable, Hashable {
    struct Trigger: Codable, Hashable {
        /// `github-actions`, `systemd`, `terminal`, `other` and the like.
        var kind: String
        /// The job's page, or the unit's invocation.
        var job: String?
    }
    var user: String
    var uid: UInt32
    var host: String?
    var trigger: Trigger

    init(host: String?, trigger: Trigger) {
        user = ProcessInfo.processInfo.userName
        uid = getuid()
        self.host = host
        self.trigger = trigger
    }
}

extension Starter.Trigger {
    /// What tells a CI system, and the variables that its job's address is made of.
    private static let systems: [(variable: String, kind: String, job: [String])] = [
        ("GITHUB_ACTIONS", "github-actions", ["GITHUB_SERVER_URL", "/", "GITHUB_REPOSITORY", "/actions/runs/", "GITHUB_RUN_ID"]),
        ("GITLAB_CI", "gitlab-ci", ["CI_JOB_URL"]),
        ("JENKINS_URL", "jenkins", ["BUILD_URL"]),
        ("BUILDKITE", "buildkite", ["BUILDKITE_BUILD_URL"]),
        ("CIRCLECI", "circleci", ["CIRCLE_BUILD_URL"]),
        ("TF_BUILD", "azure-pipelines", []),
        ("TEAMCITY_VERSION", "teamcity", []),
        ("KUBERNETES_SERVICE_HOST", "kubernetes", []),
    ]

    init(environment: [String: String], isTerminal: Bool) {
        func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        if let system = Self.systems.first(where: { value($0.variable) != nil }) {
            let parts = system.job.map { $0.contains("/") ? $0 : value($0) }
            self.init(kind: system.kind, job: parts.contains(nil) ? nil : Self.address(parts.compactMap(\.self).joined()))
        } else if isTerminal {
            // Before systemd: a shell on a desktop inherits the invocation of its session.
            self.init(kind: "terminal")
        } else if let invocation = value("INVOCATION_ID"), invocation.wholeMatch(of: /[0-9a-f]{32}/) != nil {
            self.init(kind: "systemd", job: invocation)
        } else {
            self.init(kind: "other")
        }
    }

    /// An address in which no secret can stand: without user, query and fragment.
    private static func address(_ text: String) -> String? {
        text.utf8.count <= 500 && text.wholeMatch(of: /https?:\/\/[A-Za-z0-9.\-]+(?::[0-9]+)?\/[A-Za-z0-9._~%\/\-]*/) != nil ? text : nil
    }
}

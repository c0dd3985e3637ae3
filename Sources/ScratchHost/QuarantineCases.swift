// Judges the operating system's view of a scratch process.

public import DrillModel

extension Rule {
    static let runsAsRoot = Rule("runs-as-root")
    static let networkNotIsolated = Rule("network-not-isolated")
    static let listensOnNetwork = Rule("listens-on-network")
}

/// Turns the operating system's answers into test cases; the same for every engine.
public enum QuarantineCases {
    /// - Parameter listens: It is to listen on TCP, inside a network of its own.
    public static func make(
        _ answers: QuarantineAnswers, service: String, demand: QuarantineDemand, listens: Bool = false
    ) -> [CaseResult] {
        [user(answers, service)] + (listens ? [] : [listeners(answers, service)]) + [network(answers, service, demand)]
    }

    private static func user(_ answers: QuarantineAnswers, _ service: String) -> CaseResult {
        let name = "runs as an unprivileged user"
        guard let user = answers.effectiveUser else { return unknown(service, name, rule: .runsAsRoot) }
        let findings =
            user == 0
            ? [
                Finding(
                    .runsAsRoot, object: service, expected: "an unprivileged user", actual: "root",
                    message: "the scratch server runs as root", hint: "report this as a defect of muster")
            ] : []
        return .judged(.quarantine, service: service, name: name, findings: findings)
    }

    private static func listeners(_ answers: QuarantineAnswers, _ service: String) -> CaseResult {
        let name = "no TCP socket listens in its network"
        guard let network = answers.network else { return unknown(service, name, rule: .listensOnNetwork) }
        // In a namespace shared with the host other programs' sockets show as well, so only a namespace of its own can prove it.
        guard network.separate else {
            return .skipped(.quarantine, service: service, name: name, reason: "it shares the host's network: see the next case")
        }
        let findings =
            network.listeners > 0
            ? [
                Finding(
                    .listensOnNetwork, object: service, expected: "no listening socket", actual: "\(network.listeners)",
                    message: "something in the quarantine listens on TCP", hint: "report this as a defect of muster")
            ] : []
        return .judged(.quarantine, service: service, name: name, findings: findings)
    }

    private static func network(_ answers: QuarantineAnswers, _ service: String, _ demand: QuarantineDemand) -> CaseResult {
        let name = "no route leads out"
        guard let network = answers.network else { return unknown(service, name, rule: .networkNotIsolated) }
        if network.separate, network.interfaces.isEmpty, network.routes == 0 {
            return .judged(.quarantine, service: service, name: name, findings: [])
        }
        let finding = Finding(
            .networkNotIsolated, object: service, expected: "a network namespace of its own without a route",
            actual: network.separate ? "\(network.routes) routes" : "the host's network",
            message: "the scratch server could reach other machines, were it told to",
            hint: "run muster as root, or allow unprivileged user namespaces (in a container: --cap-add SYS_ADMIN)")
        if demand.network { return .unasked(.quarantine, service: service, name: name, finding: finding) }
        return .skipped(
            .quarantine, service: service, name: name,
            reason: "this machine allows no network namespace; demand it with quarantine: {network: required}")
    }

    private static func unknown(_ service: String, _ name: String, rule: Rule) -> CaseResult {
        .unasked(
            .quarantine, service: service, name: name,
            finding: Finding(rule, object: service, message: "/proc doesn't tell", hint: "mount /proc in this container"))
    }
}

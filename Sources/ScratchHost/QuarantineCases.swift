// Judges the answers about a scratch process.

public import DrillModel

extension Rule {
    static let runsAsRoot = Rule("runs-as-root")
    static let networkNotIsolated = Rule("network-not-isolated")
    static let listensOnNetwork = Rule("listens-on-network")
    static let filesNotIsolated = Rule("files-not-isolated")
    static let socketsNotIsolated = Rule("sockets-not-isolated")
    static let processesNotContained = Rule("processes-not-contained")
}

/// Turns the answers into test cases; the same for every engine.
public enum QuarantineCases {
    /// What of a drill's demand can't be met, or could not be asked, by the answers about a program of Muster's own; empty where it is met.
    static func unmet(_ answers: QuarantineAnswers, by demand: QuarantineDemand) -> [CaseResult] {
        let judge = Judge(answers: answers, service: nil, demand: demand)
        let asked = (demand.network ? [judge.network()] : []) + (demand.files ? [judge.files(), judge.sockets()] : [])
        return asked.filter { $0.verdict != .passed }
    }

    /// - Parameter listens: It is to listen on TCP, inside a network of its own.
    public static func make(
        _ answers: QuarantineAnswers, service: String, demand: QuarantineDemand, listens: Bool = false
    ) -> [CaseResult] {
        let judge = Judge(answers: answers, service: service, demand: demand)
        return [judge.user()] + (listens ? [] : [judge.listeners()]) + [judge.network(), judge.files(), judge.sockets(), judge.ends()]
    }
}

private struct Judge {
    let answers: QuarantineAnswers
    /// nil: nothing of a backup has been started yet.
    let service: String?
    let demand: QuarantineDemand

    private var object: String { service ?? "quarantine" }

    func user() -> CaseResult {
        let name = "runs as an unprivileged user"
        guard let user = answers.effectiveUser, let gainsNothing = answers.gainsNothing else { return unknown(name, .runsAsRoot) }
        var findings: [Finding] = []
        if user == 0 {
            findings.append(
                Finding(
                    .runsAsRoot, object: object, expected: "an unprivileged user", actual: "root",
                    message: "the scratch server runs as root", hint: "report this as a defect of muster"))
        } else if !gainsNothing {
            findings.append(
                Finding(
                    .runsAsRoot, object: object, expected: "no new privileges", actual: "whatever a setuid program gives",
                    message: "the scratch server could gain more rights than it began with", hint: "report this as a defect of muster"))
        }
        return judged(name, findings)
    }

    func listeners() -> CaseResult {
        let name = "no TCP socket listens in its network"
        guard let network = answers.network else { return unknown(name, .listensOnNetwork) }
        if answers.isolation.network == .filter, answers.internet == false { return judged(name, []) }
        // In a namespace shared with the host other programs' sockets show as well, so only a namespace of its own can prove it.
        guard network.separate else { return skipped(name, "it shares the host's network") }
        let findings =
            network.listeners > 0
            ? [
                Finding(
                    .listensOnNetwork, object: object, expected: "no listening socket", actual: "\(network.listeners)",
                    message: "something in the quarantine listens on TCP", hint: "report this as a defect of muster")
            ] : []
        return judged(name, findings)
    }

    func network() -> CaseResult {
        let name = "no route leads out"
        guard let network = answers.network else { return unknown(name, .networkNotIsolated) }
        // Asked of a process in the same place: a filter shows in no network view.
        if answers.isolation.network == .filter, answers.internet == false { return judged(name, []) }
        if network.interfaces.isEmpty, network.routes == 0 {
            // A container without a network has nothing that could be cut off; what else lives in it could be reached.
            return judged(name, [])
        }
        return weak(
            name, .networkNotIsolated, demanded: demand.network, key: "network",
            expected: "a network of its own without a route",
            actual: network.separate ? "\(network.routes) routes" : "the host's network",
            message: "the scratch server could reach other machines, were it told to")
    }

    func files() -> CaseResult {
        let name = "keys and stores are out of its reach"
        guard let openable = answers.openable else { return unasked(name, .filesNotIsolated) }
        if openable.isEmpty, let changeable = answers.changeable, !changeable.isEmpty {
            return weak(
                name, .filesNotIsolated, demanded: demand.files, key: "files", expected: "no key and no store that it could change",
                actual: list(changeable),
                message:
                    "code in a backup can read nothing of the keys and stores, and could give those another mode or time that are \(answers.userName)'s"
            )
        }
        guard !openable.isEmpty else { return judged(name, []) }
        return weak(
            name, .filesNotIsolated, demanded: demand.files, key: "files", expected: "no key and no store that it could open",
            actual: list(openable), message: "code in a backup could read or change what \(answers.userName) can")
    }

    func sockets() -> CaseResult {
        let name = "no other server's socket is in its reach"
        guard let sockets = answers.sockets else { return unasked(name, .socketsNotIsolated) }
        // A socket that was mounted from elsewhere is in no list.
        if sockets.isEmpty, answers.isolation.files == .view || answers.callsNothing { return judged(name, []) }
        return weak(
            name, .socketsNotIsolated, demanded: demand.files, key: "files", expected: "no Unix socket that it could call",
            actual: sockets.isEmpty ? "none is known" : list(sockets),
            message: "nothing keeps code in a backup from calling another server's Unix socket, where the socket's mode lets it")
    }

    func ends() -> CaseResult {
        let name = "what it starts ends with it"
        if answers.hasOwnProcesses { return judged(name, []) }
        // Another user can't end Muster's process that takes in what was left behind; of the same user, Landlock keeps it from 6.12 on.
        guard let endsKeeper = answers.endsKeeper else { return unasked(name, .processesNotContained) }
        if !endsKeeper { return judged(name, []) }
        return skipped(name, "this machine allows no process ids of its own: a process that hides could outlive the drill")
    }

    // MARK: Answers

    private func judged(_ name: String, _ findings: [Finding]) -> CaseResult {
        .judged(.quarantine, service: service, name: name, findings: findings)
    }

    private func skipped(_ name: String, _ reason: String) -> CaseResult {
        .skipped(.quarantine, service: service, name: name, reason: reason)
    }

    /// What this machine can't give: told loudly, and an error where the drill insists on it.
    private func weak(
        _ name: String, _ rule: Rule, demanded: Bool, key: String, expected: String, actual: String, message: String
    ) -> CaseResult {
        let finding = Finding(
            rule, object: object, expected: expected, actual: actual, message: message,
            hint: answers.isolation.isWhole ? "report this as a defect of muster" : answers.isolation.mend)
        if demanded { return .unasked(.quarantine, service: service, name: name, finding: finding) }
        return skipped(name, "\(message) (\(actual)); demand it with quarantine: {\(key): required}")
    }

    private func unknown(_ name: String, _ rule: Rule) -> CaseResult {
        .unasked(
            .quarantine, service: service, name: name,
            finding: Finding(rule, object: object, message: "/proc doesn't tell", hint: "mount /proc in this container"))
    }

    private func unasked(_ name: String, _ rule: Rule) -> CaseResult {
        .unasked(
            .quarantine, service: service, name: name,
            finding: Finding(
                rule, object: object, message: "the quarantine could not be asked", hint: "run again; muster doctor tries it as well"))
    }

    private func list(_ paths: [String]) -> String {
        paths.prefix(3).joined(separator: ", ") + (paths.count > 3 ? " and \(paths.count - 3) more" : "")
    }
}

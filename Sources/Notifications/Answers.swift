// What the end of a try means to a channel, in words that hold nothing of the other side's.

import DrillModel
import OutsideTools
import ScratchHost

extension ReadyChannel {
    /// Of a webhook.
    func attempt(_ answer: Curl.Answer?) -> Attempt {
        let look = "muster notify test sends one to try it"
        switch answer {
        case .status(200..<300, _): return .told
        case .status(let status, let wait):
            let mayPass = status == 408 || status == 429 || status >= 500
            return failed(Self.words(of: status), hint: Self.hint(for: status) ?? look, mayPass: mayPass, wait: wait)
        case .unanswered(let reason, let mayPass):
            return failed(
                "did not get through: \(reason)", hint: "check the address in its secret, and this machine's way there", mayPass: mayPass)
        case .cannotRun: return failed("takes curl, which can't be run here", hint: "apt-get install curl", mayPass: false)
        case nil: return failed("gave no answer in time", hint: look, mayPass: true)
        }
    }

    private static func words(of status: Int) -> String {
        (300..<400).contains(status) ? "answered \(status): it leads elsewhere, and is not followed" : "answered \(status)"
    }

    private static func hint(for status: Int) -> String? {
        switch status {
        case 300..<400: "store the address that it leads to in its secret"
        case 401: "check its token, or the address in its secret"
        case 400, 403, 404, 410: "the address may have been revoked, or take another format: make a new one, and store it in its secret"
        case 413: "report this as a defect of muster: a message is never that long"
        case 429: "too many messages went there: try again later"
        default: nil
        }
    }

    /// Of mail.
    func attempt(_ answer: Sendmail.Answer?, _ pace: Pace) -> Attempt {
        let log = "look into the mail system's log, and send one by hand"
        switch answer {
        case .taken: return .told
        case .later: return failed("was put off by sendmail (exit 75)", hint: log, mayPass: true)
        case .refused(let why): return failed("was refused by sendmail: \(why)", hint: log, mayPass: false)
        case .cannotRun: return failed("takes \(channel.program.path), which can't be run", hint: "install a mail system", mayPass: false)
        case nil: return failed("took longer than \(pace.program.components.seconds) s", hint: log, mayPass: false)
        }
    }

    /// Of a command. Its end with 75 (EX_TEMPFAIL) asks for another try; nothing else says that none has been told yet.
    func attempt(ofCommand result: ToolResult?, _ pace: Pace) -> Attempt {
        let hint = "run `\(channel.program.path)` by hand with the JSON of docs/notifications.md"
        guard let result else {
            return failed("took longer than \(pace.program.components.seconds) s, and was ended", hint: hint, mayPass: false)
        }
        if result.succeeded { return .told }
        return failed("ended with \(result.ending)", hint: hint, mayPass: result.exitCode == 75)
    }

    private func failed(_ what: String, hint: String, mayPass: Bool, wait: Int? = nil) -> Attempt {
        .failed(Untold(channel, what, hint: hint), mayPass: mayPass, wait: wait)
    }
}

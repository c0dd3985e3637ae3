// Hints that name options, held against the command that tells them.

import DrillModel
import Foundation
import Testing

@Suite struct HintOptionsTests {
    private let seal = HintOptions(own: ["--scratch", "--yes"], all: ["--scratch", "--keep", "--yes", "--list"])

    @Test(arguments: [
        ("look at this machine's memory; run again with --keep to read server.log", "look at this machine's memory"),
        ("run it by hand, or run again with --keep and read restore.log", "run it by hand"),
        ("free some space there, or choose another disk with --scratch", "free some space there, or choose another disk with --scratch"),
        ("run again with --keep, look at the logs, and report it", "muster doctor shows what this machine lacks"),
        ("in a container: docker run --cap-add SYS_ADMIN", "in a container: docker run --cap-add SYS_ADMIN"),
        ("muster clean --kept RUN removes it; muster run --list", "muster clean --kept RUN removes it; muster run --list"),
        ("", ""),
    ]) func namesOnlyWhatIsThere(_ hint: String, _ fitting: String) {
        #expect(seal.fitting(hint) == fitting)
    }

    @Test func anEventsFindingsAreFitted() {
        let finding = Finding(Rule("r"), object: "o", message: "m", hint: "free some; run again with --keep")
        let event = Event(time: Date(), elapsed: .zero, kind: .caseFinished(.judged(.rows, name: "n", findings: [finding])))
        guard case .caseFinished(let result) = seal.fitting(event).kind else { return #expect(Bool(false)) }
        #expect(result.findings.map(\.hint) == ["free some"])
    }
}

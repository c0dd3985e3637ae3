// `muster sabotage`: damages copies on purpose, and shows that the checks go red.

import ArgumentParser
import DrillFiles
import DrillModel
import Foundation
import Reports
import Sabotage

struct SabotageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sabotage", abstract: "Prove the checks: damage copies of a good backup and see that the drill goes red.",
        discussion: """
            Takes the newest sealed backup that a drill would use, damages copies of it in the scratch folder, one way at a time, \
            and runs the drill on each. Of a physical backup the cluster is recovered first, and a table's file is damaged. Where the \
            estate promises a schedule or a retention, what muster inspect asks of them is put to the proof, too. A check \
            that misses its damage, or finds more than that, is reported. The store itself is only read.
            """)

    @Argument(
        help: ArgumentHelp("The drill file. Without it, the only drill that muster run would take.", valueName: "drill.yaml"),
        completion: .file())
    var drill: String?

    @Option(help: ArgumentHelp("Only this damage; may be given several times.", valueName: "name"))
    var damage: [String] = []

    @Flag(help: "List the damages and end.")
    var list = false

    @Flag(help: "Show the whole report of each damaged drill.")
    var show = false

    @OptionGroup var estate: EstateOption

    @OptionGroup var scratch: ScratchOption

    func run() async throws {
        if list {
            let width = Damage.all.map(\.name.count).max() ?? 0
            for damage in Damage.all {
                Console.print("\(damage.name.padding(toLength: width + 2, withPad: " ", startingAt: 0))\(damage.summary)")
            }
            return
        }
        let known = Set(Damage.all.map(\.name))
        if let unknown = damage.first(where: { !known.contains($0) }) {
            throw CommandFailure(.usage, "there is no damage \(unknown)", hint: "muster sabotage --list shows them")
        }
        let plans = try DrillFiles.load(try EstatePlaces().drills(drill.map { [$0] } ?? [], tell: Console.complain), estate: estate.file)
        guard let plan = plans.first, plans.count == 1 else {
            throw CommandFailure(
                .usage, "one drill is put to the proof at a time, and there are \(plans.count)",
                hint: "name one of \(Readable.list(plans.map(\.file.path)))")
        }
        guard plan.recover.contains(where: { plan.estate.services[$0.service]?.engine.holdsData ?? false }) else {
            throw CommandFailure(
                .usage, "\(plan.name) recovers configuration and code alone, and no damage is made for those",
                hint: "name a drill that recovers postgres or redis from a sealed backup")
        }
        try await scratch.cleanUpAfterEarlierRuns()
        let wanted = damage.isEmpty ? Damage.all : Damage.all.filter { damage.contains($0.name) }
        let console = ConsoleReport(options: Console.options, sink: { Console.write($0) })
        let tell: @Sendable (Event) async -> Void = { await console.record($0) }
        let session = SabotageSession(
            plan: plan, damages: wanted, root: scratch.root, show: show || wanted.count == 1 ? tell : nil)
        let results = try await SignalGuard.run { try await session.run() }
        let verdict = Self.report(results)
        if verdict != .passed { throw DrillModel.ExitCode(verdict) }
    }

    private static func report(_ results: [SabotageResult]) -> Verdict {
        Console.print("")
        let width = (results.map { $0.title.count }.max() ?? 0) + 2
        for result in results {
            Console.print("\(result.sign) \(result.title.padding(toLength: width, withPad: " ", startingAt: 0))\(result.explanation)")
        }
        let caught = results.filter { $0.verdict == .passed }.count
        let missed = results.filter { $0.verdict == .failed }.count
        let unasked = results.filter { $0.verdict == .error }.count
        let skipped = results.filter { $0.verdict == .skipped }.count
        Console.print("")
        Console.print(
            "\(caught) as they should be, \(missed) not, \(unasked) could not be tried"
                + (skipped > 0 ? ", \(skipped) not possible with this backup" : ""))
        let verdict = Verdict.combined(results.map(\.verdict))
        return verdict == .skipped ? .error : verdict
    }
}

// `muster doctor`: what this machine lacks for an estate, and how to get it.

import Setup
import ArgumentParser
import DrillFiles
import DrillModel
import Foundation

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Say what this machine lacks to drill an estate, and how to get it.",
        discussion: """
            Looks only: no store is written to, and no command of the estate is run. The newest backup of each series is opened with its \
            key, as a drill would, as far as that tells what it is: a large one's beginning. Where no estate is named and none is found, the \
            machine itself is looked at, with the servers that it has. Ends with 2 where something is missing.
            """)

    @OptionGroup var estateFile: EstateArgument

    @OptionGroup var scratch: ScratchOption

    func run() async throws {
        let estate = try estateFile.file.map { try DrillFiles.loadEstate($0) } ?? EstatePlaces().anyEstate(tell: Console.print)
        let needs = await Doctor(estate: estate, root: scratch.root).look()
        for need in needs {
            Console.print("\(need.sign) \(need.name)\(need.detail.isEmpty ? "" : ": \(need.detail)")")
            if !need.mend.isEmpty { Console.print("    mend: \(need.mend)") }
        }
        let missing = needs.filter { $0.state == .missing }.count
        let weak = needs.filter { $0.state == .weak }.count
        Console.print("")
        guard missing == 0 else {
            Console.print("\(missing) missing, \(weak) weak: drills that need them end in error")
            throw DrillModel.ExitCode.unverified
        }
        let unasked = needs.filter { $0.state == .unasked }.count
        let rest = (weak == 0 ? "" : ", \(weak) weak: the reports will say so") + (unasked == 0 ? "" : ", \(unasked) not looked at")
        Console.print("nothing\(unasked == 0 ? "" : " that was looked at") is missing\(rest)")
    }
}

// What scripts/setup-tests brought is what its folders are named for.

import Foundation
import ServerVersions
import Testing

struct InstallationTests {
    /// Of a suite that moved on, a newer minor comes in the place of the pinned one; nothing else passes for what a test asks for.
    @Test(arguments: (Installation.allPostgres + Installation.allRedis + [.valkey91, .pgBackRest260, .gnuPG24]).filter(\.isHere))
    func holdsItsVersion(_ installation: Installation) async throws {
        let program = "\(try installation.requireBin())/\(installation.program)"
        let said = try await Program.require([program, installation.program == "pgbackrest" ? "version" : "--version"])
        let held = numbers(in: try #require(said.out.firstMatch(of: /[ =]([0-9.]+)/)).output.1)
        let named = numbers(in: try #require(installation.name.split(separator: " ").last))
        #expect(held.first == named.first && !held.lexicographicallyPrecedes(named), "\(said.out)")
    }

    private func numbers(in version: Substring) -> [Int] { version.split(separator: ".").compactMap { Int($0) } }
}

// What a service's scratch servers load and are set to, as the estate file says it.

import DrillModel
import Testing

@testable import DrillFiles

@Suite struct NeedsFilesTests {
    private static let estate = """
        version: 1
        estate: shop
        stores:
          nas: {type: file, path: /mnt/nas}
        services:
          postgres:
            engine: postgres
            preload: [pg_cron, pg_stat_statements]
            settings: {cron.database_name: shop, max_connections: 70}
            backups:
              daily: {kind: pg_dump, store: nas, match: "*.dump", encryption: none}
          redis:
            engine: redis
            backups:
              rdb: {kind: rdb, store: nas, match: "*.rdb", encryption: none}

        """

    private func problems(_ from: String, _ to: String) throws -> [String] {
        let fixture = try Fixture()
        try fixture.write("estate.yaml", Self.estate.replacing(from, with: to))
        return fixture.estateProblems("estate.yaml").map(\.message)
    }

    @Test func areRead() throws {
        let fixture = try Fixture()
        try fixture.write("estate.yaml", Self.estate)
        let estate = try fixture.estate("estate.yaml")
        #expect(
            estate.services["postgres"]?.needs
                == ServerNeeds(
                    preload: ["pg_cron", "pg_stat_statements"], settings: ["cron.database_name": "shop", "max_connections": "70"]))
        #expect(estate.services["redis"]?.needs == ServerNeeds())
    }

    /// What Muster itself sets, and what could reach out of the quarantine, is nobody's to set.
    @Test(arguments: [
        "archive_command", "listen_addresses", "shared_preload_libraries", "config_file", "ssl", "data_directory", "max_worker_processes",
        "nope",
    ])
    func whatCannotBeSet(name: String) throws {
        #expect(try problems("max_connections: 70", "\(name): x") == ["\"\(name)\" can't be set for a scratch server"])
    }

    @Test(arguments: [
        ("preload: [pg_cron, pg_stat_statements]", "preload: [/tmp/evil]", "\"/tmp/evil\" is no library's name"),
        ("preload: [pg_cron, pg_stat_statements]", "preload: [\"a, b\"]", "\"a, b\" is no library's name"),
        ("preload: [pg_cron, pg_stat_statements]", "preload: pg_cron", "\"preload\" must be a list, not text"),
        ("cron.database_name: shop", "cron.database_name: \"a\\nb\"", "\"cron.database_name\" has more than one line"),
        ("engine: redis", "engine: redis\n    preload: [x]", "\"preload\" does not fit engine \"redis\""),
        ("engine: redis", "engine: redis\n    settings: {a.b: c}", "\"settings\" does not fit engine \"redis\""),
    ])
    func whatDoesNotFit(from: String, to: String, message: String) throws {
        #expect(try problems(from, to) == [message])
    }
}

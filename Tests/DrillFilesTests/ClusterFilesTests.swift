// `cluster: true` of a series: whom it fits.

import DrillModel
import Testing

@testable import DrillFiles

@Suite struct ClusterFilesTests {
    private static let estate = """
        version: 1
        estate: shop
        timezone: UTC
        stores:
          nas: {type: file, path: /mnt/nas}
        services:
          postgres:
            engine: postgres
            source: {host: /run/postgresql}
            backups:
              nightly: {kind: pg_dump, store: nas, match: "*.sql.gz", encryption: none, cluster: true}
              daily: {kind: pg_dump, store: nas, match: "*.dump", encryption: none}
              base: {kind: base_backup, store: nas, match: "base", encryption: none}

        """

    @Test func isRead() throws {
        let fixture = try Fixture()
        try fixture.write("estate.yaml", Self.estate)
        let backups = try #require(try fixture.estate("estate.yaml").services["postgres"]?.backups)
        let base = try #require(backups["base"])
        #expect(base.momentMatch == "moments/postgres/base/*.moment.json" && base.momentStores == ["nas"])
        let text = Self.estate.replacing("match: \"base\"", with: "match: \"base\", moments: \"m/*\"")
        try fixture.write("estate.yaml", text)
        #expect(try fixture.estate("estate.yaml").services["postgres"]?.backups["base"]?.momentMatch == "m/*.moment.json")
        #expect(backups["nightly"]?.isCluster == true && backups["daily"]?.isCluster == false)
    }

    @Test(arguments: [
        ("cluster: true", "cluster: all", "\"cluster\" must be true or false"),
        ("cluster: true", "cluster: true, globals: \"*.globals\"", "\"globals\" and \"cluster\" exclude each other"),
        (
            "match: \"base\", encryption: none", "match: \"base\", encryption: none, cluster: true",
            "\"cluster\" does not fit kind \"base_backup\""
        ),
        (
            "encryption: none, cluster: true", "encryption: none, moments: \"moments/*\"",
            "\"moments\" does not fit kind \"pg_dump\""
        ),
    ])
    func whatDoesNotFit(from: String, to: String, message: String) throws {
        let fixture = try Fixture()
        try fixture.write("estate.yaml", Self.estate.replacing(from, with: to))
        #expect(fixture.estateProblems("estate.yaml").map(\.message) == [message])
    }
}

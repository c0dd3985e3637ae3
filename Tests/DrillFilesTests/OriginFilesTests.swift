// What seals may say of their source besides its present names, as the estate file says it.

import DrillModel
import Testing

@testable import DrillFiles

@Suite struct OriginFilesTests {
    private static let estate = """
        version: 1
        estate: shop
        sealed-as: [shop-old]
        stores:
          nas: {type: file, path: /mnt/nas}
        services:
          postgres:
            engine: postgres
            sealed-as: [database]
            databases: [shop, "my shop"]
            system-identifiers: [7412345678901234567, "18446744073709551615"]
            backups:
              monthly: {kind: pg_dump, store: nas, match: "*.dump", encryption: none, sealed-as: [daily]}
              base: {kind: base_backup, store: nas, match: "base", encryption: none}
          code:
            engine: code
            backups:
              bundle: {kind: git_bundle, store: nas, match: "*.bundle", encryption: none}

        """

    @Test func areRead() throws {
        let fixture = try Fixture()
        try fixture.write("estate.yaml", Self.estate)
        let estate = try fixture.estate("estate.yaml")
        let service = try #require(estate.services["postgres"])
        #expect(estate.sealedAs == ["shop-old"] && service.sealedAs == ["database"] && service.databases == ["shop", "my shop"])
        #expect(service.systemIdentifiers == ["7412345678901234567", "18446744073709551615"])
        #expect(service.backups["monthly"]?.sealedAs == ["daily"] && service.backups["base"]?.sealedAs == [])
    }

    @Test(arguments: [
        ("[shop-old]", "shop-old", "\"sealed-as\" must be a list, not text"), ("[shop-old]", "[a/b]", "\"a/b\" is no name"),
        ("7412345678901234567", "0x67", "\"0x67\" is no system identifier"),
        ("\"my shop\"", "\"my\\nshop\"", "\"my\u{fffd}shop\" is no database's name"),
        ("engine: code", "engine: code\n    sealed-as: [x]", "\"sealed-as\" does not fit service \"code\""),
        ("engine: code", "engine: code\n    databases: [x]", "\"databases\" does not fit engine \"code\""),
        ("engine: code", "engine: code\n    system-identifiers: [1]", "\"system-identifiers\" does not fit engine \"code\""),
    ])
    func whatDoesNotFit(from: String, to: String, message: String) throws {
        let fixture = try Fixture()
        try fixture.write("estate.yaml", Self.estate.replacing(from, with: to))
        #expect(fixture.estateProblems("estate.yaml").map(\.message) == [message])
    }
}

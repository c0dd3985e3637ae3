// What a dump says of itself by its beginning: tables and extensions.

import Foundation
import ScratchHost
import Testing

@testable import PostgresRecovery

@Suite struct DumpContentsTests {
    @Test func aTableOfContents() {
        let contents = DumpContents(
            listing: """
                ;
                ; Archive created at 2026-11-30 02:00:01 UTC
                ;     TOC Entries: 9
                3; 3079 16384 EXTENSION - hstore \n2; 3079 13000 EXTENSION - plpgsql \n4; 3079 16400 EXTENSION - uuid-ossp \n\
                3521; 0 0 COMMENT - EXTENSION hstore \n215; 1259 16500 TABLE public orders shop
                216; 1259 16501 TABLE public odd name shop
                3400; 0 16500 TABLE DATA public orders shop
                217; 1259 16502 TABLE ATTACH public p1 shop
                3401; 0 0 ACL public TABLE orders shop

                """)
        #expect(contents == DumpContents(tables: 2, extensions: ["hstore", "uuid-ossp"]))
    }

    @Test func aScript() {
        let script = """
            -- PostgreSQL database dump
            CREATE EXTENSION IF NOT EXISTS plpgsql WITH SCHEMA pg_catalog;
            CREATE EXTENSION IF NOT EXISTS "uuid-ossp" WITH SCHEMA public;
            COMMENT ON EXTENSION "uuid-ossp" IS 'CREATE EXTENSION nothing';
            CREATE EXTENSION hstore;

            """
        #expect(DumpContents(script: Data(script.utf8)) == DumpContents(tables: nil, extensions: ["hstore", "uuid-ossp"]))
    }

    @Test func whichExtensionsAnInstallationLacks() async throws {
        let host = try await ScratchHost.prepare(in: ScratchRoot(), purpose: "dump-contents")
        let installed = try PostgresBinaries.suitable(forDumpOf: 15)
        #expect(await installed.lacking(["plpgsql", "nosuch", "pg_trgm"], on: host) == ["nosuch"])
        #expect(await PostgresBinaries(major: 15, folder: "/nowhere").lacking(["nosuch"], on: host) == nil)
        try await host.remove()
    }
}

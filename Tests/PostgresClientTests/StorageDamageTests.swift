// Which errors are the files' own.

import PostgresClient
import Testing

struct StorageDamageTests {
    static let damage = [
        ("XX001", "invalid page in block 3 of relation base/5/16384"), ("XX002", "index \"i\" lacks a main relation fork"),
        ("58P01", "could not open file \"base/5/16391.1\" (target block 138999): No such file or directory"),
        ("58P01", "could not open file „pg_tblspc/16400/PG_15_202209061/5/16391“: Datei oder Verzeichnis nicht gefunden"),
        ("58P01", "could not access status of transaction 749"),
        ("58P01", "could not open file \"pg_xact/0000\": No such file or directory"),
        ("XX000", "could not access status of transaction 749"),
    ]
    static let others: [(String?, String)] = [
        ("58P01", "could not access file \"$libdir/postgis-3\": No such file or directory"),
        ("58P01", "could not open file \"/etc/nowhere\" for reading: No such file or directory"),
        ("42501", "could not open file \"base/5/16391\": Permission denied"), ("58030", "could not read block 3 in file \"base/5/16384\""),
        ("42P01", "relation \"a\" does not exist"), ("XX000", "cache lookup failed for type 0"), (nil, "the server closed the connection"),
    ]

    @Test func codesAndWords() {
        for (state, message) in Self.damage {
            #expect(PostgresError(.query, sqlState: state, message: message).isStorageDamage, "\(state) \(message)")
        }
        for (state, message) in Self.others {
            #expect(!PostgresError(.query, sqlState: state, message: message).isStorageDamage, "\(state ?? "") \(message)")
        }
    }
}

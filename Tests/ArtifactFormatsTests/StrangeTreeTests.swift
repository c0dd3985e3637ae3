// What a folder or a tar is that was taken for a dump.

import ArtifactFormats
import Testing

@Suite struct StrangeTreeTests {
    @Test(arguments: [
        (["PGDATA/", "PGDATA/base/", "PGDATA/PG_VERSION"], "a copy of a data folder"), (["./PG_VERSION"], "a copy of a data folder"),
        (["db/", "db/database.sql.gz", "repositories.tar.gz"], "a GitLab backup"),
        (["uploads/x.png", "dump.sql.gz"], "a Discourse backup"),
        (["toc.dat", "3001.dat.gz"], nil), ([String](), nil), (["a/b/c/PG_VERSION"], nil),
    ])
    func names(names: [String], what: String?) {
        let strange = StrangeTree(names: names)
        #expect(strange?.what == what)
        #expect(strange.map { !$0.hint.isEmpty } ?? true)
    }
}

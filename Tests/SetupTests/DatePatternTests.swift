// Paths of one backup and the globs of their series: what tells the time becomes `*`, and nothing else.

import DrillModel
import Testing

@testable import Setup

@Suite struct DatePatternTests {
    @Test(arguments: [
        ("2026-11-27/shop.dump", "*/shop.dump"), ("daily/2026-11-27/shop.dump", "daily/*/shop.dump"),
        ("2026/11/27/shop.dump", "*/*/*/shop.dump"), ("2026/11/27/02/shop.dump", "*/*/*/*/shop.dump"),
        ("20261127_0200/shop.dump", "*/shop.dump"), ("2026-11-27_02-00-00/shop.dump", "*/shop.dump"), ("2026-11/shop.dump", "*/shop.dump"),
        ("2026-W48/shop.dump", "*/shop.dump"), ("27.11.2026/shop.dump", "*/shop.dump"), ("daily/2026-11-27", "daily/*"),
        ("shop-20261123T020000+0530.dump", "shop-*.dump"), ("shop_2026-11-27_02h00m.Friday.sql.gz", "shop_*.sql.gz"),
        ("shop-2026-11-27T02:00:00Z.dump", "shop-*.dump"), ("shop20261127020000.sql", "shop*.sql"), ("shop-261127.dump", "shop-*.dump"),
        ("1764230400_2026_11_27_17.5.0_gitlab_backup.tar", "*_17.5.0_gitlab_backup.tar"), ("dump-1764230400.rdb", "dump-*.rdb"),
        ("bz2/shop-2026-11-27.sql.bz2", "bz2/shop-*.sql.bz2"), ("s3/v2/shop-2026-11-27.dump", "s3/v2/shop-*.dump"),
        ("pg15-shop-2026-11-27.dump", "pg15-shop-*.dump"), ("shop1.dump", "shop1.dump"), ("a-1", "a-1"), ("b[2]", "b?2?"),
        ("x[1]/2026-11-27/a*.dump", "x?1?/*/a?.dump"), ("shop.sql.gz.3", "shop.sql.gz.*"), ("db8-12345678.dump", "db8-12345678.dump"),
        ("2026-13-27.dump", "2026-13-27.dump"), ("v2/17/shop.dump", "v2/17/shop.dump"), ("shop.dump", "shop.dump"),
    ])
    func moments(path: String, pattern: String) {
        #expect(DatePattern.pattern(path) == pattern)
    }

    @Test(arguments: [("drills", "drills"), ("my drills", "'my drills'"), ("it's", "'it'\\''s'"), ("a/b-c.d", "a/b-c.d"), ("", "''")])
    func words(text: String, word: String) {
        #expect(ShellWord.of(text) == word)
    }
}

// What `pgbackrest info --output=json` prints, as far as it is read here.

import DrillModel

struct PgBackRestInfo: Decodable {
    struct Status: Decodable {
        var code: Int
        var message: String?
    }
    struct Repository: Decodable {
        var status: Status
    }
    struct Backup: Decodable {
        struct Positions: Decodable {
            var stop: String?
        }
        struct Times: Decodable {
            var stop: Int
        }
        struct Sizes: Decodable {
            struct Repository: Decodable {
                var size: Int64?
            }
            var size: Int64
            var repository: Repository?
        }
        struct Segments: Decodable {
            var start: String?
            var stop: String?
        }
        struct Database: Decodable {
            var id: Int
        }
        var label: String
        var type: String
        var prior: String?
        /// What it holds files of.
        var reference: [String]?
        var archive: Segments?
        var database: Database?
        var lsn: Positions?
        var timestamp: Times
        var info: Sizes
    }
    var name: String
    var status: Status
    var backup: [Backup]
    /// Of one that can't be read, the status says why, its causes by their names.
    var repo: [Repository]?
}

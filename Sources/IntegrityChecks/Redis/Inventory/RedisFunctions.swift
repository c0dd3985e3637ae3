// The libraries of functions that a server holds: code that applications call, and that travels with the data.

import Cryptography
import DrillModel
import RedisClient

/// `FUNCTION LIST`. `FUNCTION DUMP` would not do: it carries the version of the server that wrote it.
enum RedisFunctions {
    /// - Returns: By name; none where the server is older than Redis 7 and so knows no functions.
    static func read(_ connection: RedisConnection, _ server: RedisKeyspace) async throws(RedisError) -> [RedisLibrary] {
        guard server.knowsFunctions else { return [] }
        guard let answers = try await connection.command(["FUNCTION", "LIST", "WITHCODE"]).array else { throw .unexpected("FUNCTION LIST") }
        var libraries: [RedisLibrary] = []
        for answer in answers {
            let fields = answer.fields
            guard let name = fields["library_name"]?.text, let engine = fields["engine"]?.text, let code = fields["library_code"]?.bytes
            else {
                throw .unexpected("FUNCTION LIST")
            }
            do throws(CryptographyError) {
                let digest = try SHA256Stream()
                try digest.update(Array(engine.uppercased().utf8) + [0] + code)
                libraries.append(RedisLibrary(name: name, sha256: try digest.finishBytes().hex))
            } catch {
                throw RedisError(.unexpectedAnswer, message: error.message, hint: error.hint)
            }
        }
        return libraries.sorted { $0.name < $1.name }
    }
}

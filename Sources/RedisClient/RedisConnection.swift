// One connection to a Redis server, over hiredis. The only file that sees its C pointers, with RedisReply.swift.

import CHiredis
import CLinux
import Dispatch
import Foundation
import Synchronization

/// One connection to a Redis server. Commands run one after the other, on a queue of its own.
///
/// A server that dies, hangs or is stopped ends in an error. After an error other than ``RedisError/Kind/refused(code:)`` the connection is
/// of no further use; every later command fails at once. Cancelling a waiting task breaks the connection off.
public final class RedisConnection: Sendable {
    private let link: Link
    private let queue: DispatchQueue
    /// For connecting and for every answer that a call sets no other time for.
    public let timeout: Duration

    private init(link: Link, queue: DispatchQueue, timeout: Duration) {
        self.link = link
        self.queue = queue
        self.timeout = timeout
    }

    /// Connects through a Unix socket. Its path may have 107 bytes.
    ///
    /// - Parameter listener: The one process that may answer there; nil: whoever does. Code of a restored backup can put another server, or a
    ///   link to one, in a scratch server's place.
    public static func connect(
        unixSocket path: String, listener: Int32? = nil, timeout: Duration = .seconds(30)
    ) async throws(RedisError) -> RedisConnection {
        guard path.utf8.count < 108 else {
            throw RedisError(
                .cannotConnect, message: "the socket's path is longer than the system's 107 bytes: \(path)", hint: "use a shorter folder")
        }
        let connection = try await connect(to: path, timeout: timeout) { redisConnectUnixWithTimeout(path, $0) }
        guard let listener, connection.link.listener != listener else { return connection }
        connection.close()
        throw RedisError(
            .cannotConnect, message: "another program answers in the scratch server's place at \(path)",
            hint: "the backup holds code that put it there: look into it with care")
    }

    /// Connects over TCP, without TLS.
    public static func connect(
        host: String, port: Int, timeout: Duration = .seconds(30)
    ) async throws(RedisError) -> RedisConnection {
        guard let number = UInt16(exactly: port), number > 0 else {
            throw RedisError(.cannotConnect, message: "\(port) is no port", hint: "write a port from 1 to 65535")
        }
        return try await connect(to: "\(host):\(port)", timeout: timeout) { redisConnectWithTimeout(host, Int32(number), $0) }
    }

    /// Whether a server answers there within a while, were it only to refuse.
    public static func answers(unixSocket path: String, listener: Int32? = nil, timeout: Duration = .seconds(10)) async -> Bool {
        do throws(RedisError) {
            let connection = try await connect(unixSocket: path, listener: listener, timeout: timeout)
            defer { connection.close() }
            try await connection.command(["PING"])
            return true
        } catch {
            if case .refused = error.kind { return true }
            return false
        }
    }

    private static func connect(
        to place: String, timeout: Duration, _ open: @escaping @Sendable (timeval) -> UnsafeMutablePointer<redisContext>?
    ) async throws(RedisError) -> RedisConnection {
        let queue = DispatchQueue(label: "muster.redis")
        let result = await withCheckedContinuation { (continuation: CheckedContinuation<Result<Link, RedisError>, Never>) in
            queue.async {
                continuation.resume(
                    returning: Result { () throws(RedisError) in try Link(place: place, opening: open(timeval(timeout))) })
            }
        }
        return RedisConnection(link: try result.get(), queue: queue, timeout: timeout)
    }

    /// Runs one command and gives its answer; throws where the server refuses it.
    ///
    /// - Parameter timeout: for this answer; nil means the connection's own.
    @discardableResult
    public func command(_ arguments: [String], timeout: Duration? = nil) async throws(RedisError) -> RedisValue {
        try await command(arguments.map { Array($0.utf8) }, timeout: timeout)
    }

    /// The same for arguments of any bytes.
    @discardableResult
    public func command(_ arguments: [[UInt8]], timeout: Duration? = nil) async throws(RedisError) -> RedisValue {
        let answer = try await pipeline([arguments], timeout: timeout).first
        switch answer {
        case .error(let text): throw .refusal(text, of: Self.name(of: arguments))
        case .some(let value): return value
        case nil:
            throw RedisError(.unexpectedAnswer, message: "the command has no words", hint: "this is a mistake in muster: please report it")
        }
    }

    /// Sends all commands at once and gives their answers in the same order; one that the server refuses is ``RedisValue/error(_:)``.
    ///
    /// - Parameter timeout: for each answer; nil means the connection's own.
    public func pipeline(_ commands: [[[UInt8]]], timeout: Duration? = nil) async throws(RedisError) -> [RedisValue] {
        guard !commands.contains(where: \.isEmpty) else {
            throw RedisError(.unexpectedAnswer, message: "a command has no words", hint: "this is a mistake in muster: please report it")
        }
        let patience = timeout ?? self.timeout
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Result<[RedisValue], RedisError>, Never>) in
                queue.async { [link] in
                    continuation.resume(
                        returning: Result { () throws(RedisError) in
                            try PipeSignal.heldBack { () throws(RedisError) in try link.exchange(commands, timeout: patience) }
                        })
                }
            }
        } onCancel: {
            link.breakOff(because: .cancelled)
        }
        return try result.get()
    }

    /// Closes the connection; a command that waits fails. Closing twice is harmless.
    public func close() {
        link.breakOff(because: .disconnected)
    }

    /// The first word, and the second of commands that have subcommands: never an argument.
    static func name(of arguments: [[UInt8]]) -> String {
        let words = arguments.prefix(2).map { String(decoding: $0, as: UTF8.self).uppercased() }
        let withSubcommands: Set<String> = ["DEBUG", "CONFIG", "CLIENT", "OBJECT", "MEMORY", "ACL", "XINFO", "SCRIPT", "FUNCTION"]
        guard let first = words.first else { return "" }
        return withSubcommands.contains(first) ? words.joined(separator: " ") : first
    }
}

/// hiredis' context, and how to break it off from another thread.
// @unchecked: `context` is touched on the connection's serial queue only, and freed when nobody holds the link any more. Other threads
// go through `socket`, whose mutex keeps a descriptor from being used after it was closed.
private final class Link: @unchecked Sendable {
    private let context: UnsafeMutablePointer<redisContext>
    private let place: String
    private var current: Duration?
    private let socket: Mutex<Socket>

    private struct Socket {
        var descriptor: Int32
        var reason: RedisError.Kind?
    }

    init(place: String, opening opened: UnsafeMutablePointer<redisContext>?) throws(RedisError) {
        guard let opened else {
            throw RedisError(.outOfMemory, message: "no memory for a connection to \(place)", hint: "free some memory")
        }
        guard opened.pointee.err == 0 else {
            let reason = Self.text(of: opened)
            redisFree(opened)
            throw RedisError(
                .cannotConnect, message: "cannot connect to redis at \(place): \(reason)",
                hint: "check that the server runs and listens there")
        }
        context = opened
        self.place = place
        socket = Mutex(Socket(descriptor: opened.pointee.fd))
    }

    deinit {
        redisFree(context)
    }

    /// The process that answers at a Unix socket's other end.
    var listener: Int32 { socket.withLock { muster_listener($0.descriptor) } }

    /// Ends both directions, so that a read that waits returns at once. The descriptor itself is closed with the context.
    func breakOff(because reason: RedisError.Kind) {
        socket.withLock { socket in
            guard socket.reason == nil else { return }
            socket.reason = reason
            shutdown(socket.descriptor, Int32(SHUT_RDWR))
        }
    }

    func exchange(_ commands: [[[UInt8]]], timeout: Duration) throws(RedisError) -> [RedisValue] {
        if let reason = socket.withLock({ $0.reason }) { throw broken(reason) }
        if timeout != current {
            guard redisSetTimeout(context, timeval(timeout)) == REDIS_OK else { throw failure() }
            current = timeout
        }
        for command in commands {
            guard append(command) else { throw failure() }
        }
        var answers: [RedisValue] = []
        answers.reserveCapacity(commands.count)
        for _ in commands {
            var reply: UnsafeMutableRawPointer?
            guard redisGetReply(context, &reply) == REDIS_OK, let reply else { throw failure() }
            defer { freeReplyObject(reply) }
            answers.append(RedisValue(reply.assumingMemoryBound(to: redisReply.self).pointee))
        }
        return answers
    }

    private func append(_ command: [[UInt8]]) -> Bool {
        // One block for all words: hiredis wants an array of pointers, which must all stay valid during the call.
        let block = command.flatMap(\.self)
        var lengths = command.map(\.count)
        return block.withUnsafeBytes { bytes in
            let start = bytes.assumingMemoryBound(to: CChar.self).baseAddress
            var offset = 0
            var words: [UnsafePointer<CChar>?] = lengths.map { length in
                defer { offset += length }
                return start.map { $0 + offset }
            }
            return redisAppendCommandArgv(context, Int32(words.count), &words, &lengths) == REDIS_OK
        }
    }

    /// What went wrong. errno must be read before anything else runs.
    private func failure() -> RedisError {
        let code = errno
        let cancelledOrClosed = socket.withLock { socket in
            defer { socket.reason = socket.reason ?? .disconnected }
            return socket.reason
        }
        if let cancelledOrClosed { return broken(cancelledOrClosed) }
        switch context.pointee.err {
        case REDIS_ERR_IO where code == EAGAIN || code == EWOULDBLOCK || code == ETIMEDOUT:
            return RedisError(
                .timedOut, message: "redis at \(place) did not answer in time", hint: "check that the server is not stopped or overloaded")
        case REDIS_ERR_OOM:
            return RedisError(.outOfMemory, message: "no memory for an answer of redis at \(place)", hint: "free some memory")
        case REDIS_ERR_PROTOCOL:
            return RedisError(
                .unexpectedAnswer, message: "what answers at \(place) does not speak redis' protocol", hint: "check the address")
        default:
            return broken(.disconnected)
        }
    }

    private func broken(_ reason: RedisError.Kind) -> RedisError {
        switch reason {
        case .cancelled:
            RedisError(.cancelled, message: "the command was cancelled", hint: "run it again")
        default:
            RedisError(
                .disconnected, message: "the connection to redis at \(place) is gone",
                hint: "see the end of the server's log for why it stopped")
        }
    }

    private static func text(of context: UnsafeMutablePointer<redisContext>) -> String {
        withUnsafeBytes(of: context.pointee.errstr) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self).lowercased()
        }
    }
}

extension timeval {
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        // Zero would mean: wait for ever.
        let microseconds = max(attoseconds / 1_000_000_000_000, seconds == 0 ? 1 : 0)
        self.init(tv_sec: Int(seconds), tv_usec: Int(microseconds))
    }
}

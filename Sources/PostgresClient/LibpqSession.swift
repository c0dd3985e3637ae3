// The only source file that sees libpq: a session handle, and the loop that waits for it without blocking for good.

import CLibPQ
import CLinux
import Dispatch
import Glibc

/// A libpq session. Unchecked, because the handle is not thread-safe: all calls are made on the one serial queue
/// of the connection that owns it, which is what makes sharing it sound.
final class LibpqSession: @unchecked Sendable {
    private var handle: OpaquePointer?
    private let configuration: PostgresConfiguration

    /// How soon a cancelled task is noticed while the server is silent.
    private static let heartbeatMilliseconds: Int32 = 50
    /// How long a server may take to obey a cancel request before the session is given up.
    private static let cancelPatience = Duration.seconds(5)

    /// Opens a session; blocks for at most the configured time.
    init(_ configuration: PostgresConfiguration, _ interruption: Interruption) throws(PostgresError) {
        try Self.refuseRedirection(configuration)
        let handle = Self.withParameters(configuration) { PQconnectStartParams($0, $1, 0) }
        guard let handle else { throw PostgresError(.connect, message: "no memory for a session", hint: "free memory") }
        self.handle = handle
        self.configuration = configuration
        do {
            try Self.requireListener(handle, configuration)
            try Self.finishConnecting(handle, configuration, interruption)
        } catch {
            close()
            throw error
        }
        PQsetNoticeProcessor(handle, { _, _ in }, nil)
        // Such a database knows no encoding, and its bytes would fail the server's check for ours.
        if let encoding = PQparameterStatus(handle, "server_encoding"), strcmp(encoding, "SQL_ASCII") == 0 {
            PQsetClientEncoding(handle, encoding)
        }
    }

    deinit { close() }

    /// Whether a server accepts sessions.
    static func ping(_ configuration: PostgresConfiguration) -> Bool {
        guard (try? refuseRedirection(configuration)) != nil else { return false }
        return withParameters(configuration) { PQpingParams($0, $1, 0) } == PQPING_OK
    }

    /// Whether anything takes a connection there, whatever it then says: a server that refuses is there, too.
    static func isReached(_ configuration: PostgresConfiguration, _ interruption: Interruption) throws(PostgresError) -> Bool {
        try refuseRedirection(configuration)
        let handle = withParameters(configuration) { PQconnectStartParams($0, $1, 0) }
        guard let handle else { throw PostgresError(.connect, message: "no memory for a session", hint: "free memory") }
        defer { PQfinish(handle) }
        let deadline = ContinuousClock.now + configuration.connectTimeout
        while PQstatus(handle) == CONNECTION_STARTED, ContinuousClock.now < deadline {
            try interruption.check()
            var watched = pollfd(fd: PQsocket(handle), events: Int16(POLLOUT), revents: 0)
            if poll(&watched, 1, heartbeatMilliseconds) > 0 { _ = PQconnectPoll(handle) }
        }
        return ![CONNECTION_STARTED, CONNECTION_BAD].contains(PQstatus(handle))
    }

    var serverVersion: Int { Int(PQserverVersion(handle)) }
    var backendPID: Int { Int(PQbackendPID(handle)) }

    func close() {
        PQfinish(handle)
        handle = nil
    }

    // MARK: - Statements

    /// Asks one statement. A caller that reads row by row gets rows before it is known whether all of them will come.
    func ask(
        _ sql: String, _ parameters: [String?], rowByRow: Bool, _ interruption: Interruption, _ row: (PostgresRow) -> Void
    ) throws(PostgresError) {
        let handle = try usable()
        let copies = parameters.map { $0.flatMap { strdup($0) } }
        defer { copies.forEach { free($0) } }
        let pointers = copies.map { UnsafePointer($0) }
        guard PQsendQueryParams(handle, sql, Int32(pointers.count), nil, pointers, nil, nil, 0) == 1 else { throw lost() }
        if rowByRow { PQsetSingleRowMode(handle) }
        try readResults(handle, interruption, row)
    }

    /// Runs one or more statements.
    func run(_ sql: String, _ interruption: Interruption) throws(PostgresError) {
        let handle = try usable()
        guard PQsendQuery(handle, sql) == 1 else { throw lost() }
        try readResults(handle, interruption) { _ in }
    }

    private func usable() throws(PostgresError) -> OpaquePointer {
        guard let handle else {
            throw PostgresError(.closed, message: "the session is closed", hint: "open a new one")
        }
        return handle
    }

    /// Reads to the end of the answer, even after an error, so that the session stays usable.
    private func readResults(
        _ handle: OpaquePointer, _ interruption: Interruption, _ row: (PostgresRow) -> Void
    ) throws(PostgresError) {
        var failure: PostgresError?
        var columns: [String]?
        var cancellation = Cancellation(interruption)
        while true {
            try waitForResult(handle, &cancellation)
            guard let result = PQgetResult(handle) else { break }
            defer { PQclear(result) }
            switch PQresultStatus(result) {
            case PGRES_TUPLES_OK, PGRES_SINGLE_TUPLE:
                if columns == nil || PQresultStatus(result) == PGRES_TUPLES_OK { columns = Self.columns(of: result) }
                for index in 0..<PQntuples(result) { row(Self.row(index, of: result, columns ?? [])) }
            case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
                columns = nil
            case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
                // Such a session waits for data that nobody will send: it is of no use any more.
                cancellation.settle()
                close()
                throw PostgresError(.unsupported, message: "the statement copies to or from the client", hint: "use a query instead")
            default:
                failure = failure ?? error(from: result, interruption)
            }
        }
        cancellation.settle()
        if PQstatus(handle) == CONNECTION_BAD {
            let state = failure?.sqlState
            close()
            throw PostgresError(
                .connectionLost, sqlState: state, message: failure?.message ?? "the server closed the connection",
                hint: "look into the server's log")
        }
        if let failure { throw failure }
    }

    private func waitForResult(_ handle: OpaquePointer, _ cancellation: inout Cancellation) throws(PostgresError) {
        var lastSign = ContinuousClock.now
        while PQisBusy(handle) == 1 {
            if cancellation.isDue {
                guard cancellation.request(handle, patience: Self.cancelPatience) else {
                    close()
                    throw PostgresError(
                        .cancelled, message: "the question was cancelled, and the server did not obey in time",
                        hint: "look into the server's log")
                }
            }
            var watched = pollfd(fd: PQsocket(handle), events: Int16(POLLIN), revents: 0)
            let ready = poll(&watched, 1, Self.heartbeatMilliseconds)
            if ready > 0, PQconsumeInput(handle) == 0 { throw lost() }
            if ready > 0 { lastSign = .now }
            guard let patience = configuration.standstill, lastSign.duration(to: .now) > patience else { continue }
            try requireMoving(handle, within: patience, cancellation.interruption)
            lastSign = .now
        }
    }

    /// A statement may take as long as it likes, and a server that stands still never ends one: only another session tells them apart.
    private func requireMoving(
        _ handle: OpaquePointer, within patience: Duration, _ interruption: Interruption
    ) throws(PostgresError) {
        let isStopped = configuration.isLocal && ServerProcessState.isStopped(PQbackendPID(handle), of: muster_listener(PQsocket(handle)))
        guard isStopped || !Self.answers(configuration, within: patience, interruption) else { return }
        close()
        throw PostgresError(
            .connectionLost, message: "the server stands still: it answered nothing, and took no other session",
            hint: "look for what stopped it on this machine, such as SIGSTOP, a frozen container or a disk that hangs")
    }

    /// Whether a server says anything at all to a new session within a while, were it only to refuse it, or is gone.
    private static func answers(
        _ configuration: PostgresConfiguration, within patience: Duration, _ interruption: Interruption
    ) -> Bool {
        let handle = withParameters(configuration) { PQconnectStartParams($0, $1, 0) }
        guard let handle else { return true }
        defer { PQfinish(handle) }
        let deadline = ContinuousClock.now + patience
        var wanted = PGRES_POLLING_WRITING
        while PQstatus(handle) != CONNECTION_BAD, ContinuousClock.now < deadline {
            if interruption.isRaised { return true }
            var watched = pollfd(fd: PQsocket(handle), events: Int16(wanted == PGRES_POLLING_READING ? POLLIN : POLLOUT), revents: 0)
            guard poll(&watched, 1, heartbeatMilliseconds) > 0 else { continue }
            wanted = PQconnectPoll(handle)
            if wanted == PGRES_POLLING_OK || wanted == PGRES_POLLING_FAILED { return true }
        }
        return PQstatus(handle) == CONNECTION_BAD
    }

    private func lost() -> PostgresError {
        close()
        return PostgresError(.connectionLost, message: "the server closed the connection", hint: "look into the server's log")
    }

    private func error(from result: OpaquePointer, _ interruption: Interruption) -> PostgresError {
        // The header's PG_DIAG_ codes are character macros, which Swift doesn't see.
        func field(_ code: Unicode.Scalar) -> String? {
            PQresultErrorField(result, Int32(code.value)).map { Self.text($0, strlen($0)) }
        }
        let message = ServerMessage(sqlState: field("C"), primary: field("M") ?? "", sourceFile: field("F"), position: field("P"))
        let cancelled = interruption.isRaised && message.sqlState == "57014"
        // Without a code it is libpq itself that speaks, and all it has to say within a statement is that the line broke.
        guard message.sqlState != nil else { return PostgresError(.connectionLost, message: "the server closed the connection") }
        return PostgresError(
            cancelled ? .cancelled : .query, sqlState: message.sqlState, message: message.redacted, hint: message.hint)
    }

    // MARK: - Rows

    private static func columns(of result: OpaquePointer) -> [String] {
        (0..<PQnfields(result)).map { index in PQfname(result, index).map { text($0, strlen($0)) } ?? "" }
    }

    private static func row(_ row: Int32, of result: OpaquePointer, _ columns: [String]) -> PostgresRow {
        let values = (0..<PQnfields(result)).map { column -> String? in
            guard PQgetisnull(result, row, column) == 0, let value = PQgetvalue(result, row, column) else { return nil }
            return text(value, Int(PQgetlength(result, row, column)))
        }
        return PostgresRow(columns: columns, values: values)
    }

    /// A database of encoding SQL_ASCII may send bytes that are no UTF-8; they become replacement characters.
    private static func text(_ start: UnsafeMutablePointer<CChar>, _ count: Int) -> String {
        String(decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
    }
}

// MARK: - Connecting

extension LibpqSession {
    private static func withParameters<Answer>(
        _ configuration: PostgresConfiguration,
        _ body: (UnsafePointer<UnsafePointer<CChar>?>, UnsafePointer<UnsafePointer<CChar>?>) -> Answer
    ) -> Answer {
        var parameters = [
            "host": configuration.host,
            "port": String(configuration.port),
            "dbname": configuration.database,
            "user": configuration.user,
            "application_name": configuration.applicationName,
            "client_encoding": "UTF8",
            "options": configuration.options,
            "target_session_attrs": "any",
            "connect_timeout": String(max(2, configuration.connectTimeout.components.seconds)),
        ]
        parameters["password"] = configuration.password
        let keywords = parameters.keys.map { strdup($0) }
        let values = parameters.values.map { strdup($0) }
        defer { (keywords + values).forEach { free($0) } }
        return body(keywords.map { UnsafePointer($0) } + [nil], values.map { UnsafePointer($0) } + [nil])
    }

    /// `PGHOSTADDR` or a service file would silently send a session that is meant for a scratch server's socket to another host.
    private static func refuseRedirection(_ configuration: PostgresConfiguration) throws(PostgresError) {
        guard configuration.isLocal, let defaults = PQconndefaults() else { return }
        defer { PQconninfoFree(defaults) }
        var option = defaults
        while let keyword = option.pointee.keyword {
            if strcmp(keyword, "hostaddr") == 0, let value = option.pointee.val, value.pointee != 0 {
                throw PostgresError(
                    .connect, message: "the environment redirects every Postgres session to another address",
                    hint: "unset PGHOSTADDR and PGSERVICE")
            }
            option += 1
        }
    }

    /// Before anything is answered that it asks for, a password say.
    private static func requireListener(_ handle: OpaquePointer, _ configuration: PostgresConfiguration) throws(PostgresError) {
        // Of one that nobody took libpq says why.
        guard let listener = configuration.listener, PQsocket(handle) >= 0, muster_listener(PQsocket(handle)) != listener else { return }
        throw PostgresError(
            .connect, message: "another program answers in the scratch server's place at \(configuration.host)",
            hint: "the backup holds code that put it there: look into it with care")
    }

    private static func finishConnecting(
        _ handle: OpaquePointer, _ configuration: PostgresConfiguration, _ interruption: Interruption
    ) throws(PostgresError) {
        let clock = ContinuousClock()
        let deadline = clock.now + configuration.connectTimeout
        var wanted = PGRES_POLLING_WRITING
        if PQstatus(handle) == CONNECTION_BAD { throw connectError(handle, configuration) }
        while true {
            try interruption.check()
            guard clock.now < deadline else {
                throw PostgresError(
                    .connect, message: "\(configuration) did not answer in time", hint: "check that the server runs and can be reached")
            }
            let events = wanted == PGRES_POLLING_READING ? POLLIN : POLLOUT
            var watched = pollfd(fd: PQsocket(handle), events: Int16(events), revents: 0)
            guard poll(&watched, 1, heartbeatMilliseconds) > 0 else { continue }
            wanted = PQconnectPoll(handle)
            switch wanted {
            case PGRES_POLLING_OK: return
            case PGRES_POLLING_FAILED: throw connectError(handle, configuration)
            default: break
            }
        }
    }

    private static func connectError(_ handle: OpaquePointer, _ configuration: PostgresConfiguration) -> PostgresError {
        let full = PQerrorMessage(handle).map { text($0, strlen($0)) } ?? ""
        // libpq's first line reads `connection to server … failed: FATAL:  why`; only the why is wanted.
        let line = full.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
        var reason = Substring(line)
        for mark in [" failed: ", "FATAL:  "] {
            if let range = reason.firstRange(of: mark) { reason = reason[range.upperBound...] }
        }
        return PostgresError(
            .connect, message: "no session with \(configuration): \(reason.isEmpty ? "no reason given" : reason)",
            hint: "check that the server runs, and the user's right to connect")
    }
}

/// A cancel request on its way to the server. Requests are sent from another thread, since sending one can itself block.
private struct Cancellation {
    let interruption: Interruption
    private let inFlight = DispatchGroup()
    private var firstRequest: ContinuousClock.Instant?
    private var lastRequest: ContinuousClock.Instant?

    init(_ interruption: Interruption) { self.interruption = interruption }

    /// Repeated, since a request that overtakes its statement has no effect.
    var isDue: Bool {
        interruption.isRaised && lastRequest.map { $0.duration(to: .now) > .milliseconds(250) } ?? true
    }

    /// Sends a request; false once the server has been asked for too long.
    mutating func request(_ handle: OpaquePointer, patience: Duration) -> Bool {
        let first = firstRequest ?? .now
        firstRequest = first
        lastRequest = .now
        guard first.duration(to: .now) < patience else { return false }
        // Handed over to the one block that frees it; libpq allows PQcancel on any thread.
        nonisolated(unsafe) let token = PQgetCancel(handle)
        DispatchQueue.global().async(group: inFlight) {
            var message = [CChar](repeating: 0, count: 256)
            PQcancel(token, &message, Int32(message.count))
            PQfreeCancel(token)
        }
        return true
    }

    /// Waits for requests on their way, so that none of them hits the session's next statement.
    func settle() {
        guard firstRequest != nil else { return }
        _ = inFlight.wait(timeout: .now() + .seconds(2))
    }
}

// Runs one program to its end: the only place that starts a process that isn't a server.

public import Foundation
import Glibc
import Subprocess
import SystemPackage

/// How a program ended.
public struct ToolResult: Sendable, Hashable {
    /// The exit code; nil where a signal ended it.
    public var exitCode: Int32?
    public var signal: Int32?
    /// What was captured, where capturing was asked for.
    public var output: String

    public init(exitCode: Int32?, signal: Int32?, output: String) {
        self.exitCode = exitCode
        self.signal = signal
        self.output = output
    }

    public var succeeded: Bool { exitCode == 0 }

    /// Not there for this user, no program, or without a library of its own: it has done nothing.
    public var couldNotRun: Bool { exitCode == 126 || exitCode == 127 }

    /// `exit 1` or `signal 9`.
    public var ending: String {
        if let exitCode { return "exit \(exitCode)" }
        return "signal \(signal ?? 0)"
    }
}

/// Starts programs with a bare environment, in a session of their own, and ends them with their children on cancellation.
///
/// A drill runs its tools through ``ScratchHost``, which adds the quarantine; this is for what must reach the outside, such as a
/// seal's pg_dump.
public enum ToolRunner {
    /// Where a program's output goes.
    public enum Destination: Sendable {
        case discard
        /// Into memory, at most so many bytes: more is an error.
        case capture(limit: Int)
        case file(URL)
        /// Into a file of a scratch folder, which is made anew: what code of a backup put there isn't followed.
        case scratch(URL)
        /// Into an open file of the caller's, from its present offset on; the offset moves along with what is written.
        case open(Int32)
    }

    /// What all programs see. LC_ALL=C keeps their messages in the language that our parsers read.
    public static func environment(_ extra: [String: String]) -> [String: String] {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        return ["PATH": path, "LC_ALL": "C", "TZ": "UTC"].merging(extra) { $1 }
    }

    /// Runs to the end.
    ///
    /// - Throws: ``ScratchError`` where the program isn't there or can't be started. A non-zero exit is a normal result.
    public static func spawn(
        _ command: [String], environment: [String: String], workingFolder: URL? = nil, input: URL? = nil, output: Destination,
        errors: Destination
    ) async throws -> ToolResult {
        let configuration = try configuration(command, environment: self.environment(environment), workingFolder: workingFolder)
        let inputDescriptor = try opened(input?.path ?? "/dev/null", .readOnly, options: .closeOnExec)
        let errorDescriptor = try closing([inputDescriptor]) { try descriptor(errors) }
        let outputDescriptor = try closing([inputDescriptor, errorDescriptor]) { try descriptor(output) }
        do {
            switch output {
            case .capture(let limit):
                try? outputDescriptor.close()
                let result = try await run(
                    configuration, input: .fileDescriptor(inputDescriptor, closeAfterSpawningProcess: true),
                    output: .bytes(limit: limit), error: .fileDescriptor(errorDescriptor, closeAfterSpawningProcess: true))
                return ToolResult(result.terminationStatus, output: String(decoding: result.standardOutput, as: UTF8.self))
            case .discard, .file, .scratch, .open:
                let result = try await run(
                    configuration, input: .fileDescriptor(inputDescriptor, closeAfterSpawningProcess: true),
                    output: .fileDescriptor(outputDescriptor, closeAfterSpawningProcess: true),
                    error: .fileDescriptor(errorDescriptor, closeAfterSpawningProcess: true))
                return ToolResult(result.terminationStatus, output: "")
            }
        } catch let error as SubprocessError where error.code == .executableNotFound {
            throw missing(command[0])
        }
    }

    /// Runs to the end and hands the output on as it comes, never holding more than one buffer of it.
    ///
    /// - Parameter consume: Called in order. What it throws ends the program and is thrown on.
    public static func stream(
        _ command: [String], environment: [String: String], errors: Destination,
        consume: @Sendable @escaping ([UInt8]) async throws -> Void
    ) async throws -> ToolResult {
        let configuration = try configuration(command, environment: self.environment(environment), workingFolder: nil)
        do {
            let result = try await run(
                configuration, input: .none, output: .sequence,
                error: .fileDescriptor(try descriptor(errors), closeAfterSpawningProcess: true)
            ) { execution in
                do {
                    for try await buffer in execution.standardOutput { try await consume(buffer.withUnsafeBytes { Array($0) }) }
                } catch {
                    await execution.teardown(using: configuration.platformOptions.teardownSequence)
                    throw error
                }
            }
            return ToolResult(result.terminationStatus, output: "")
        } catch let error as SubprocessError where error.code == .executableNotFound {
            throw missing(command[0])
        }
    }

    static func configuration(_ command: [String], environment: [String: String], workingFolder: URL?) throws(ScratchError) -> Configuration
    {
        guard let program = command.first else {
            throw ScratchError(.toolFailed, "an empty command line", hint: "report this as a defect of muster")
        }
        var options = PlatformOptions()
        // A session of its own: a Ctrl-C on the terminal reaches Muster alone, which then ends its children in order.
        options.createSession = true
        options.teardownSequence = [.send(signal: .terminate, toProcessGroup: true, allowedDurationToNextStep: .seconds(3))]
        let values = Dictionary(uniqueKeysWithValues: environment.map { (Subprocess.Environment.Key(stringLiteral: $0), $1) })
        return Configuration(
            executable: program.contains("/") ? .path(FilePath(program)) : .name(program),
            arguments: Arguments(Array(command.dropFirst())), environment: .custom(values),
            workingDirectory: workingFolder.map { FilePath($0.path) }, platformOptions: options)
    }

    static func missing(_ program: String) -> ScratchError {
        ScratchError(.toolMissing, "\(program) is not on this machine", hint: "install it, or put its folder on PATH")
    }

    private static func descriptor(_ destination: Destination) throws(ScratchError) -> FileDescriptor {
        switch destination {
        case .discard, .capture: try opened("/dev/null", .writeOnly, options: .closeOnExec)
        case .scratch(let url): try UnlinkedFile.create(url)
        case .file(let url): try opened(url.path, .writeOnly, options: [.create, .truncate, .closeOnExec])
        case .open(let descriptor): try shared(descriptor)
        }
    }

    private static func shared(_ descriptor: Int32) throws(ScratchError) -> FileDescriptor {
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else { throw .system(errno, "cannot write to", "an open file") }
        return FileDescriptor(rawValue: copy)
    }

    private static func opened(
        _ path: String, _ mode: FileDescriptor.AccessMode, options: FileDescriptor.OpenOptions
    ) throws(ScratchError) -> FileDescriptor {
        do {
            return try FileDescriptor.open(FilePath(path), mode, options: options, permissions: .ownerReadWrite)
        } catch {
            throw .system((error as? Errno)?.rawValue ?? EIO, "cannot open", path)
        }
    }

    /// Closes what is already open where the next can't be opened.
    private static func closing(
        _ open: [FileDescriptor], _ next: () throws -> FileDescriptor
    ) throws -> FileDescriptor {
        do {
            return try next()
        } catch {
            for descriptor in open { try? descriptor.close() }
            throw error
        }
    }
}

extension ToolResult {
    init(_ status: TerminationStatus, output: String) {
        switch status {
        case .exited(let code): self.init(exitCode: code, signal: nil, output: output)
        case .signaled(let signal): self.init(exitCode: nil, signal: signal, output: output)
        }
    }
}

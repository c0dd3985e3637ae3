// An application of the estate: how a new instance of it is started, and how it shows that it is well.

public import Foundation

/// A program that uses what the services hold, and that a disaster takes down with them.
public struct Application: Sendable, Hashable {
    /// Where its files are.
    public enum Code: Sendable, Hashable {
        /// A folder of this machine; each drill starts a copy of it.
        case folder(URL)
        /// What a drill recovers of this service.
        case service(String)
    }
    public var name: String
    /// Program and arguments, run in the copy of its files; it must stay in the foreground.
    public var start: [Template]
    public var code: Code
    /// The service whose recovered variables it gets; nil: none.
    public var configuration: String?
    /// What it finds the scratch servers by. These outrank the recovered configuration, which names production's.
    public var environment: [String: Template]
    public var health: HealthPromise
    /// The commands that fill an empty cache again, by its service.
    public var repopulations: [String: LostCache.Repopulation]

    public init(
        name: String, start: [Template], code: Code, configuration: String? = nil, environment: [String: Template] = [:],
        health: HealthPromise, repopulations: [String: LostCache.Repopulation] = [:]
    ) {
        self.name = name
        self.start = start
        self.code = code
        self.configuration = configuration
        self.environment = environment
        self.health = health
        self.repopulations = repopulations
    }

    /// The services whose scratch servers it is told of, or asked about; in no order.
    public var services: Set<String> {
        var named = (start + environment.values + health.probes.flatMap(\.templates)).flatMap(\.owners)
        for case .sql(let service, _, _) in health.probes { named.append(service) }
        return Set(named).subtracting([Template.application])
    }

    /// A TCP port of its own, inside the quarantine's own network: the first that a probe names.
    public var port: Int { health.probes.lazy.compactMap(\.port).first ?? 8080 }

    /// Whether it talks TCP at all. One that doesn't needs no loopback device.
    public var usesTCP: Bool {
        let named = start + environment.values + health.probes.flatMap(\.templates)
        return health.probes.contains { $0.port != nil } || named.contains { $0.names(Template.application, "port") }
    }
}

/// When a started application counts as well.
public struct HealthPromise: Sendable, Hashable {
    /// All probes must hold for this long without a break.
    public var hold: Duration
    /// From the start of the program on: where they don't hold by then, it is given up.
    public var within: Duration
    /// Never empty.
    public var probes: [HealthProbe]

    public init(hold: Duration = .seconds(2), within: Duration = .seconds(60), probes: [HealthProbe]) {
        self.hold = hold
        self.within = within
        self.probes = probes
    }
}

/// One question to a running application.
public enum HealthProbe: Sendable, Hashable {
    /// GET of a path must answer with a status, and with a body that a regular expression is found in.
    /// Without a port it is asked over the application's Unix socket.
    case http(path: String, status: Int, body: String?, port: Int?)
    /// Something must listen on a TCP port of the application's own network.
    case tcp(port: Int)
    /// A program, run beside the application, must end with this code.
    case command(run: [Template], expectExit: Int)
    /// A query's single value, asked of a service's scratch database.
    case sql(service: String, query: String, expect: Expectation)

    public var port: Int? {
        switch self {
        case .http(_, _, _, let port): port
        case .tcp(let port): port
        case .command, .sql: nil
        }
    }

    /// What it is called in reports; never holds a query or an argument.
    public var name: String {
        switch self {
        case .http(let path, _, _, let port): "GET \(path)\(port.map { " on port \($0)" } ?? "")"
        case .tcp(let port): "port \(port)"
        case .command(let run, _): "command \(run.first?.text.split(separator: "/").last ?? "")"
        case .sql(let service, _, _): "query of \(service)"
        }
    }

    var templates: [Template] {
        if case .command(let run, _) = self { run } else { [] }
    }
}

/// Text with places that Muster fills in, such as `{postgres.port}`.
public struct Template: Sendable, Hashable {
    public enum Part: Sendable, Hashable {
        case text(String)
        /// The service, or ``application``, and which of its values.
        case place(owner: String, field: String)
    }
    /// The owner of the application's own values.
    public static let application = "application"
    /// What an application is told of itself.
    public static let applicationFields = ["socket", "port", "folder"]

    /// What there is to tell of a service's scratch server.
    public static func fields(of engine: Service.Engine) -> [String] {
        switch engine {
        case .postgres: ["database", "socket-folder", "port", "user"]
        case .redis: ["socket"]
        case .configuration, .code: []
        }
    }

    /// As it stands in the file.
    public var text: String
    public var parts: [Part]

    /// Braces around anything but `OWNER.FIELD` are text like any other.
    public init(_ text: String) {
        self.text = text
        var parts: [Part] = []
        var rest = text[...]
        while let match = rest.firstMatch(of: /\{([A-Za-z0-9_\-][A-Za-z0-9._\-]*)\.([a-z][a-z\-]*)\}/) {
            if match.range.lowerBound > rest.startIndex { parts.append(.text(String(rest[..<match.range.lowerBound]))) }
            parts.append(.place(owner: String(match.output.1), field: String(match.output.2)))
            rest = rest[match.range.upperBound...]
        }
        if !rest.isEmpty { parts.append(.text(String(rest))) }
        self.parts = parts
    }

    public var owners: [String] {
        parts.compactMap { if case .place(let owner, _) = $0 { owner } else { nil } }
    }

    public func names(_ owner: String, _ field: String) -> Bool { parts.contains(.place(owner: owner, field: field)) }

    /// The text with every place filled in; a value is never searched for places itself. nil where one is not known.
    public func filled(_ value: (_ owner: String, _ field: String) -> String?) -> String? {
        var result = ""
        for part in parts {
            switch part {
            case .text(let text): result += text
            case .place(let owner, let field):
                guard let known = value(owner, field) else { return nil }
                result += known
            }
        }
        return result
    }
}

// The lab's application: a small web service that really reads Postgres and Redis, in Python without a package.

import Foundation

/// Writes its files.
enum LabApplication {
    /// The one that is started from a folder beside the estate.
    static let name = "web-folder"
    /// The one that is started from its backups, as DomainScope's drills have it.
    static let rebuilt = "web"

    /// The interpreter's own path where Debian has it: PATH may lead to one that only root can run.
    static var python: String {
        FileManager.default.isExecutableFile(atPath: "/usr/bin/python3") ? "/usr/bin/python3" : "python3"
    }

    static func write(to folder: URL) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data(program.utf8).write(to: folder.appending(path: "app.py"))
        try Data(readme.utf8).write(to: folder.appending(path: "README.md"))
    }

    static let branch = "main"

    /// How many releases there are. The first is older than the first backup.
    static let releases = 4

    /// The whole tree of one release, by path: the content of its repository, and nothing else of git.
    ///
    /// - Parameter release: 1 to ``releases``.
    static func files(release: Int) -> [String: String] {
        [
            "README.md": readme, "app.py": program, "VERSION": "1.\(release).0\n",
            ".env.example": LabConfiguration.required.map { "\($0)=\n" }.joined(),
        ]
    }

    private static let readme = """
        # DomainScope's web service, as small as it can be

        `python3 app.py` serves; `python3 app.py repopulate` fills an empty cache from the database and ends. It is told by its environment:

        - `DATABASE_URL`: `postgresql:///NAME?host=FOLDER&port=5432&user=NAME`; it asks through psql
        - `REDIS_SOCKET`: the path of Redis' Unix socket
        - `LISTEN`: the path of a Unix socket to listen on, or a TCP port of 127.0.0.1

        `GET /health` answers 200 and `{"status": "ok", …}` while both answer and the database holds domains, 503 otherwise. An empty cache is well:
        it is filled again as the service starts, and each domain as it is asked for.

        """

    private static let program = #"""
        """DomainScope's web service: GET /health and GET /domains/ID, from PostgreSQL and a Redis cache."""

        import http.server, json, os, socket, socketserver, subprocess, sys, threading, urllib.parse


        class Database:
            """Asks through psql, which finds its server by the PG variables."""

            def __init__(self, address):
                parts = urllib.parse.urlsplit(address)
                options = dict(urllib.parse.parse_qsl(parts.query))
                found = {
                    "PGDATABASE": parts.path.lstrip("/"), "PGHOST": options.get("host") or parts.hostname,
                    "PGPORT": options.get("port") or parts.port, "PGUSER": options.get("user") or parts.username,
                    "PGPASSWORD": parts.password, "PGCONNECT_TIMEOUT": "3", "PGAPPNAME": "domainscope",
                }
                self.environment = dict(os.environ, **{name: str(value) for name, value in found.items() if value})

            def rows(self, query):
                command = ["psql", "-X", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-c", query]
                done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=10, check=True)
                return [line.split("\t") for line in done.stdout.splitlines()]


        class Cache:
            """As much of Redis' protocol as a cache takes."""

            def __init__(self, path):
                self.path = path

            def ask(self, *commands):
                """Sends all of them and returns their answers, in order."""
                with socket.socket(socket.AF_UNIX) as connection:
                    connection.settimeout(5)
                    connection.connect(self.path)
                    text = b""
                    for words in commands:
                        words = [str(word).encode() for word in words]
                        text += b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)
                    connection.sendall(text)
                    with connection.makefile("rb") as stream:
                        return [self.answer(stream) for _ in commands]

            def answer(self, stream):
                line = stream.readline().rstrip(b"\r\n")
                kind, rest = line[:1], line[1:]
                if kind == b"-":
                    raise RuntimeError(rest.decode())
                if kind == b":":
                    return int(rest)
                if kind == b"$":
                    return None if rest == b"-1" else stream.read(int(rest) + 2)[:-2].decode("utf-8", "replace")
                if kind == b"*":
                    return [self.answer(stream) for _ in range(int(rest))]
                if kind == b"+":
                    return rest.decode()
                raise RuntimeError("redis closed the connection")

            def count(self, pattern):
                cursor, found = "0", 0
                while True:
                    (cursor, keys), = self.ask(["SCAN", cursor, "MATCH", pattern, "COUNT", "1000"])
                    found += len(keys)
                    if cursor == "0":
                        return found


        database = Database(os.environ["DATABASE_URL"])
        cache = Cache(os.environ["REDIS_SOCKET"])


        def repopulate():
            """Fills the cache from the database; what is there already is written anew."""
            rows = database.rows("SELECT id, name, coalesce(risk::text, '') FROM public.domains ORDER BY id LIMIT 10000")
            for start in range(0, len(rows), 500):
                cache.ask(*[["HSET", "domain:" + row[0], "name", row[1], "risk", row[2]] for row in rows[start : start + 500]])
            return len(rows)


        def health():
            report = {"status": "ok", "database": "ok", "cache": "ok"}
            try:
                report["domains"] = int(database.rows("SELECT count(*) FROM public.domains")[0][0])
                if report["domains"] == 0:
                    report["status"] = report["database"] = "empty"
            except Exception:
                report["status"] = report["database"] = "unreachable"
            try:
                report["cached"], report["sessions"] = cache.count("domain:*"), cache.count("session:*")
            except Exception:
                report["status"] = report["cache"] = "unreachable"
            return report


        def domain(number):
            (found,) = cache.ask(["HGETALL", "domain:%d" % number])
            if found:
                return dict(zip(found[::2], found[1::2]))
            rows = database.rows("SELECT name, coalesce(risk::text, '') FROM public.domains WHERE id = %d" % number)
            if not rows:
                return None
            cache.ask(["HSET", "domain:%d" % number, "name", rows[0][0], "risk", rows[0][1]])
            return {"name": rows[0][0], "risk": rows[0][1]}


        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                if self.path == "/health":
                    report = health()
                    return self.reply(200 if report["status"] == "ok" else 503, report)
                number = self.path.removeprefix("/domains/")
                if self.path.startswith("/domains/") and number.isdecimal():
                    found = domain(int(number))
                    return self.reply(200 if found else 404, found or {"error": "no such domain"})
                self.reply(404, {"error": "no such page"})

            def reply(self, status, content):
                body = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def address_string(self):
                return "client"


        class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
            daemon_threads = True


        class TCPServer(socketserver.ThreadingMixIn, socketserver.TCPServer):
            daemon_threads, allow_reuse_address = True, True


        def fill_empty_cache():
            try:
                if cache.count("domain:*") == 0:
                    print("cache was empty:", repopulate(), "domains", flush=True)
            except Exception as error:
                print("cache could not be filled:", type(error).__name__, flush=True)


        if __name__ == "__main__":
            if sys.argv[1:] == ["repopulate"]:
                print(repopulate(), "domains")
                sys.exit(0)
            threading.Thread(target=fill_empty_cache, daemon=True).start()
            listen = os.environ["LISTEN"]
            server = TCPServer(("127.0.0.1", int(listen)), Handler) if listen.isdecimal() else UnixServer(listen, Handler)
            print("listening", flush=True)
            server.serve_forever()

        """#
}

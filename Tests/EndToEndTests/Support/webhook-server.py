#!/usr/bin/env python3
"""A webhook that keeps what it is sent, and answers as its path says.

webhook-server.py FOLDER   prints its port and ends with its standard input. POST /PLAN/…: PLAN is a list of answers by comma, one a request,
the last for all that follow: a status, STATUS:SECONDS with Retry-After, hang, close, drip (200, and a body without an end). Each request
becomes FOLDER/N.json: path, headers, body, and which processes show a part of the path behind PLAN, or the token, on their command line.
"""
import http.server
import json
import os
import pathlib
import sys
import threading
import time

folder = pathlib.Path(sys.argv[1])
lock = threading.Lock()
seen = {}
count = 0


def shown(words):
    found = []
    for process in pathlib.Path("/proc").iterdir():
        if not process.name.isdigit() or int(process.name) == os.getpid():
            continue
        for name in ("cmdline", "environ"):
            try:
                text = (process / name).read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
                if any(word in text for word in words):
                    found.append(f"{name} of {(process / 'comm').read_text().strip()}")
            except OSError:
                continue
    return sorted(set(found))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        global count
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode("utf-8")
        parts = self.path.strip("/").split("/")
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        record = {
            "path": self.path, "headers": dict(self.headers.items()), "body": body, "time": time.time(),
            "shown": shown([word for word in parts[1:] + [token] if len(word) > 8])}
        with lock:
            count += 1
            number = seen[self.path] = seen.get(self.path, 0) + 1
            (folder / f"{count}.part").write_text(json.dumps(record))
            (folder / f"{count}.part").rename(folder / f"{count}.json")
        plan = parts[0].split(",")
        answer = plan[min(number, len(plan)) - 1]
        if answer == "hang":
            time.sleep(600)
        if answer in ("hang", "close"):
            self.close_connection = True
            self.connection.close()
            return
        status, _, wait = answer.partition(":")
        self.send_response(200 if status == "drip" else int(status))
        if wait:
            self.send_header("Retry-After", wait)
        if status.startswith("3"):
            self.send_header("Location", "/200/elsewhere")
        if status == "drip":
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b"ok\n")
                    time.sleep(0.1)
            except OSError:
                return
        # What a server repeats of a request must not be repeated by anybody.
        text = f"you sent {self.path} {token}".encode()
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
sys.stdin.read()

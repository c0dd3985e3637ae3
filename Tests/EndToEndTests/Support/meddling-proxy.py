"""A TCP proxy on loopback that meddles: it severs connections, and holds requests back, as the files of a folder say.

Usage: meddling-proxy.py TARGET_PORT FOLDER. Prints its own port. Ends when its standard input does.
- FOLDER/cut: "BYTES TIMES [TEXT]": so many connections are severed once so many bytes have come from the server; with a TEXT, those alone
  on which a request has held it.
- FOLDER/hold: a text: requests that hold it wait until the file has gone; FOLDER/held is there while one does.
- FOLDER/pass: lets one held request go, and goes with it.
- FOLDER/count: is there: each request's method and target is written to FOLDER/requests.
- FOLDER/answer: "STATUS CODE TEXT": requests whose first line holds the TEXT are answered so, and not handed on.
- FOLDER/etags: is there: digests in answers are turned round, as those of objects are that a key service encrypts.
- FOLDER/flip: a text: one bit of what comes for a request that holds it is another, in each of its answers' bodies.
"""

import os
import re
import socket
import sys
import threading
import time

target, folder = int(sys.argv[1]), sys.argv[2]
lock = threading.Lock()


def words(name):
    try:
        with open(os.path.join(folder, name)) as file:
            return file.read()
    except FileNotFoundError:
        return ""


def must_end(count, requests):
    """Whether a connection that has brought so many bytes is severed; it is counted then."""
    with lock:
        parts = words("cut").split(" ", 2)
        if len(parts) < 2 or int(parts[1]) == 0 or count <= int(parts[0]):
            return False
        if len(parts) > 2 and parts[2].encode() not in b"".join(requests):
            return False
        with open(os.path.join(folder, "cut"), "w") as file:
            file.write(" ".join([parts[0], str(int(parts[1]) - 1)] + parts[2:]))
        return True


def may_pass():
    try:
        os.remove(os.path.join(folder, "pass"))
        return True
    except FileNotFoundError:
        return False


def answered(client, data):
    """Whether it was answered here: with S3's words for an error."""
    parts = words("answer").split(" ", 2)
    first = data.split(b"\r\n", 1)[0]
    if len(parts) < 3 or parts[2].encode() not in first or not re.match(rb"(GET|HEAD) ", first):
        return False
    body = b"" if first.startswith(b"HEAD") else f"<Error><Code>{parts[1]}</Code><Message>m</Message></Error>".encode()
    head = f"HTTP/1.1 {parts[0]} No\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n\r\n"
    client.sendall(head.encode() + body)
    return True


def upstream(client, server, requests):
    while data := client.recv(65536):
        requests.append(data[:2000])
        if os.path.exists(os.path.join(folder, "count")) and (line := re.match(rb"[A-Z]+ \S+", data)):
            with lock, open(os.path.join(folder, "requests"), "ab") as file:
                file.write(line.group(0) + b"\n")
        if answered(client, data):
            continue
        hold = words("hold")
        if hold and hold.encode() in data:
            while words("hold") and not may_pass():
                open(os.path.join(folder, "held"), "w").close()
                time.sleep(0.02)
        server.sendall(data)


def downstream(client, server, requests):
    count = 0
    while data := server.recv(65536):
        count += len(data)
        if must_end(count, requests):
            client.shutdown(socket.SHUT_RDWR)
            return
        if os.path.exists(os.path.join(folder, "etags")):
            data = re.sub(rb'(?i)(etag: "?|<etag>(?:"|&quot;)?)([0-9a-f]{32})', lambda found: found[1] + found[2][::-1], data)
        text = words("flip").encode()
        if text and requests and text in requests[-1] and requests[-1].startswith(b"GET"):
            # Behind the head, in anything that is worth a flip.
            place = len(data) // 2
            if len(data) > 2000 and b"\r\n\r\n" not in data[place:]:
                data = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        client.sendall(data)


def serve(client):
    server = socket.create_connection(("127.0.0.1", target))
    requests = []

    def run(work):
        try:
            work(client, server, requests)
        except OSError:
            pass
        for end in (client, server):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    for work in (upstream, downstream):
        threading.Thread(target=run, args=(work,), daemon=True).start()


listener = socket.create_server(("127.0.0.1", 0), backlog=64)
print(listener.getsockname()[1], flush=True)
threading.Thread(target=lambda: [serve(listener.accept()[0]) for _ in iter(int, 1)], daemon=True).start()
sys.stdin.read()
os._exit(0)

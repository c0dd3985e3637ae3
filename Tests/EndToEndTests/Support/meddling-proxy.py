"""A TCP proxy on loopback that meddles: it severs connections, and holds requests back, as the files of a folder say.

Usage: meddling-proxy.py TARGET_PORT FOLDER. Prints its own port. Ends when its standard input does.
- FOLDER/cut: "BYTES TIMES [TEXT]": so many connections are severed once so many bytes have come from the server; with a TEXT, those alone
  on which a request has held it.
- FOLDER/hold: a text: requests that hold it wait until the file has gone; FOLDER/held is there while one does.
- FOLDER/pass: lets one held request go, and goes with it.
"""

import os
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


def upstream(client, server, requests):
    while data := client.recv(65536):
        requests.append(data[:2000])
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

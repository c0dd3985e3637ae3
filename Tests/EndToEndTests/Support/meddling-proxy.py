"""A TCP proxy on loopback that meddles: it severs connections, and holds requests back, as the files of a folder say.

Usage: meddling-proxy.py TARGET_PORT FOLDER. Prints its own port. Ends when its standard input does.
- FOLDER/cut: "BYTES TIMES": so many connections are severed once so many bytes have come from the server.
- FOLDER/hold: a text: requests that hold it wait until the file has gone; FOLDER/held appears when one does.
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


def may_pass(count):
    """How many of so many bytes may still come; fewer than all: sever."""
    with lock:
        parts = words("cut").split()
        if len(parts) != 2 or int(parts[1]) == 0 or count <= int(parts[0]):
            return None
        with open(os.path.join(folder, "cut"), "w") as file:
            file.write(f"{parts[0]} {int(parts[1]) - 1}")
        return int(parts[0])


def upstream(client, server):
    while data := client.recv(65536):
        hold = words("hold")
        if hold and hold.encode() in data:
            open(os.path.join(folder, "held"), "w").close()
            while words("hold"):
                time.sleep(0.02)
        server.sendall(data)


def downstream(client, server):
    count = 0
    while data := server.recv(65536):
        count += len(data)
        if may_pass(count) is not None:
            client.shutdown(socket.SHUT_RDWR)
            return
        client.sendall(data)


def serve(client):
    server = socket.create_connection(("127.0.0.1", target))

    def run(work):
        try:
            work(client, server)
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

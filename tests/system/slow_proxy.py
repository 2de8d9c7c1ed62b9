"""A proxy to a registry on this machine, with little bandwidth, that counts what goes up.

  slow_proxy.py TARGET_PORT PORT MEGABYTES_A_SECOND COUNT_FILE

Listens on 127.0.0.1 at PORT. COUNT_FILE has the bytes of all connections so far that went to the
registry. Ends when it is killed, and its connections with it.
"""
import os, socket, sys, threading, time

target, port, rate, count_file = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]) * 1e6, sys.argv[4]
lock = threading.Lock()
total, due = 0, 0.0


def note():
    with open(count_file + ".new", "w") as file:
        file.write(f"{total}\n")
    os.rename(count_file + ".new", count_file)


def take(count):
    """Counts, and sleeps as long as that many bytes take."""
    global total, due
    with lock:
        total += count
        note()
        due = max(due, time.monotonic()) + count / rate
        wait = due - time.monotonic()
    time.sleep(max(wait, 0))


def carry(source, sink, goes_up):
    try:
        while data := source.recv(1 << 16):
            if goes_up:
                take(len(data))
            sink.sendall(data)
    except OSError:
        pass
    for one in (source, sink):
        try:
            one.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


note()
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", port))
listener.listen(64)
while True:
    client, _ = listener.accept()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 18)
    server = socket.create_connection(("127.0.0.1", target))
    threading.Thread(target=carry, args=(client, server, True), daemon=True).start()
    threading.Thread(target=carry, args=(server, client, False), daemon=True).start()

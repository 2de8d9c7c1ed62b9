"""A registry's network, as bad as a test wants it: python3 registry_proxy.py UPSTREAM SETTINGS LOG

Passes requests on to UPSTREAM (host:port) and prints its own port. SETTINGS is a JSON file that is read
again for each request: `rate`, bytes a second of all blobs together; `corrupt`, ranges of blobs are
changed but for the last so many; `ranges`, false: they are ignored; `fail`, blobs answer 503. LOG gets
a line `BLOB FIRST LAST` for each blob that was asked for.
"""
import http.client
import http.server
import json
import re
import socketserver
import sys
import threading
import time

upstream, settings_path, log_path = sys.argv[1:4]
turn = threading.Lock()


def settings():
    try:
        with open(settings_path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return {}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.pass_on()

    def do_GET(self):
        self.pass_on()

    def pass_on(self):
        now = settings()
        blob = re.search(r"/blobs/(sha256:[0-9a-f]{64})$", self.path)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
        if blob and now.get("fail"):
            self.send_response(503)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if blob and now.get("ranges") is False:
            headers = {name: value for name, value in headers.items() if name.lower() != "range"}
        connection = http.client.HTTPConnection(upstream)
        connection.request(self.command, self.path, headers=headers)
        answer = connection.getresponse()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "transfer-encoding", "date", "server"):
                self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        first, total = 0, int(answer.headers.get("Content-Length", 0))
        place = re.match(r"bytes (\d+)-(\d+)/(\d+)", answer.headers.get("Content-Range", ""))
        last = total - 1
        if place:
            first, last, total = map(int, place.groups())
        if blob and self.command == "GET":
            with open(log_path, "a", encoding="utf-8") as log:
                log.write(f"{blob.group(1)} {first} {last}\n")
        at = first
        while part := answer.read(1 << 16):
            if place and at < total - now.get("corrupt", 1 << 62):
                part = bytes(byte ^ 0x55 for byte in part[:1]) + part[1:]
            if blob and (rate := settings().get("rate")):
                with turn:
                    time.sleep(len(part) / rate)
            try:
                self.wfile.write(part)
            except OSError:
                self.close_connection = True
                break
            at += len(part)
        connection.close()


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True


server = Server(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()

"""fake_web.py FOLDER: a package index over a real socket, and what can go wrong with one.

Prints its port and serves until its standard input ends.
  /simple/<project>/   the index page of the wheels in FOLDER/wheels, read anew for each request
  /files/<wheel>       their bytes, in ranges too; `.metadata` behind the name: the METADATA inside
  /<index>/<project>/  the same for the wheels in FOLDER/indexes/<index>, where that folder is there
  /<anything>          FOLDER/static/<anything>
FOLDER/passwords says, one line each, `TEXT USER:PASSWORD`: who may ask for paths that begin with TEXT.
FOLDER/faults says, one line each, `FAULT TEXT`: what happens to requests whose path holds TEXT.
  404, 500, …          that status
  html                 a page for people instead, status 200
  cut                  half of a body of more than a megabyte, then the connection breaks
  empty                nothing of the body, and the connection breaks
  wrong                another byte at the end
  slow                 50 kB a second
  whole                all of a file where a range was asked for
FOLDER/uploaded says, one line each, `TIME TEXT`: the upload time of the wheels whose names hold TEXT.
FOLDER/requests has the path of each request.
"""
import base64, hashlib, http.server, json, os, re, sys, threading, time, urllib.parse, zipfile

top = sys.argv[1]


def faults(path):
    try:
        lines = open(f"{top}/faults").read().splitlines()
    except FileNotFoundError:
        return set()
    return {fault for fault, text in (line.split(" ", 1) for line in lines) if text in path}


def upload_time(name):
    if not os.path.exists(f"{top}/uploaded"):
        return None
    lines = open(f"{top}/uploaded").read().splitlines()
    return next((time for time, text in (line.split(" ", 1) for line in lines) if text in name), None)


def metadata_of(path):
    try:
        with zipfile.ZipFile(path) as wheel:
            for name in wheel.namelist():
                if name.endswith(".dist-info/METADATA"):
                    return wheel.read(name)
    except (zipfile.BadZipFile, NotImplementedError, OSError):
        pass
    return None


def is_allowed(path, authorization):
    try:
        lines = open(f"{top}/passwords").read().splitlines()
    except FileNotFoundError:
        return True
    for text, password in (line.split(" ", 1) for line in lines):
        basic = "Basic " + base64.b64encode(password.encode()).decode()
        if path.startswith(text) and authorization != basic:
            return False
    return True


def page_of(project, folder, url):
    files = []
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".whl"):
            continue
        if re.sub(r"[-_.]+", "-", name.split("-")[0]).lower() != project:
            continue
        data = open(f"{folder}/{name}", "rb").read()
        row = {"filename": name, "url": f"{url}/{name}", "size": len(data),
               "hashes": {"sha256": hashlib.sha256(data).hexdigest()}}
        if upload_time(name):
            row["upload-time"] = upload_time(name)
        metadata = metadata_of(f"{folder}/{name}")
        if metadata is not None:
            row["core-metadata"] = {"sha256": hashlib.sha256(metadata).hexdigest()}
            python = re.search(rb"^Requires-Python: (.*)$", metadata, re.M)
            if python:
                row["requires-python"] = python[1].decode()
        files.append(row)
    return json.dumps({"meta": {"api-version": "1.1"}, "name": project, "files": files}).encode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def find(self, path):
        """The body and its type, or nothing."""
        index, _, project = path.rstrip("/").rpartition("/")
        folder = f"{top}/wheels" if index == "/simple" else f"{top}/indexes{index}"
        if path.endswith("/") and os.path.isdir(folder):
            files = "/files" if index == "/simple" else f"/files{index}"
            page = page_of(project, folder, files)
            return (page, "application/vnd.pypi.simple.v1+json") if b'"filename"' in page else None
        if path.startswith("/files/"):
            inside, _, name = path[len("/files/"):].rpartition("/")
            folder = f"{top}/indexes/{inside}" if inside else f"{top}/wheels"
            if name.endswith(".metadata"):
                data = metadata_of(f"{folder}/{name[:-9]}")
                return (data, "text/plain") if data is not None else None
            path = f"{folder}/{name}"
        else:
            path = f"{top}/static{path}"
        return (open(path, "rb").read(), "application/octet-stream") if os.path.isfile(path) else None

    def do_GET(self):
        path = urllib.parse.unquote(self.path)
        with open(f"{top}/requests", "a") as log:
            log.write(path + "\n")
        now = faults(path)
        status, found = 200, self.find(path)
        body, kind = found or (b"not here", "text/plain")
        if not found:
            status = 404
        if not is_allowed(path, self.headers.get("Authorization")):
            status, body, kind = 401, b"who are you?", "text/plain"
        for fault in now:
            if fault.isdigit():
                status, body, kind = int(fault), b"sorry", "text/plain"
        if "html" in now:
            status, body, kind = 200, b"<html><body>Please log in</body></html>", "text/html"
        if "wrong" in now:
            body = body[:-1] + bytes([body[-1] ^ 1])
        asked = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        total, first = len(body), 0
        if asked and status == 200 and "whole" not in now and (asked[1] or asked[2]):
            first = int(asked[1]) if asked[1] else max(0, total - int(asked[2]))
            last = min(int(asked[2]), total - 1) if asked[1] and asked[2] else total - 1
            if first <= last:
                status, body = 206, body[first:last + 1]
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if status == 206:
            self.send_header("Content-Range", f"bytes {first}-{first + len(body) - 1}/{total}")
        self.end_headers()
        if "empty" in now:
            self.close_connection = True
        elif "cut" in now and len(body) > 1 << 20:
            self.wfile.write(body[:len(body) // 2])
            self.close_connection = True
        elif "slow" in now:
            for at in range(0, len(body), 5000):
                self.wfile.write(body[at:at + 5000])
                time.sleep(0.1)
        else:
            self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, flush=True)
while sys.stdin.read(1):
    pass

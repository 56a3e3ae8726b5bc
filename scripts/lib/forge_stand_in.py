"""The forges, Sentry and a trace collector for scripts/lib/api-tests: just what the server asks of them, on loopback."""
import http.server, json, threading

PROJECT = {"id": 1, "iid": 1, "name": "app", "full_name": "acme/app", "path_with_namespace": "acme/app", "private": False,
           "clone_url": "https://github.com/acme/app.git", "http_url_to_repo": "https://gitlab.com/acme/app.git"}
ISSUE = {"id": "1", "title": "It broke", "status": "unresolved"}
ANSWERS = {
    "/api/v3/user": {"login": "octocat", "id": 1, "email": None}, "/api/v3/user/repos": [PROJECT],
    "/api/v4/user": {"id": 7, "username": "tanuki"}, "/api/v4/projects": [PROJECT],
    "/api/0/": {"version": "0", "auth": None, "user": None}, "/api/0/organizations/": [{"slug": "acme"}],
    "/api/0/organizations/acme/projects/": [{"slug": "web"}], "/api/0/projects/acme/web/issues/": [ISSUE],
    "/api/0/issues/1/": ISSUE, "/api/0/issues/1/events/latest/": {"eventID": "e"},
}


class StandIn:
    """Runs while the object is used as a context; `traces` are the bodies a collector got."""

    def __init__(self):
        self.traces = []
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self, status, value):
                body = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                path = self.path.split("?")[0]
                known = path in ANSWERS
                self.answer(200 if known else 404, ANSWERS.get(path, {"message": "Not Found"}))

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if self.path == "/v1/traces":
                    owner.traces.append((self.headers.get("Content-Type"), body))
                    return self.answer(200, {})
                self.answer(404, {"message": "Not Found"})

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.authority = "127.0.0.1:%d" % self.server.server_address[1]
        self.url = "http://" + self.authority

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()

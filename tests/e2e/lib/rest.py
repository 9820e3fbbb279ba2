"""REST over the plant's Unix socket (root and the plant's own user are admins there)."""

import http.client
import json
import socket
from urllib.parse import urlencode


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Refused(Exception):
    """A problem document."""

    def __init__(self, status, body):
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body


class Rest:
    def __init__(self, socket_path, timeout_s=10):
        self._path = str(socket_path)
        self._timeout_s = timeout_s

    def call(self, method, path, body=None, content_type="application/json", **query):
        connection = _UnixConnection(self._path, self._timeout_s)
        try:
            target = f"/api/v1/{path}"
            if query:
                target += "?" + urlencode(query)
            headers = {"Content-Type": content_type} if body is not None else {}
            connection.request(method, target, body=body, headers=headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if answer.status >= 300:
            raise Refused(answer.status, text)
        return json.loads(text)

    def get(self, path, **query):
        return self.call("GET", path, **query)

    def post(self, path, document=None):
        return self.call("POST", path, body=json.dumps(document or {}))

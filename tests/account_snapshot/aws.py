"""moto over HTTP as an AWS of our own, which counts requests and can be told to misbehave."""

from __future__ import annotations

import io
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

Start = Callable[..., Any]


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        pass


@dataclass
class Aws:
    """The server: `asked` counts requests by operation; `refuse` maps (operation, text in the
    request) to an error code, `times` limits how often; `page` is the size of KMS's pages."""

    asked: Counter[str] = field(default_factory=Counter)
    refuse: dict[tuple[str, str], str] = field(default_factory=dict)
    times: dict[tuple[str, str], int] = field(default_factory=dict)
    page: int = 0
    url: str = ""

    def answer(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        size = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(size)
        environ["wsgi.input"] = io.BytesIO(body)
        text = body.decode("utf-8", "replace")
        operation = _operation(environ, text)
        self.asked[operation] += 1
        for (name, part), code in self.refuse.items():
            if name == operation and part in text and self.times.get((name, part), 1) > 0:
                if (name, part) in self.times:
                    self.times[name, part] -= 1
                return _error(start, environ, code, f"not {operation}")
        if self.page and operation.startswith("List"):
            return self._page_of_list(environ, start, json.loads(body))
        if self.page and operation == "GetAccountAuthorizationDetails":
            return self._page_of_details(environ, start, text)
        return self._backend(environ, start)

    # moto gives everything at once: its answers are cut here as AWS cuts them.
    def _page_of_list(
        self, environ: dict[str, Any], start: Start, request: dict[str, Any]
    ) -> Iterable[bytes]:
        first = int(request.pop("Marker", 0))
        answer = json.loads(self._backend_answer(environ, json.dumps(request)))
        for name, value in answer.items():
            if isinstance(value, list):
                last = first + self.page
                answer[name] = value[first:last]
                answer["Truncated"] = last < len(value)
                more = {"NextMarker": str(last)} if last < len(value) else {}
        start("200 OK", [("Content-Type", "application/x-amz-json-1.1")])
        return [json.dumps(answer | more).encode()]

    def _page_of_details(self, environ: dict[str, Any], start: Start, text: str) -> list[bytes]:
        kinds = ("User",), ("Role", "Group", "LocalManagedPolicy")
        wanted = kinds["Marker=rest" in text]
        filters = "".join(f"&Filter.member.{n}={kind}" for n, kind in enumerate(wanted, 1))
        answer = self._backend_answer(environ, text + filters).decode()
        if wanted == kinds[0]:
            before, after = "<IsTruncated>false", "<Marker>rest</Marker><IsTruncated>true"
            assert before in answer
            answer = answer.replace(before, after)
        start("200 OK", [("Content-Type", "text/xml")])
        return [answer.encode()]

    def _backend_answer(self, environ: dict[str, Any], text: str) -> bytes:
        body = text.encode()
        changed = {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        return b"".join(self._backend(environ | changed, lambda *_: None))

    def __post_init__(self) -> None:
        self._backend: Any = DomainDispatcherApplication(create_backend_app)
        self._server = make_server(
            "127.0.0.1", 0, self.answer, threaded=True, request_handler=_Quiet
        )
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _error(start: Start, environ: Mapping[str, Any], code: str, message: str) -> list[bytes]:
    """An error as KMS writes it, or as IAM and STS do."""
    if environ.get("HTTP_X_AMZ_TARGET"):
        kind, text = "application/x-amz-json-1.1", json.dumps({"__type": code, "message": message})
    else:
        fields = f"<Type>Sender</Type><Code>{code}</Code><Message>{message}</Message>"
        kind, text = "text/xml", f"<ErrorResponse><Error>{fields}</Error></ErrorResponse>"
    start("400 Bad Request", [("Content-Type", kind)])
    return [text.encode()]


def _operation(environ: Mapping[str, Any], body: str) -> str:
    target = str(environ.get("HTTP_X_AMZ_TARGET", ""))
    if target:
        return target.rpartition(".")[2]
    fields = dict(pair.partition("=")[::2] for pair in body.split("&"))
    return fields.get("Action", str(environ.get("PATH_INFO", "")))

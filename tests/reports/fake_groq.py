"""A server on 127.0.0.1 that answers like Groq's, from a script; every request is kept."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = Callable[["Handler"], None]


class FakeGroq(ThreadingHTTPServer):
    """``replies`` are used up one a request; the last one repeats."""

    daemon_threads = True

    def __init__(self, replies: tuple[Reply, ...]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.replies = list(replies)
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.gone = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: FakeGroq

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.requests.append({"path": self.path, **json.loads(body)})
        self.server.keys.append(self.headers["authorization"])
        replies = self.server.replies
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        try:
            reply(self)
        except (BrokenPipeError, ConnectionResetError):
            self.server.gone.set()

    def begin_stream(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()

    def event(self, data: Any) -> None:
        self.wfile.write(f"data: {json.dumps(data)}\n\n".encode())
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: a test's output is about its outcome."""


def chunk(text: str | None, **more: Any) -> dict[str, Any]:
    delta = {"content": text} if text is not None else {}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "llama-3.3-70b-versatile",
        "choices": [{"index": 0, "delta": delta, "finish_reason": None}],
        **more,
    }


def streams(answer: Any, size: int = 7, pause: float = 0.0) -> Reply:
    """The answer in pieces of ``size`` characters, then the tokens it took."""
    text = answer if isinstance(answer, str) else json.dumps(answer)

    def reply(handler: Handler) -> None:
        handler.begin_stream()
        for start in range(0, len(text), size):
            handler.event(chunk(text[start : start + size]))
            time.sleep(pause)
        usage = {"prompt_tokens": 900, "completion_tokens": 210, "total_tokens": 1110}
        handler.event(chunk(None, x_groq={"id": "req_1", "usage": usage}))
        handler.wfile.write(b"data: [DONE]\n\n")

    return reply


def refuses(status: int, message: str = "no", **headers: str) -> Reply:
    def reply(handler: Handler) -> None:
        body = json.dumps({"error": {"message": message, "type": "fake"}}).encode()
        handler.send_response(status)
        handler.send_header("content-type", "application/json")
        handler.send_header("content-length", str(len(body)))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return reply


def trickles(byte: bytes = b":", every: float = 0.05) -> Reply:
    """Never says anything, and never stops."""

    def reply(handler: Handler) -> None:
        handler.begin_stream()
        while not handler.server.gone.is_set():
            handler.wfile.write(byte)
            handler.wfile.flush()
            time.sleep(every)

    return reply


def breaks_off(text: str) -> Reply:
    """Streams ``text`` and closes the connection in the middle of a promised length."""

    def reply(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("content-type", "text/event-stream")
        handler.send_header("content-length", "100000")
        handler.end_headers()
        handler.event(chunk(text))
        handler.close_connection = True

    return reply


def raw(body: bytes) -> Reply:
    def reply(handler: Handler) -> None:
        handler.begin_stream()
        handler.wfile.write(body)

    return reply


@contextmanager
def fake_groq(*replies: Reply) -> Iterator[FakeGroq]:
    server = FakeGroq(replies)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.gone.set()
        server.shutdown()
        server.server_close()
        thread.join()

"""Groq's chat completions, streamed, with one deadline over everything."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from anomalyos.core.errors import AnomalyOSError
from anomalyos.core.settings import Settings
from anomalyos.reports.prompt import Messages

if TYPE_CHECKING:
    from groq import Groq

FIRST_PAUSE_S = 0.5
"""Doubled from attempt to attempt."""
LONGEST_ANSWER = 100_000
"""Characters: a model that goes on for ever is stopped."""
MOST_TOKENS = 2048


class ModelUnavailable(AnomalyOSError):
    """No usable answer came from the model; the template has to write."""


@dataclass(frozen=True)
class Answer:
    """What came back in one go."""

    text: str
    model: str
    prompt_tokens: int
    completion_tokens: int


Event = tuple[Literal["piece", "answer", "failed"], Any]


class GroqClient:
    """Asks one question at a time, and never keeps its caller longer than the deadline.

    The library's timeouts count per attempt and per read, so a server that sends a byte a second would
    hold a caller for ever. The conversation therefore runs in a thread of its own, and the caller waits
    for that thread no longer than until the deadline.
    """

    def __init__(self, settings: Settings, deadline: float) -> None:
        """``deadline`` as ``time.monotonic()`` counts."""
        self._settings = settings
        self._deadline = deadline
        self._stopped = threading.Event()
        self._client: Groq | None = None

    def ask(self, messages: Messages, on_piece: Callable[[str], None]) -> Answer:
        """The model's whole answer; ``on_piece`` gets it piece by piece, in the caller's thread.

        Raises:
            ModelUnavailable: no key, refused, overloaded, unreachable, or not in time.
        """
        if self._settings.groq_api_key is None or not self._settings.groq_api_key.get_secret_value().strip():
            raise ModelUnavailable(
                "No Groq key is configured.", "Set ANOMALYOS_GROQ_API_KEY to have a model write the report."
            )
        events: queue.Queue[Event] = queue.Queue()
        worker = threading.Thread(target=self._run, args=(messages, events), name="groq", daemon=True)
        worker.start()
        try:
            return self._follow(events, on_piece)
        finally:
            self._stopped.set()
            if worker.is_alive():
                self._hang_up()
            self._stopped = threading.Event()

    def _follow(self, events: queue.Queue[Event], on_piece: Callable[[str], None]) -> Answer:
        while True:
            remaining = self._remaining()
            try:
                if remaining <= 0:
                    raise queue.Empty
                kind, value = events.get(timeout=remaining)
            except queue.Empty:
                raise ModelUnavailable(
                    f"The model did not answer within {self._settings.report_timeout_s:g} seconds.",
                    "Try again later, or raise ANOMALYOS_REPORT_TIMEOUT_S.",
                ) from None
            if kind == "piece":
                on_piece(value)
            elif kind == "answer":
                answer: Answer = value
                return answer
            else:
                raise value

    def _remaining(self) -> float:
        return self._deadline - time.monotonic()

    def _hang_up(self) -> None:
        """Close the connection under the worker, which ends it at its next read."""
        client = self._client
        if client is not None:
            with contextlib.suppress(OSError, RuntimeError):
                client.close()

    def _run(self, messages: Messages, events: queue.Queue[Event]) -> None:
        stopped = self._stopped
        try:
            events.put(("answer", self._attempts(messages, events, stopped)))
        except Exception as error:  # noqa: BLE001 - handed to the thread that waits for it
            events.put(("failed", error))

    def _attempts(self, messages: Messages, events: queue.Queue[Event], stopped: threading.Event) -> Answer:
        """Ask until there is an answer; whatever might pass (429, 5xx, no connection) is tried again."""
        import groq
        import httpx

        pause, json_mode = FIRST_PAUSE_S, True
        while True:
            try:
                return self._attempt(messages, events, stopped, json_mode)
            except groq.APIStatusError as error:
                if json_mode and error.status_code == 400 and "response_format" in str(error.body):
                    json_mode = False
                    continue
                if error.status_code != 429 and error.status_code < 500:
                    raise _refusal(error.status_code) from error
                wait, trouble = _retry_after(error.response.headers), _refusal(error.status_code)
            except (groq.GroqError, httpx.HTTPError, OSError, RuntimeError) as error:
                wait, trouble = None, _unreachable(error)
                if isinstance(error, Interrupted):
                    raise trouble from error
            except (ValueError, TypeError, AttributeError, LookupError) as error:
                raise ModelUnavailable(
                    "The model's answer could not be read.", "Check ANOMALYOS_GROQ_BASE_URL."
                ) from error
            wait = pause if wait is None else wait
            if wait >= self._remaining() or stopped.wait(wait):
                raise trouble
            pause *= 2

    def _attempt(
        self, messages: Messages, events: queue.Queue[Event], stopped: threading.Event, json_mode: bool
    ) -> Answer:
        """One streamed completion.

        Raises:
            Interrupted: the stream broke after something had been shown, so it cannot start over.
        """
        import groq
        import httpx

        key = self._settings.groq_api_key
        assert key is not None
        remaining = max(self._remaining(), 0.01)
        self._client = groq.Groq(
            api_key=key.get_secret_value().strip(),
            base_url=self._settings.groq_base_url,
            timeout=httpx.Timeout(remaining),
            max_retries=0,
        )
        shown = ""
        model, usage = self._settings.groq_model, (0, 0)
        extra: dict[str, Any] = {"response_format": {"type": "json_object"}} if json_mode else {}
        create: Any = self._client.chat.completions.create
        try:
            with (
                self._client,
                create(
                    model=model,
                    messages=messages,
                    stream=True,
                    temperature=0.2,
                    max_completion_tokens=MOST_TOKENS,
                    **extra,
                ) as stream,
            ):
                for chunk in stream:
                    if stopped.is_set() or len(shown) > LONGEST_ANSWER:
                        break
                    model, usage = chunk.model or model, _usage(chunk) or usage
                    for choice in chunk.choices or []:
                        if choice.delta.content:
                            shown += choice.delta.content
                            events.put(("piece", choice.delta.content))
        except (groq.APIError, httpx.HTTPError, OSError) as error:
            if shown:
                raise Interrupted("The connection broke in the middle of the answer.") from error
            raise
        return Answer(shown, str(model), *usage)


class Interrupted(RuntimeError):
    """The stream broke after something had been shown."""


def _usage(chunk: Any) -> tuple[int, int] | None:
    """(prompt, completion) tokens: Groq sends them in the last chunk, under ``x_groq``."""
    for holder in (getattr(chunk, "x_groq", None), chunk):
        usage = getattr(holder, "usage", None)
        if usage is not None:
            return int(usage.prompt_tokens), int(usage.completion_tokens)
    return None


def _retry_after(headers: Any) -> float | None:
    """Seconds the server asks to wait, None when it does not say so in seconds."""
    try:
        return max(0.0, float(headers.get("retry-after", "")))
    except ValueError:
        return None


def _refusal(status: int) -> ModelUnavailable:
    """What a status means and what to do about it. The server's own words are left out: a refusal
    may repeat the key."""
    if status in (401, 403):
        return ModelUnavailable(
            f"Groq refused the key (status {status}).", "Set ANOMALYOS_GROQ_API_KEY to a valid key."
        )
    if status == 404:
        return ModelUnavailable(
            "Groq does not know the model or the address (status 404).",
            "Check ANOMALYOS_GROQ_MODEL and ANOMALYOS_GROQ_BASE_URL.",
        )
    if status == 429:
        return ModelUnavailable(
            "Groq's rate limit is reached (status 429).", "Try again in a minute, or raise the limit at Groq."
        )
    if status >= 500:
        return ModelUnavailable(f"Groq failed (status {status}).", "Try again later.")
    return ModelUnavailable(f"Groq refused the request (status {status}).", "Check ANOMALYOS_GROQ_MODEL.")


def _unreachable(error: Exception) -> ModelUnavailable:
    if isinstance(error, Interrupted):
        return ModelUnavailable(str(error), "Try again.")
    return ModelUnavailable(
        "Groq cannot be reached.", "Check the network and ANOMALYOS_GROQ_BASE_URL, then try again."
    )

"""Errors a person reads: what went wrong, and the next step."""


class AnomalyOSError(Exception):
    """Base of every error the platform raises on purpose.

    ``message`` says what is wrong; ``hint`` says what to do about it and may be empty.
    The CLI prints both and exits with 2; the REST layer puts both in the response body.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message} {hint}".strip())
        self.message = message
        self.hint = hint


class NotFound(AnomalyOSError):
    """A category, model version, batch or inspection that does not exist."""


class Conflict(AnomalyOSError):
    """Somebody else changed the same thing first; the caller must look again."""


class NotAllowed(AnomalyOSError):
    """The actor lacks the role or scope the action needs."""


class BundleError(AnomalyOSError):
    """A model bundle is damaged, incomplete, or made with another recipe."""


class UnsafeSettings(AnomalyOSError):
    """Settings that must not run in production."""

from __future__ import annotations

import json
import logging

import pytest

from anomalyos.core.settings import Settings
from anomalyos.ops.webhook import LONGEST, tell_webhook
from tests.support.listener import listening

EVENT = {"event": "task_failed", "dag": "maintenance", "task": "backup", "reason": "x" * 5000}


def aimed(settings: Settings, url: str) -> Settings:
    return Settings(home=settings.home, webhook_url=url, _env_file=None)


def test_the_event_arrives_whole_and_short(settings: Settings) -> None:
    with listening(status=204) as (url, taken):
        assert tell_webhook(aimed(settings, url), EVENT) is True
    told = json.loads(taken[0])
    assert (told["source"], told["dag"]) == ("anomalyos", "maintenance")
    assert len(told["reason"]) == LONGEST
    assert told["text"].startswith("AnomalyOS: maintenance backup failed.")


def test_without_a_setting_nobody_is_told(settings: Settings) -> None:
    assert tell_webhook(settings, EVENT) is False


def test_what_goes_wrong_is_logged_without_the_address(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING), listening(status=500) as (url, taken):
        assert tell_webhook(aimed(settings, f"{url}/?key=hunter22"), EVENT) is False
        assert tell_webhook(aimed(settings, "http://127.0.0.1:9/hunter22"), EVENT) is False
        assert tell_webhook(aimed(settings, "file:///etc/hunter22"), EVENT) is False
    assert len(taken) == 1
    assert len(caplog.records) == 3
    assert "hunter22" not in caplog.text


def test_a_redirect_is_not_followed(settings: Settings) -> None:
    with listening(status=200) as (elsewhere, taken), listening(302, elsewhere) as (url, _):
        assert tell_webhook(aimed(settings, url), EVENT) is False
    assert taken == []

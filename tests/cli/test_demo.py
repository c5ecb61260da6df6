"""`vigie demo`: the whole story, by the real engine, whatever the environment of whoever runs it."""

from collections.abc import Callable
from typing import Any

import pytest

from vigie.cli import demo

Run = Callable[..., Any]


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same story in two seconds."""
    monkeypatch.setattr(
        demo, "_CONFIG", demo._CONFIG.replace("confirm_every: 1s", "confirm_every: 100ms").replace("every: 2s", "every: 1s")
    )
    monkeypatch.setattr(demo, "_CALM_SECONDS", 0)


STEPS = {
    "en": """A small demo site starts | check: up | backend stops | check: down, HTTP 502 instead of 200-299 | suspected | incident demo-shop-1:
        | email: 🔴 Demo shop: HTTP 502 | Suspected cause | backend is back | email: 🟢 Demo shop: recovered | one alert, one recovery""",
    "fr": """Un petit site de démonstration démarre | contrôle : en service | s'arrête | contrôle : en panne, HTTP 502 au lieu | suspicion
        | incident boutique-1 : | e-mail : 🔴 Boutique : HTTP 502 | Cause supposée | redémarre | e-mail : 🟢 Boutique : rétabli
        | une alerte, puis un rétablissement""",
}


@pytest.mark.parametrize("language", STEPS)
def test_the_story_is_told_from_check_to_recovery(language: str, vigie: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMAIL_PASSWORD", "of another mail server")
    monkeypatch.setenv("SMTP_PORT", "465")
    monkeypatch.setenv("COLUMNS", "200")
    done = vigie("demo", "--language", language)

    assert (done.status, done.err) == (0, "")
    steps = [step.strip() for step in STEPS[language].split("|")]
    places = [done.out.find(step) for step in steps]
    assert -1 not in places, steps[places.index(-1)]
    assert places == sorted(places)
    assert "\x1b" not in done.out


def test_a_model_that_is_not_there_is_said_and_costs_nothing(vigie: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")
    monkeypatch.setenv("COLUMNS", "300")
    done = vigie("demo", "--model", "llama3")

    assert done.status == 0
    assert "no report from the model (unreachable)" in done.out
    assert "ollama pull llama3" in done.out
    assert "one alert, one recovery" in done.out

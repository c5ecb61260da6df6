"""Which channels are notified that somebody acknowledged: those that stop calling people because of it."""

from pathlib import Path

from vigie.config import load

_FILE = """
monitors: [https://shop.example.com/]
notify:
  pd: {type: pagerduty, routing_key: 0123456789abcdef0123456789abcdef}
  og: {type: opsgenie, api_key: eb243592-faa2-4ba2}
  calm: {type: pushover, user: u123456, token: t123456}
  loud: {type: pushover, user: u123456, token: t123456, emergency: true}
  ntfy: {type: ntfy, url: "https://ntfy.sh/topic"}
"""


def test_paging_services_and_emergencies_are_notified_of_acknowledgements(tmp_path: Path) -> None:
    path = tmp_path / "vigie.yaml"
    path.write_text(_FILE)
    policy = load(path, {}, tmp_path).monitors[0].monitor.notification
    assert policy.acked_to == ("pd", "og", "loud")

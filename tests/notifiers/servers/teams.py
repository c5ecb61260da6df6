"""A workflow of Power Automate that posts cards to Teams: learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors."""

import re
from types import MappingProxyType
from typing import Any

from tests.notifiers.servers._room import Post, Room

from vigie.errors import DeliveryReason
from vigie.testing.notifier_rigs import Can, Refusal, Seen
from vigie.testing.services import Answer, Request, json_of, service_rig

_SIGNATURE = "Zm9vYmFyYmF6cXV4c2lnbmF0dXJl"
_PATH = f"/workflows/0f1e2d3c4b5a69788796a5b4c3d2e1f0/triggers/manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers&sv=1.0&sig={_SIGNATURE}"
_MARKDOWN_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def _no(status: int, code: str, message: str = "…") -> Answer:
    return Answer(status, {"error": {"code": code, "message": message}})


class Workflow:
    kind = "teams"
    secrets = (_SIGNATURE, "0f1e2d3c4b5a69788796a5b4c3d2e1f0")
    can = frozenset((Can.NETWORK, Can.WHOLE))
    refusals = MappingProxyType(
        {
            "off": Refusal(DeliveryReason.RECIPIENT, True, None, _no(400, "WorkflowTriggerIsNotEnabled")),
            "gone": Refusal(DeliveryReason.RECIPIENT, True, None, _no(404, "WorkflowNotFound")),
            "signature": Refusal(DeliveryReason.AUTH, True, None, _no(401, "DirectApiAuthorizationRequired")),
            "busy": Refusal(DeliveryReason.RATE_LIMIT, False, None, _no(429, "TooManyRequests")),
            "schema": Refusal(DeliveryReason.REJECTED, True, None, _no(400, "TriggerInputSchemaMismatch")),
        }
    )

    def __init__(self) -> None:
        self.room = Room()

    def settings(self, origin: str) -> dict[str, Any]:
        return {"url": origin + _PATH}

    def answer(self, request: Request) -> Answer:
        if request.method == "HEAD":
            return Answer(404, b"")
        if request.path != _PATH:
            return _no(401, "DirectApiAuthorizationRequired")
        if len(request.body) > 28_000:
            return _no(413, "RequestEntityTooLarge")
        body = json_of(request)
        if not isinstance(body, dict) or body.get("type") != "message":
            return _no(400, "TriggerInputSchemaMismatch")
        self.room.posts[str(self.room.next())] = Post(body, request.body)
        return Answer(202, b"")

    def seen(self) -> list[Seen]:
        found = []
        for name, post in self.room.posts.items():
            card = post.body["attachments"][0]["content"]
            words, marked = list[str](), list[str]()
            for block in card["body"]:
                # A TextBlock knows Markdown, a RichTextBlock knows none.
                (marked if block["type"] == "TextBlock" else words).append(
                    block.get("text") or "".join(one["text"] for one in block["inlines"])
                )
            links = [action["url"] for action in card["actions"]] + [match for text in marked for match in _MARKDOWN_LINK.findall(text)]
            pings = [one["mentioned"]["id"] for one in card["msteams"].get("entities", ()) if one["text"] in "".join(marked)]
            found.append(Seen("\n".join([*words, *marked]), "", post.raw, name, "", tuple(pings), tuple(links)))
        return found

    def forget(self) -> None:
        self.room.posts.clear()


RIGS = {"workflow": lambda folder: service_rig(Workflow())}

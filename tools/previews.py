"""Draws the payloads of chats as HTML, near enough to how each service shows them: Slack's Block Kit, Teams' Adaptive Cards, Discord's embeds.

An approximation for looking at layouts (docs/messages.md); what a service really makes of a payload, it alone knows.
"""

import re
from collections.abc import Callable
from html import escape
from typing import Any

STYLE = """
* { box-sizing: border-box } body { margin: 0; padding: 20px; line-height: 1.45 } p { margin: 0 0 6px } a { color: inherit }
.message { display: grid; grid-template-columns: 36px 1fr; gap: 10px; margin: 0 0 20px } .who { font-weight: 700; margin: 0 0 4px }
.who span { font-weight: 400; font-size: 12px; opacity: .7; margin-left: 6px } .face { width: 36px; height: 36px; border-radius: 8px;
background: #1f5fcc; color: #fff; font-weight: 700; display: grid; place-items: center } .buttons { margin: 8px 0 0 }
.buttons a { display: inline-block; border: 1px solid #98a2b3; border-radius: 4px; padding: 6px 12px; margin: 0 8px 6px 0; text-decoration: none;
font-weight: 600; font-size: 14px } code { font-size: 12px } .body { overflow-wrap: anywhere; min-width: 0 }
.slack { font: 15px/1.46 Lato, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif; color: #1d1c1d; background: #fff }
.slack h3 { font-size: 18px; margin: 0 0 6px } .slack .context { font-size: 12px; color: #616061 } .slack .section { margin: 0 0 8px }
.slack code { color: #e01e5a; background: #f8f8f8; border: 1px solid #ddd; border-radius: 3px; padding: 0 3px } .slack a { color: #1264a3 }
.teams { font: 14px/1.4 'Segoe UI', system-ui, Arial, 'DejaVu Sans', sans-serif; color: #242424; background: #f5f5f5 }
.teams .card { background: #fff; border: 1px solid #e0e0e0; border-radius: 6px; padding: 12px 16px } .teams .line { margin: 4px 0 }
.teams .separator { border-top: 1px solid #e0e0e0; padding-top: 8px; margin-top: 10px } .teams .subtle { color: #616161 }
.discord { font: 15px/1.375 'gg sans', 'Noto Sans', Helvetica, Arial, 'DejaVu Sans', sans-serif; color: #dbdee1; background: #313338 }
.discord .embed { background: #2b2d31; border-left: 4px solid; border-radius: 4px; padding: 10px 14px; font-size: 14px }
.discord h3 { font-size: 15px; margin: 0 0 6px; color: #f2f3f5 } .discord a { color: #00a8fc } .discord time { font-size: 12px; color: #949ba4 }
"""
_TEAMS = {"Attention": "#c4314b", "Warning": "#b25500", "Good": "#13794a", "Default": "#242424"}


def page(service: str, messages: list[str]) -> str:
    """One conversation."""
    shown = "".join(
        f'<div class="message"><div class="face">V</div><div class="body"><p class="who">Vigie<span>APP</span></p>{one}</div></div>'
        for one in messages
    )
    return f'<!doctype html><meta charset="utf-8"><style>{STYLE}</style><body class="{service}">{shown}</body>'


def slack(payload: dict[str, Any]) -> str:
    """Header, sections, buttons, context: https://docs.slack.dev/reference/block-kit/blocks."""
    return "".join(_block(one) for one in payload["blocks"])


def _block(block: dict[str, Any]) -> str:
    match block["type"]:
        case "header":
            return f"<h3>{escape(block['text']['text'])}</h3>"
        case "section":
            return f'<div class="section">{_mrkdwn(block["text"]["text"])}</div>'
        case "context":
            return f'<div class="context">{"".join(_mrkdwn(one["text"]) for one in block["elements"])}</div>'
        case "actions":
            return _buttons([one["text"]["text"] for one in block["elements"]])
        case other:
            raise ValueError(f"no preview of Slack's block {other}")


def _mrkdwn(text: str) -> str:
    """Slack's markup, whose own escapes are HTML's."""
    text = re.sub(r"<(https?://[^|>]+)\|([^>]+)>", r'<a href="\1">\2</a>', text)
    text = re.sub(r"`([^`\n]+)`", r"<code>\1</code>", text)
    text = re.sub(r"(?m)^_(.+)_$", r"<em>\1</em>", text)
    return text.replace("\n", "<br>")


def teams(payload: dict[str, Any]) -> str:
    """RichTextBlocks and actions: https://adaptivecards.io/explorer/RichTextBlock.html."""
    card = payload["attachments"][0]["content"]
    lines = "".join(_rich(one) for one in card["body"])
    return f'<div class="card">{lines}{_buttons([one["title"] for one in card.get("actions", ())])}</div>'


def _rich(block: dict[str, Any]) -> str:
    if block["type"] != "RichTextBlock":
        raise ValueError(f"no preview of the card's element {block['type']}")
    runs = "".join(_run(one) for one in block["inlines"])
    return f'<div class="line{" separator" if block.get("separator") else ""}">{runs}</div>'


def _run(run: dict[str, Any]) -> str:
    style = [f"color:{_TEAMS[run['color']]}"] if run.get("color", "Default") != "Default" else []
    style += [f"font-size:{size}px" for size in (17 if run.get("size") == "Large" else 12 if run.get("size") == "Small" else 0,) if size]
    style += ["font-weight:600"] if run.get("weight") == "Bolder" else []
    style += ["font-style:italic"] if run.get("italic") else []
    subtle = ' class="subtle"' if run.get("isSubtle") else ""
    return f'<span{subtle} style="{";".join(style)}">{escape(run["text"])}</span>'


def discord(payload: dict[str, Any]) -> str:
    """An embed: https://discord.com/developers/docs/resources/message#embed-object."""
    embed = payload["embeds"][0]
    title, text = _markdown(embed["title"]), _markdown(embed.get("description", ""))
    return f'<div class="embed" style="border-color:#{embed["color"]:06x}"><h3>{title}</h3>{text}<p><time>{embed["timestamp"][:16].replace("T", " ")}</time></p></div>'


def _markdown(text: str) -> str:
    """The part of Discord's markdown that Vigie writes: bold, italic, links, and escapes."""
    held: list[str] = []

    def hold(match: re.Match[str]) -> str:
        held.append(escape(match[1]))
        return f"\0{len(held) - 1}\0"

    text = escape(re.sub(r"\\([^\w\s])", hold, text), quote=False)
    text = re.sub(r"\[([^\]\n]+)\]\((https?://[^)\s]+)\)", r'<a href="\2">\1</a>', text)
    text = re.sub(r"\*\*([^*\n]+)\*\*", r"<b>\1</b>", text)
    text = re.sub(r"\*([^*\n]+)\*", r"<em>\1</em>", text)
    return re.sub(r"\0(\d+)\0", lambda match: held[int(match[1])], text).replace("\n", "<br>")


def _buttons(labels: list[str]) -> str:
    return f'<p class="buttons">{"".join(f"<a>{escape(one)}</a>" for one in labels)}</p>' if labels else ""


DRAW: dict[str, Callable[[dict[str, Any]], str]] = {"slack": slack, "teams": teams, "discord": discord}

"""Who is on call from now on. `report.handover` fills it."""

from vigie.text import Pair

LABELS: dict[str, Pair] = {
    "takes": (
        "{takes} est d'astreinte ({rotation}) depuis le {begin}, après {leaves}.",
        "{takes} is on call ({rotation}) from {begin}, taking over from {leaves}.",
    ),
    "until": ("Prochaine relève : le {end} (après {length}).", "Next hand-over: {end} (after {length})."),
    "gone": ("Astreinte {rotation} : relève", "On call ({rotation}): hand-over"),
    "footer": ("Vigie · à tout moment : vigie oncall", "Vigie · at any time: vigie oncall"),
}

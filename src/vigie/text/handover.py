"""Who is on call from now on. `report.handover` fills it."""

from vigie.text import Pair

HEADLINE: Pair = (
    "📟 Astreinte {rotation} : {takes} remplace {leaves}",
    "📟 On call ({rotation}): {takes} takes over from {leaves}",
)
LABELS: dict[str, Pair] = {
    "takes": (
        "{takes} est d'astreinte ({rotation}) depuis le {begin}, après {leaves}.",
        "{takes} is on call ({rotation}) from {begin}, taking over from {leaves}.",
    ),
    "until": ("Prochaine relève : le {end} (après {length}).", "Next hand-over: {end} (after {length})."),
    "gone": ("Astreinte {rotation} : relève", "On call ({rotation}): hand-over"),
    "footer": ("Vigie · qui est d'astreinte : vigie oncall", "Vigie · who is on call: vigie oncall"),
}

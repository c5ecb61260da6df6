"""The report on how available everything was in a week or month. `report.availability` fills it."""

from vigie.text import Pair

HEADLINE: Pair = ("📊 Disponibilité, {period} : {share} ({monitors})", "📊 Availability, {period}: {share} ({monitors})")
LABELS: dict[str, Pair] = {
    "week": ("semaine {number} de {year}", "week {number} of {year}"),
    "month": ("{month} {year}", "{month} {year}"),
    "span": ("Du {start} au {end} inclus.", "From {start} to {end} inclusive."),
    "all_well": ("Aucune panne.", "No outages."),
    "all_down": (
        "{outages}, {down} au total ; la plus longue : {longest} ({name}).",
        "{outages}, {down} in total; the longest: {longest} ({name}).",
    ),
    "worst": ("Le moins disponible : {name}, {share}.", "Least available: {name}, {share}."),
    "left_out": (
        "Le temps pendant lequel Vigie n'a pas pu contrôler ne compte pas : jusqu'à {blind} par service.",
        "Time in which Vigie could not check does not count: up to {blind} per monitor.",
    ),
    "maintained": (
        "Le temps de maintenance ne compte pas : jusqu'à {maintenance} par service.",
        "Time under maintenance does not count: up to {maintenance} per monitor.",
    ),
    "one_maintained": ("en maintenance pendant {maintenance}", "under maintenance for {maintenance}"),
    "one_well": ("{name} : aucune panne", "{name}: no outages"),
    "one_down": ("{name} : {outages}, {down} au total", "{name}: {outages}, {down} in total"),
    "one_longest": ("la plus longue {longest}", "the longest {longest}"),
    "one_unseen": ("{name} : non observé", "{name}: not observed"),
    "one_blind": ("non observé pendant {blind}", "not observed for {blind}"),
    "one_since": ("surveillé depuis le {since}", "monitored since {since}"),
    "footer": (
        "Vigie · {thread} · à tout moment : vigie incidents uptime",
        "Vigie · {thread} · at any time: vigie incidents uptime",
    ),
}
# The line for all monitors that have no line of their own.
OTHERS_WELL: Pair = ("et {monitors} de plus : aucune panne", "and {monitors} more: no outages")
OTHERS_DOWN: Pair = ("et {monitors} de plus : {outages}, {down} au total", "and {monitors} more: {outages}, {down} in total")

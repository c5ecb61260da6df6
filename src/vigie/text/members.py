"""The messages about an alert of several services, and their facts. `report.members` and `report.together` fill them.

`{who}` is `512 services at 192.0.2.7`, `{tie}` what they have in common (` at 192.0.2.7`, with its space, or nothing).
"""

from vigie.core.notification import NoticeReason
from vigie.text import Pair, Plural

# What the services of an alert have in common, by the kind of tie.
TIES: dict[str, Pair] = {
    "address": ("à l'adresse {value}", "at {value}"),
    "host": ("sur l'hôte {value}", "on {value}"),
    "network": ("du réseau {value}", "on the network {value}"),
    "certificate": ("avec le certificat de {value}", "with the certificate of {value}"),
    "resolver": ("via le résolveur {value}", "resolved by {value}"),
    "zone": ("de la zone {value}", "in the zone {value}"),
    "upstream": ("derrière {value}", "behind {value}"),
    "parent": ("dépendant de {value}", "depending on {value}"),
}
# The same for a first line.
SHORT_TIES: dict[str, Pair] = {**TIES, "address": ("sur {value}", "at {value}"), "host": ("sur {value}", "on {value}")}
WHO: Pair = ("{count} services{tie}", "{count} services{tie}")
MOSTLY: Pair = ("surtout {what}", "mostly {what}")
MORE_NAMES: Plural = (("{names} et {count} autre", "{names} et {count} autres"), ("{names} and {count} more", "{names} and {count} more"))
LAST_NAME: Pair = ("{names} et {last}", "{names} and {last}")

HEADLINES: dict[NoticeReason, Pair] = {
    NoticeReason.OPENED: ("{mark} {name} : {what} depuis {since}", "{mark} {name}: {what} since {since}"),
    NoticeReason.RECOVERED: ("🟢 {name} : rétablis après {lasted} ({what})", "🟢 {name}: recovered after {lasted} ({what})"),
    NoticeReason.CLOSED: (
        "⚪ {name} : incidents clos par {by} après {lasted}",
        "⚪ {name}: incidents closed by {by} after {lasted}",
    ),
    NoticeReason.REMINDER: (
        "{mark} {name} : {what} depuis {lasted}, alerte non acquittée",
        "{mark} {name}: {what} for {lasted}, not acknowledged",
    ),
    NoticeReason.ACKNOWLEDGED: (
        "{mark} {name} : {what} depuis {since}, alerte acquittée",
        "{mark} {name}: {what} since {since}, acknowledged",
    ),
}
# Of an alert that is followed: by how many joined, and how many recovered since the last notice.
JOINED: Plural = (
    (
        "{mark} {joined} service de plus touché{tie}, {count} en tout : {what}",
        "{mark} {joined} services de plus touchés{tie}, {count} en tout : {what}",
    ),
    (
        "{mark} {joined} more service affected{tie}, {count} in all: {what}",
        "{mark} {joined} more services affected{tie}, {count} in all: {what}",
    ),
)
BACK: Plural = (
    (
        "{mark} {back} service rétabli{tie}, {open} encore {state} : {what}",
        "{mark} {back} services rétablis{tie}, {open} encore {state} : {what}",
    ),
    (
        "{mark} {back} service{tie} recovered, {open} still {state}: {what}",
        "{mark} {back} services{tie} recovered, {open} still {state}: {what}",
    ),
)
JOINED_AND_BACK: Plural = (
    (
        "{mark} {joined} service de plus touché{tie} (rétablis : {back}), {open} encore {state}",
        "{mark} {joined} services de plus touchés{tie} (rétablis : {back}), {open} encore {state}",
    ),
    (
        "{mark} {joined} more service affected{tie}, {back} recovered, {open} still {state}",
        "{mark} {joined} more services affected{tie}, {back} recovered, {open} still {state}",
    ),
)

DOWN: Pair = ("en panne", "down")
DEGRADED: Plural = (("dégradé", "dégradés"), ("degraded", "degraded"))
STILL: Pair = (
    "{mark} {name} : {what}, {open} encore {state}",
    "{mark} {name}: {what}, {open} still {state}",
)

LABELS: dict[str, Pair] = {
    "scope": ("{who} sont en panne {since} : {names}.", "{who} have been down {since}: {names}."),
    "scope_degraded": ("{who} sont dégradés {since} : {names}.", "{who} have been degraded {since}: {names}."),
    "scope_over": ("{who} ont été en panne {span} : {names}.", "{who} were down {span}: {names}."),
    "scope_over_degraded": ("{who} ont été dégradés {span} : {names}.", "{who} were degraded {span}: {names}."),
    "observed": ("Observé : {what} [{facts}].", "Observed: {what} [{facts}]."),
    "closed": ("{who} : incidents clos par {by}.", "{who}: incidents closed by {by}."),
    "recovered": (
        "Les {who} répondent de nouveau comme attendu {since} : {names}.",
        "All {who} have responded as expected again {since}: {names}.",
    ),
    "fine_again": (
        "Les {who} fonctionnent de nouveau normalement {since} : {names}.",
        "All {who} have been working normally again {since}: {names}.",
    ),
    "so_far": ("Déjà rétablis : {back} sur {count} ({names}).", "Recovered so far: {back} of {count} ({names})."),
    "of_each": ("{what} ({count})", "{what} ({count})"),
}
JOINED_LINE: Plural = (
    ("{joined} service de plus est touché {since} : {names}.", "{joined} services de plus sont touchés {since} : {names}."),
    ("{joined} more service has been affected {since}: {names}.", "{joined} more services have been affected {since}: {names}."),
)
BACK_LINE: Plural = (
    ("{back} service est rétabli {since} : {names}.", "{back} services sont rétablis {since} : {names}."),
    ("{back} service has recovered {since}: {names}.", "{back} services have recovered {since}: {names}."),
)
STATE_LINE: Plural = (
    ("En tout, {count} services{tie} ont été touchés ; {open} est encore {state}.",
     "En tout, {count} services{tie} ont été touchés ; {open} sont encore {state}."),
    ("In all, {count} services{tie} were affected; {open} is still {state}.",
     "In all, {count} services{tie} were affected; {open} are still {state}."),
)  # fmt: skip

ALL_LINE: Pair = ("En tout, {count} services{tie} sont {state}.", "In all, {count} services{tie} are {state}.")

# The list of services.
ROSTER: Pair = ("Services touchés ({count})", "Services affected ({count})")
ROSTER_MORE: Plural = (("et {count} autre", "et {count} autres"), ("and {count} more", "and {count} more"))
DOWN_SINCE: Pair = ("en panne {since}", "down {since}")
DEGRADED_SINCE: Pair = ("dégradé {since}", "degraded {since}")
BACK_AT: Pair = ("rétabli {at}", "recovered {at}")

# Facts, and what the column of kinds calls them.
KIND: Pair = ("services touchés", "services")
COUNT: Pair = ("{count} services{tie} sont touchés : {what}.", "{count} services{tie} are affected: {what}.")
COUNT_ALONE: Pair = ("{count} services{tie} sont touchés.", "{count} services{tie} are affected.")
OF_CAUSE: Plural = (
    ("{count} de ces services est touché : {what}.", "{count} de ces services sont touchés : {what}."),
    ("{count} of these services is affected: {what}.", "{count} of these services are affected: {what}."),
)
TIMES: Pair = (
    "Le premier échec de ces services date de {first}, le plus récent de {last}.",
    "The first failure of these services was at {first}, the latest at {last}.",
)
ONE_TIME: Pair = ("Le premier échec de ces services date de {first}.", "The first failure of these services was at {first}.")
NAMES: Pair = ("Parmi ces services : {names}.", "Among these services: {names}.")

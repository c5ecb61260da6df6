"""The page's words in French and English; the two tables have the same keys (a test holds them equal)."""

import unicodedata

from vigie.text.words import duration
from vigie.web.view import State

# A pair is singular and plural, chosen by `count`.
Words = dict[str, str | tuple[str, str]]

WORDS: dict[str, Words] = {
    "en": {
        "title": "Vigie – status",
        "other": "Français",
        "all_up": "Every service answers",
        "nothing": "No service is watched",
        "waiting": "Waiting for the first checks",
        "some_down": ("{count} of {total} is down", "{count} of {total} are down"),
        "some_suspected": (
            "{count} of {total} failed its last check; not confirmed yet",
            "{count} of {total} failed their last checks; not confirmed yet",
        ),
        "some_degraded": ("{count} of {total} is degraded", "{count} of {total} are degraded"),
        "some_recovering": ("{count} of {total} is recovering", "{count} of {total} are recovering"),
        "some_unknown": ("{count} of {total} could not be checked", "{count} of {total} could not be checked"),
        "some_none": ("{count} of {total} waits for its first check", "{count} of {total} wait for their first check"),
        "total": ("{count} service", "{count} services"),
        "services": "Services",
        "service": "Service",
        "state": "State",
        "answer": "Answer",
        "since": "Checked",
        "incidents": "Recent incidents",
        "no_incidents": "No incident on record.",
        "open": "open for {duration}",
        "lasted": "lasted {duration}",
        "began": "Began",
        "acked": "acknowledged by {by}",
        "closed": "closed by {by}",
        "unsent": ("{count} notice still to be sent", "{count} notices still to be sent"),
        "buried": (
            "{count} notice could not be delivered: see vigie incidents list",
            "{count} notices could not be delivered: see vigie incidents list",
        ),
        "stalled": "No result comes in: Vigie itself needs attention",
        "refresh": "As of {time}. This page is read-only and renews itself every 10 seconds.",
        "ago": "{duration} ago",
        "ask_title": "Did the analysis help?",
        "ask_incident": "{name}: incident {incident}, since {time}",
        "ask_by": "What {model} wrote",
        "ask_none": "No analysis of this incident is on record.",
        "ask_helped": "👍 It helped",
        "ask_misled": "👎 It misled",
        "ask_cause": "The real cause, if it is known",
        "ask_cause_how": "One of the list, or your own words.",
        "ask_note": "A note for the next time",
        "ask_send": "Send",
        "ask_kept": "This is kept with the incident. A model that misleads too often no longer writes: it chooses, and code writes.",
        "ask_thanks": "Thank you, it is noted.",
        "ask_again": "You may close this page.",
        "ask_gone": "This link leads to nothing",
        "ask_gone_how": "It is incomplete, or its incident is no longer on record.",
        "ask_bad": "Say whether the analysis helped, and keep the texts short.",
        "ask_enough": "Enough was said of this incident. On Vigie's machine, vigie incidents resolve {incident} takes more.",
        "ask_later": "It could not be kept right now: please try again in a minute.",
        State.UP: "up",
        State.DEGRADED: "degraded",
        State.DOWN: "down",
        State.SUSPECTED: "failing?",
        State.RECOVERING: "recovering",
        State.UNKNOWN: "unknown",
        State.NONE: "not checked yet",
    },
    "fr": {
        "title": "Vigie – état",
        "other": "English",
        "all_up": "Tous les services répondent",
        "nothing": "Aucun service n'est surveillé",
        "waiting": "En attente des premiers contrôles",
        "some_down": ("{count} service sur {number} est en panne", "{count} services sur {number} sont en panne"),
        "some_suspected": (
            "{count} service sur {number} a échoué à son dernier contrôle, à confirmer",
            "{count} services sur {number} ont échoué à leur dernier contrôle, à confirmer",
        ),
        "some_degraded": ("{count} service sur {number} est dégradé", "{count} services sur {number} sont dégradés"),
        "some_recovering": ("{count} service sur {number} se rétablit", "{count} services sur {number} se rétablissent"),
        "some_unknown": (
            "{count} service sur {number} n'a pas pu être contrôlé",
            "{count} services sur {number} n'ont pas pu être contrôlés",
        ),
        "some_none": (
            "{count} service sur {number} attend son premier contrôle",
            "{count} services sur {number} attendent leur premier contrôle",
        ),
        "total": ("{count} service", "{count} services"),
        "services": "Services",
        "service": "Service",
        "state": "État",
        "answer": "Réponse",
        "since": "Contrôlé",
        "incidents": "Incidents récents",
        "no_incidents": "Aucun incident enregistré.",
        "open": "en cours depuis {duration}",
        "lasted": "a duré {duration}",
        "began": "Début",
        "acked": "acquitté par {by}",
        "closed": "clos par {by}",
        "unsent": ("{count} avis encore à envoyer", "{count} avis encore à envoyer"),
        "buried": (
            "{count} avis n'a pas pu être remis : voir vigie incidents list",
            "{count} avis n'ont pas pu être remis : voir vigie incidents list",
        ),
        "stalled": "Plus aucun résultat n'arrive : c'est Vigie elle-même qu'il faut regarder",
        "refresh": "État à {time}. Cette page est en lecture seule et se renouvelle toutes les 10 secondes.",
        "ago": "il y a {duration}",
        "ask_title": "L'analyse a-t-elle aidé ?",
        "ask_incident": "{name} : incident {incident}, depuis {time}",
        "ask_by": "Ce que {model} a écrit",
        "ask_none": "Aucune analyse de cet incident n'est enregistrée.",
        "ask_helped": "👍 Elle a aidé",
        "ask_misled": "👎 Elle a trompé",
        "ask_cause": "La vraie cause, si elle est connue",
        "ask_cause_how": "Une de la liste, ou vos propres mots.",
        "ask_note": "Une note pour la prochaine fois",
        "ask_send": "Envoyer",
        "ask_kept": "Ceci est gardé avec l'incident. Un modèle qui trompe trop souvent n'écrit plus : il choisit, et le code écrit.",
        "ask_thanks": "Merci, c'est noté.",
        "ask_again": "Vous pouvez fermer cette page.",
        "ask_gone": "Ce lien ne mène à rien",
        "ask_gone_how": "Il est incomplet, ou son incident n'est plus enregistré.",
        "ask_bad": "Dites si l'analyse a aidé, et restez bref dans les textes.",
        "ask_enough": "Assez a été dit de cet incident. Sur la machine de Vigie, vigie incidents resolve {incident} en prend davantage.",
        "ask_later": "Ce n'a pas pu être gardé à l'instant : réessayez dans une minute.",
        State.UP: "en service",
        State.DEGRADED: "dégradé",
        State.DOWN: "en panne",
        State.SUSPECTED: "en échec ?",
        State.RECOVERING: "se rétablit",
        State.UNKNOWN: "inconnu",
        State.NONE: "pas encore contrôlé",
    },
}
_JOINERS = "\u200c\u200d"  # needed by some scripts and by composed emoji


def say(language: str, key: str, **values: object) -> str:
    """A text in the reader's language; of a pair, the singular for one (in French for none too)."""
    found = WORDS[language][key]
    if isinstance(found, tuple):
        count = values["count"]
        found = found[0 if count == 1 or (count == 0 and language == "fr") else 1]
    return found.format(**values)


def span(ms: int, language: str) -> str:
    """A duration in its two largest units: `45 s`, `2 h 05 min`, `3 d 4 h` or, in French, `3 j 4 h`."""
    return duration(ms, language)


def latency(ms: float, language: str) -> str:
    """`12 ms`, `2,312 ms` (in French `2 312 ms`), and from ten seconds on `10.0 s` (`10,0 s`)."""
    if ms < 9_999.5:
        text = f"{ms:,.0f} ms"
        return text.replace(",", "\u202f") if language == "fr" else text
    text = f"{ms / 1000:.1f} s"
    return text.replace(".", ",") if language == "fr" else text


def shown(text: str) -> str:
    """A name or address without what could turn the line around or hide in it: control, invisible and bidirectional characters."""
    return "".join(char for char in text if char in _JOINERS or unicodedata.category(char) not in ("Cc", "Cf", "Cs"))

"""The page's words in French and English; the two tables have the same keys (a test holds them equal)."""

from vigie.core.model import Status

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "title": "Vigie – status",
        "all_up": "Every service answers",
        "some_down": "{count} of {total} services down",
        "some_degraded": "{count} of {total} services degraded",
        "some_unknown": "{count} of {total} services could not be checked",
        "waiting": "Waiting for the first checks",
        "service": "Service",
        "state": "State",
        "answer": "Answer",
        "since": "Checked",
        "incidents": "Recent incidents",
        "no_incidents": "No incident on record.",
        "open": "open",
        "lasted": "lasted {duration}",
        "started": "Start",
        "cause": "Cause",
        "unsent": "{count} notice(s) still to be sent",
        "buried": "{count} notice(s) could not be delivered",
        "stalled": "No result comes in: Vigie itself needs attention",
        "refresh": "This page is read-only and renews itself every 10 seconds.",
        "ago": "{duration} ago",
        "own": "Vigie's own fault",
        Status.UP: "up",
        Status.DEGRADED: "degraded",
        Status.DOWN: "down",
        Status.UNKNOWN: "unknown",
        "none": "not checked yet",
    },
    "fr": {
        "title": "Vigie – état",
        "all_up": "Tous les services répondent",
        "some_down": "{count} service(s) sur {total} en panne",
        "some_degraded": "{count} service(s) sur {total} dégradé(s)",
        "some_unknown": "{count} service(s) sur {total} n'ont pas pu être contrôlés",
        "waiting": "En attente des premiers contrôles",
        "service": "Service",
        "state": "État",
        "answer": "Réponse",
        "since": "Contrôlé",
        "incidents": "Incidents récents",
        "no_incidents": "Aucun incident enregistré.",
        "open": "en cours",
        "lasted": "a duré {duration}",
        "started": "Début",
        "cause": "Cause",
        "unsent": "{count} avis encore à envoyer",
        "buried": "{count} avis n'ont pas pu être remis",
        "stalled": "Plus aucun résultat n'arrive : Vigie elle-même demande de l'attention",
        "refresh": "Cette page est en lecture seule et se renouvelle toutes les 10 secondes.",
        "ago": "il y a {duration}",
        "own": "faute propre à Vigie",
        Status.UP: "en service",
        Status.DEGRADED: "dégradé",
        Status.DOWN: "en panne",
        Status.UNKNOWN: "inconnu",
        "none": "pas encore contrôlé",
    },
}


def span(ms: int) -> str:
    """A duration with its two largest units, the same in both languages: `2 h 05 min`, `45 s`."""
    seconds = max(ms, 0) // 1000
    if seconds < 60:
        return f"{seconds} s"
    minutes, hours = seconds // 60, seconds // 3600
    if minutes < 60:
        return f"{minutes} min"
    return f"{hours} h {minutes % 60:02d} min" if hours < 48 else f"{hours} h"

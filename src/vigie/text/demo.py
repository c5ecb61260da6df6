"""The story that `vigie demo` tells."""

from vigie.text import Pair

STORY: dict[str, Pair] = {
    "name": ("Boutique", "Demo shop"),
    "opens": (
        "Un petit site de démonstration démarre sur cette machine ; Vigie le contrôle toutes les 2 secondes.",
        "A small demo site starts on this machine; Vigie checks it every 2 seconds.",
    ),
    "breaks": (
        "L'application derrière le site s'arrête : le site répond désormais 502.",
        "The site's backend stops: the site now returns 502.",
    ),
    "heals": ("L'application redémarre.", "The backend is back."),
    "end": (
        "Vous avez vu un incident complet : une alerte, puis un rétablissement. Pour continuer : vigie init, puis vigie serve.",
        "That was a complete incident: one alert, one recovery. Next: vigie init, then vigie serve.",
    ),
    "check": ("contrôle : {status}, {what} ({took})", "check: {status}, {what} ({took})"),
    "good": ("réussi", "passed"),
    "up": ("en service", "up"),
    "down": ("en panne", "down"),
    "degraded": ("dégradé", "degraded"),
    "unknown": ("inconnu", "unknown"),
    "mail": ("e-mail : {subject}", "email: {subject}"),
    "suspected": (
        "suspicion : un seul échec ne suffit pas, Vigie contrôle de nouveau chaque seconde",
        "suspected: one failure is not enough, Vigie checks again every second",
    ),
    "opened": (
        "incident {incident} : confirmé par trois échecs consécutifs, l'alerte est envoyée",
        "incident {incident}: confirmed by three consecutive failures, the alert is sent",
    ),
    "recovered": (
        "incident {incident} clos : deux contrôles consécutifs réussis",
        "incident {incident} closed: two consecutive checks passed",
    ),
}

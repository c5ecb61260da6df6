"""The post-incident report: titles, rows and sentences. `report.postmortem` fills them."""

from vigie.core.notification import NoticeReason
from vigie.text import Pair

TITLE: Pair = ("Incident {incident} : {name}", "Incident {incident}: {name}")
SECTIONS: dict[str, Pair] = {
    "summary": ("Résumé", "Summary"),
    "impact": ("Impact en chiffres", "Impact in numbers"),
    "detection": ("Détection", "Detection"),
    "timeline": ("Chronologie", "Timeline"),
    "observed": ("Ce qui a été observé", "What was observed"),
    "unknown": ("Ce qu'on ne sait pas", "What is not known"),
    "ending": ("Comment il a pris fin", "How it ended"),
    "similar": ("Incidents semblables", "Similar incidents"),
}
FOR_PEOPLE: tuple[Pair, ...] = (
    ("Cause racine", "Root cause"),
    ("Ce qui a bien ou mal fonctionné", "What went well and what did not"),
    ("Actions, avec responsable et échéance", "Action items, with owner and due date"),
)
TO_FILL: Pair = ("À compléter par l'équipe.", "To be filled in by the team.")

WAS_DOWN: Pair = ("{who} a été en panne pendant {lasted}, à partir du {at}.", "{who} was down for {lasted}, from {at}.")
WAS_DEGRADED: Pair = ("{who} a été dégradé pendant {lasted}, à partir du {at}.", "{who} was degraded for {lasted}, from {at}.")
IS_DOWN: Pair = ("{who} est en panne depuis {lasted}, à partir du {at}.", "{who} has been down for {lasted}, since {at}.")
IS_DEGRADED: Pair = ("{who} est dégradé depuis {lasted}, à partir du {at}.", "{who} has been degraded for {lasted}, since {at}.")
ANALYSIS: Pair = ("{label} : {text}", "{label}: {text}")
NOTED_CAUSE: Pair = ("Cause notée par {by} : {cause}.", "Cause noted by {by}: {cause}.")

DURATION: Pair = ("Durée", "Duration")
AVAILABILITY: Pair = ("Disponibilité sur 30 jours", "Availability over 30 days")
OBSERVED: Pair = ("{share} (observé pendant {span})", "{share} (observed for {span})")
DOWNTIME: Pair = ("Indisponibilité sur 30 jours", "Downtime over 30 days")
AFFECTED: Pair = ("Personnes et chiffre d'affaires touchés", "People and revenue affected")
AFFECTED_FILL: Pair = ("à compléter", "to fill in")

CONFIRMED_AFTER: Pair = ("Premier contrôle en échec → incident confirmé", "First failed check → incident confirmed")
ALERTED_AFTER: Pair = ("Incident confirmé → première alerte envoyée ({channel})", "Incident confirmed → first alert sent ({channel})")
ACKED_AFTER: Pair = ("Incident confirmé → acquittement", "Incident confirmed → acknowledged")

FIRST_FAILURE: Pair = ("premier contrôle en échec", "first failed check")
OPENED: Pair = ("incident confirmé", "incident confirmed")
OPENED_FLAPPING: Pair = ("incident confirmé : service instable", "incident confirmed: the service is flapping")
STEADIED: Pair = ("le service n'est plus instable : tous les contrôles échouent", "the service is no longer flapping: every check fails")
DISCLOSED: Pair = ("fin de la maintenance : incident annoncé", "maintenance over: incident announced")
WITHHELD: Pair = ("maintenance en cours : aucune alerte envoyée", "in maintenance: no alert sent")
QUIET_OVER: Pair = ("fin des heures calmes : incident annoncé", "quiet hours over: incident announced")
WITHHELD_QUIET: Pair = ("heures calmes : aucune alerte envoyée", "quiet hours: no alert sent")
ESCALATED: Pair = ("escalade, étape {number}", "escalation, step {number}")
SNOOZED: Pair = ("mis en veille par {by} jusqu'à {until}", "snoozed by {by} until {until}")
SNOOZE_ENDED: Pair = ("fin de la mise en veille", "snooze over")
REMINDED: Pair = ("rappel n° {number}", "reminder {number}")
ACKED: Pair = ("acquitté par {by}", "acknowledged by {by}")
RECOVERED: Pair = ("le service répond de nouveau comme attendu", "the service responds as expected again")
CLOSED: Pair = ("clos par {by}", "closed by {by}")
SENT: Pair = ("{what} : envoi par {channel}", "{what}: sent by {channel}")
NOT_SENT: Pair = ("{what} : échec de l'envoi par {channel} ({failure})", "{what}: sending by {channel} failed ({failure})")
DROPPED: Pair = ("{what} : envoi par {channel} annulé par {by}", "{what} to {channel} dropped by {by}")
NOTICES: dict[str, Pair] = {
    NoticeReason.OPENED: ("alerte", "alert"),
    NoticeReason.FLAPPING: ("alerte (service instable)", "alert (flapping)"),
    NoticeReason.DISCLOSED: ("alerte après maintenance", "alert after maintenance"),
    NoticeReason.QUIET_OVER: ("alerte après les heures calmes", "alert after quiet hours"),
    NoticeReason.UPDATED: ("mise à jour", "update"),
    NoticeReason.REMINDER: ("rappel", "reminder"),
    NoticeReason.ESCALATED: ("escalade", "escalation"),
    NoticeReason.ACKNOWLEDGED: ("acquittement", "acknowledgement"),
    NoticeReason.SNOOZE_ENDED: ("alerte après la mise en veille", "alert after the snooze"),
    NoticeReason.RECOVERED: ("notification du rétablissement", "recovery notice"),
    NoticeReason.STEADY: ("notification de l'échec continu", "notice of continuous failure"),
    NoticeReason.STABLE: ("notification du retour à la stabilité", "notice that it is stable again"),
    NoticeReason.CLOSED: ("notification de la clôture", "closing notice"),
    NoticeReason.EXPIRING: ("échéance proche", "expiry notice"),
    NoticeReason.RENEWED: ("notification du renouvellement", "renewal notice"),
    NoticeReason.REPORT: ("analyse", "analysis"),
    NoticeReason.UNDELIVERABLE: ("notification d'un canal en échec", "notice about a failing channel"),
}

# What would have been measured, by `report.facts.FactKind`.
EXPECTED: dict[str, Pair] = {
    "dns": ("les réponses DNS", "DNS responses"),
    "tcp": ("l'état de chaque adresse", "the state of each address"),
    "control": ("la connexion réseau de Vigie elle-même", "Vigie's own network link"),
    "http": ("la réponse HTTP", "the HTTP response"),
    "tls": ("le certificat", "the certificate"),
}
NOT_MEASURED: Pair = ("Non mesuré : {name}.", "Not measured: {name}.")
NO_CAUSE_NOTED: Pair = ("Personne n'a noté la cause réelle.", "Nobody has noted the real cause.")
NOT_SEEN: Pair = (
    "Ce qui s'est passé dans le service lui-même, que Vigie ne voit que de l'extérieur.",
    "What happened inside the service, which Vigie only sees from outside.",
)

STILL_OPEN: Pair = ("L'incident est toujours en cours.", "The incident is still open.")
ENDED: Pair = ("Le service a répondu de nouveau comme attendu le {at}.", "The service responded as expected again on {at}.")
CLOSED_BY: Pair = ("{by} a clos l'incident le {at}.", "{by} closed the incident on {at}.")
NO_SIMILAR: Pair = ("Aucun sur les 90 derniers jours.", "None in the last 90 days.")

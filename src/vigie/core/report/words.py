"""The sentences of reports in French and English. Templates take a result's `figures`; what the target wrote never stands in them."""

from collections.abc import Mapping
from datetime import datetime, tzinfo

from vigie.core.model import Cause, NoticeReason, Scalar, Severity

LANGUAGES = ("fr", "en")

# Without figures: always true of the cause.
PLAIN: dict[Cause, tuple[str, str]] = {
    Cause.DNS_NXDOMAIN: ("le nom n'existe pas", "the name does not exist"),
    Cause.DNS_SERVFAIL: ("le résolveur répond SERVFAIL", "the resolver answers SERVFAIL"),
    Cause.DNS_REFUSED: ("le résolveur refuse de répondre", "the resolver refuses to answer"),
    Cause.DNS_TIMEOUT: ("le résolveur ne répond pas à temps", "the resolver does not answer in time"),
    Cause.DNS_NO_ANSWER: ("le nom n'a pas d'adresse", "the name has no address"),
    Cause.DNS_MISMATCH: ("la réponse DNS n'est pas celle attendue", "the DNS answer is not the expected one"),
    Cause.TCP_REFUSED: ("connexion refusée", "connection refused"),
    Cause.TCP_RESET: ("connexion coupée", "connection reset"),
    Cause.TCP_UNREACHABLE: ("adresse injoignable", "address unreachable"),
    Cause.TIMEOUT_CONNECT: ("pas de connexion à temps", "no connection in time"),
    Cause.TIMEOUT_TLS: ("TLS n'aboutit pas à temps", "TLS does not finish in time"),
    Cause.TIMEOUT_FIRST_BYTE: ("aucune réponse à temps", "no answer in time"),
    Cause.TIMEOUT_TOTAL: ("la réponse ne finit pas à temps", "the answer does not end in time"),
    Cause.TLS_EXPIRED: ("certificat expiré", "certificate expired"),
    Cause.TLS_NOT_YET_VALID: ("certificat pas encore valide", "certificate not valid yet"),
    Cause.TLS_HOSTNAME: ("certificat d'un autre nom", "certificate for another name"),
    Cause.TLS_UNTRUSTED: ("certificat non reconnu", "certificate not trusted"),
    Cause.TLS_HANDSHAKE: ("négociation TLS impossible", "no TLS handshake possible"),
    Cause.TLS_EXPIRING: ("certificat bientôt expiré", "certificate expires soon"),
    Cause.TLS_WEAK: ("chiffrement obsolète", "obsolete encryption"),
    Cause.HTTP_STATUS: ("statut HTTP inattendu", "unexpected HTTP status"),
    Cause.HTTP_REDIRECT: ("redirection fautive", "faulty redirect"),
    Cause.HTTP_PROTOCOL: ("réponse HTTP malformée", "malformed HTTP answer"),
    Cause.HTTP_TRUNCATED: ("réponse tronquée", "truncated answer"),
    Cause.HTTP_EMPTY_REPLY: ("connexion fermée sans réponse", "connection closed without an answer"),
    Cause.HTTP_BLOCKED: ("la sonde est bloquée", "the probe is blocked"),
    Cause.CONTENT_MISSING: ("texte attendu absent", "expected text missing"),
    Cause.CONTENT_FORBIDDEN: ("texte interdit présent", "rejected text present"),
    Cause.CONTENT_JSON: ("réponse JSON inattendue", "unexpected JSON answer"),
    Cause.CONTENT_TYPE: ("type de contenu inattendu", "unexpected media type"),
    Cause.CONTENT_ERROR_PAGE: ("page d'erreur", "error page"),
    Cause.CONTENT_BLANK: ("page vide", "blank page"),
    Cause.CONTENT_TAMPERED: ("signes d'altération", "signs of tampering"),
    Cause.CONTENT_CHANGED: ("page très différente", "page very different"),
    Cause.LATENCY_THRESHOLD: ("réponse trop lente", "answer too slow"),
    Cause.LATENCY_ANOMALY: ("plus lent que d'habitude", "slower than usual"),
    Cause.ICMP_LOSS: ("paquets perdus", "packets lost"),
    Cause.ICMP_TIMEOUT: ("pas de réponse au ping", "no answer to ping"),
    Cause.PROTOCOL_MISMATCH: ("échange inattendu", "unexpected exchange"),
    Cause.HEARTBEAT_MISSED: ("signal manquant", "heartbeat missed"),
    Cause.HEARTBEAT_LATE: ("signal en retard", "heartbeat late"),
    Cause.HEARTBEAT_FAILED: ("tâche en échec", "job failed"),
    Cause.DOMAIN_EXPIRING: ("domaine bientôt expiré", "domain expires soon"),
    Cause.PROBE_NETWORK: ("réseau de Vigie en panne", "Vigie's own network is down"),
    Cause.PROBE_RESOLVER: ("résolveur de Vigie en panne", "Vigie's own resolver fails"),
    Cause.PROBE_ERROR: ("faute propre à Vigie", "Vigie's own fault"),
}

# With figures: the number that mattered. Used only when every figure is there.
DETAILED: dict[Cause, tuple[str, str]] = {
    Cause.TIMEOUT_CONNECT: ("aucune connexion en {limit}", "no connection within {limit}"),
    Cause.TIMEOUT_TLS: ("connexion établie, mais TLS inachevé après {limit}", "connected, but TLS unfinished after {limit}"),
    Cause.TIMEOUT_FIRST_BYTE: ("aucun octet reçu en {limit}", "no byte received within {limit}"),
    Cause.TIMEOUT_TOTAL: ("réponse commencée mais inachevée après {limit}", "answer begun but unfinished after {limit}"),
    Cause.HTTP_STATUS: ("HTTP {status} au lieu de {expected}", "HTTP {status} instead of {expected}"),
    Cause.HTTP_TRUNCATED: ("{received} octets reçus sur {announced} annoncés", "{received} bytes received of {announced} announced"),
    Cause.HTTP_REDIRECT: ("redirection refusée après {redirects} saut(s)", "redirect refused after {redirects} hop(s)"),
    Cause.CONTENT_MISSING: ("le texte « {keyword} » manque", "the text “{keyword}” is missing"),
    Cause.CONTENT_FORBIDDEN: ("le texte « {keyword} » est présent", "the text “{keyword}” is present"),
    Cause.CONTENT_JSON: ("{path} ne vérifie pas {operator} {wanted}", "{path} does not satisfy {operator} {wanted}"),
    Cause.CONTENT_TYPE: ("type de contenu autre que {expected}", "media type other than {expected}"),
    Cause.LATENCY_THRESHOLD: ("réponse en {measured_ms} ms, limite {limit_ms} ms", "answered in {measured_ms} ms, limit {limit_ms} ms"),
    Cause.TLS_EXPIRING: ("certificat valable encore {days_left} jours", "certificate valid for {days_left} more days"),
    Cause.TLS_EXPIRED: ("certificat expiré depuis {expired_days} jours", "certificate expired {expired_days} days ago"),
}


def pick(pair: tuple[str, str], language: str) -> str:
    """The text of one language out of (fr, en)."""
    return pair[0 if language == "fr" else 1]


def cause_words(cause: Cause, figures: Mapping[str, Scalar], language: str) -> str:
    """What was observed, in a few words, with its number where it is known."""
    known: dict[str, Scalar] = dict(figures)
    limit, days = figures.get("limit_ms"), figures.get("days_left")
    if isinstance(limit, int | float):
        known["limit"] = f"{limit / 1000:g} s"
    if isinstance(days, int) and days < 0:
        known["expired_days"] = -days
    if cause in DETAILED:
        try:
            return pick(DETAILED[cause], language).format_map(known)
        except KeyError:
            pass
    return pick(PLAIN[cause], language)


def duration(ms: int, language: str) -> str:
    """A span in its two largest units: `45 s`, `12 min`, `2 h 05 min`, `3 j 4 h` (fr) or `3 d 4 h` (en)."""
    seconds = max(ms, 0) // 1000
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86_400
    if seconds < 60:
        return f"{seconds} s"
    if minutes < 60:
        return f"{minutes} min"
    if hours < 48:
        return f"{hours} h {minutes % 60:02d} min"
    return f"{days} {'j' if language == 'fr' else 'd'} {hours % 24} h"


def clock_time(at: int, zone: tzinfo) -> str:
    """`14:02:05` in a zone."""
    return datetime.fromtimestamp(at / 1000, zone).strftime("%H:%M:%S")


def short_time(at: int, zone: tzinfo) -> str:
    """`14:02 UTC+1`: minutes and the offset, for the first line."""
    moment = datetime.fromtimestamp(at / 1000, zone)
    offset = moment.utcoffset()
    minutes = round(offset.total_seconds() / 60) if offset else 0
    sign, hours, rest = "+" if minutes > 0 else "-", abs(minutes) // 60, abs(minutes) % 60
    suffix = "" if minutes == 0 else f"{sign}{hours}" + (f":{rest:02d}" if rest else "")
    return f"{moment:%H:%M} UTC{suffix}"


def date_time(at: int, zone: tzinfo) -> str:
    """`2026-11-24 14:02:05`."""
    return datetime.fromtimestamp(at / 1000, zone).strftime("%Y-%m-%d %H:%M:%S")


HEADLINES: dict[NoticeReason, tuple[str, str]] = {
    NoticeReason.OPENED: (
        "{mark} {name} : {what} depuis {since} ({failures} contrôles)",
        "{mark} {name}: {what} since {since} ({failures} checks)",
    ),
    NoticeReason.DISCLOSED: (
        "{mark} {name} : {what} depuis {since}, maintenance terminée",
        "{mark} {name}: {what} since {since}, maintenance is over",
    ),
    NoticeReason.REMINDER: ("{mark} {name} : toujours {what} depuis {lasted}", "{mark} {name}: still {what} for {lasted}"),
    NoticeReason.RECOVERED: ("🟢 {name} : rétabli après {lasted}", "🟢 {name}: recovered after {lasted}"),
    NoticeReason.CLOSED: ("⚪ {name} : incident clos par {by}", "⚪ {name}: incident closed by {by}"),
    NoticeReason.REPORT: ("📝 {name} : analyse de l'incident", "📝 {name}: analysis of the incident"),
    NoticeReason.BURIED: ("⚠️ {name} : un avis n'a pas pu être remis", "⚠️ {name}: a notice could not be delivered"),
    NoticeReason.TEST: ("🔔 Essai : Vigie peut vous joindre", "🔔 Test: Vigie can reach you"),
}
MARKS = {Severity.OUTAGE: "🔴", Severity.DEGRADATION: "🟠"}

LABELS: dict[str, tuple[str, str]] = {
    "scope": ("{name} ({target}) est en panne depuis {at}.", "{name} ({target}) has been down since {at}."),
    "scope_degraded": ("{name} ({target}) est dégradé depuis {at}.", "{name} ({target}) has been degraded since {at}."),
    "observed": ("Observé : {what}.", "Observed: {what}."),
    "likely": ("Cause probable (confiance {grade}) : {cause} [{facts}].", "Likely cause ({grade} confidence): {cause} [{facts}]."),
    "unknown": ("Cause probable : les mesures ne permettent pas de la dire.", "Likely cause: the measurements do not tell."),
    "step": ("Premier geste : {step}", "First step: {step}"),
    "recovered": ("{name} ({target}) répond de nouveau depuis {at}.", "{name} ({target}) answers again since {at}."),
    "lasted": ("La panne a duré {lasted}.", "It lasted {lasted}."),
    "was": ("Ce qui avait été observé : {what}.", "What had been observed: {what}."),
    "closed": ("Incident clos par {by}.", "Incident closed by {by}."),
    "note": ("Note : {note}", "Note: {note}"),
    "reminder": (
        "Personne n'a accusé réception : vigie incidents ack {incident}",
        "Nobody acknowledged it: vigie incidents ack {incident}",
    ),
    "buried": (
        "Un canal n'a pas pris l'avis de cet incident : vigie incidents show {incident}",
        "A channel did not take this incident's notice: vigie incidents show {incident}",
    ),
    "test": (
        "Ceci est un essai demandé par vigie notify test ; aucun service n'est en panne.",
        "This is a test asked for with vigie notify test; no service is down.",
    ),
    "analysis": (
        "Analyse automatique par le modèle local {model}, vérifiée contre les mesures",
        "Automatic analysis by the local model {model}, checked against the measurements",
    ),
    "footer": (
        "Vigie · incident {incident} · détails : vigie incidents show {incident}",
        "Vigie · incident {incident} · details: vigie incidents show {incident}",
    ),
    "high": ("haute", "high"),
    "medium": ("moyenne", "medium"),
    "low": ("faible", "low"),
}


def label(name: str, language: str, /, **values: object) -> str:
    """A line of a message."""
    return pick(LABELS[name], language).format(**values)

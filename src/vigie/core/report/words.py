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
    Cause.HTTP_REDIRECT: ("redirection refusée après {hops}", "redirect refused after {hops}"),
    Cause.CONTENT_MISSING: ("le texte « {keyword} » manque", "the text “{keyword}” is missing"),
    Cause.CONTENT_FORBIDDEN: ("le texte « {keyword} » est présent", "the text “{keyword}” is present"),
    Cause.CONTENT_JSON: ("{path} ne vérifie pas {operator} {wanted}", "{path} does not satisfy {operator} {wanted}"),
    Cause.CONTENT_TYPE: ("type de contenu autre que {expected}", "media type other than {expected}"),
    Cause.LATENCY_THRESHOLD: ("réponse en {measured_ms} ms, limite {limit_ms} ms", "answered in {measured_ms} ms, limit {limit_ms} ms"),
    Cause.LATENCY_ANOMALY: (
        "plus lent que d'habitude ({phase} : {measured_ms} ms au lieu de {usual_ms} ms)",
        "slower than usual ({phase}: {measured_ms} ms instead of {usual_ms} ms)",
    ),
    Cause.CONTENT_CHANGED: ("page très différente de ce qu'elle était ({signs})", "page very different from what it was ({signs})"),
    Cause.TLS_EXPIRING: ("certificat valable encore {days}", "certificate valid for another {days}"),
    Cause.TLS_EXPIRED: ("certificat expiré depuis {days}", "certificate expired {days} ago"),
    Cause.ICMP_LOSS: ("{loss_percent} % des pings perdus, sur {sent} envoyés", "{loss_percent} % of pings lost, of {sent} sent"),
    Cause.ICMP_TIMEOUT: ("aucune réponse à {sent} pings", "no answer to {sent} pings"),
    Cause.DOMAIN_EXPIRING: ("domaine enregistré encore {days}", "domain registered for another {days}"),
}

# Of several addresses some are dead, though the service works by another: by `address`, `dead` and `addresses`, or by `family`.
SOME_DEAD: dict[Cause, tuple[str, str]] = {
    Cause.TCP_REFUSED: (
        "{address} refuse la connexion ({dead} sur {addresses})",
        "{address} refuses the connection ({dead} of {addresses})",
    ),
    Cause.TIMEOUT_CONNECT: ("{address} ne répond pas ({dead} sur {addresses})", "{address} does not answer ({dead} of {addresses})"),
    Cause.TCP_UNREACHABLE: ("{address} est injoignable ({dead} sur {addresses})", "{address} is unreachable ({dead} of {addresses})"),
}
FAMILY_DEAD = ("aucune adresse {family} ne fonctionne ({address})", "no {family} address works ({address})")

# For the first line, where every character counts and the configuration's own texts have no place.
SHORT: dict[Cause, tuple[str, str]] = {
    Cause.TIMEOUT_CONNECT: ("pas de connexion en {limit}", "no connection in {limit}"),
    Cause.TIMEOUT_TLS: ("TLS inachevé après {limit}", "TLS unfinished after {limit}"),
    Cause.TIMEOUT_FIRST_BYTE: ("aucune réponse en {limit}", "no answer in {limit}"),
    Cause.TIMEOUT_TOTAL: ("réponse inachevée après {limit}", "answer unfinished after {limit}"),
    Cause.HTTP_STATUS: ("HTTP {status}", "HTTP {status}"),
    Cause.LATENCY_THRESHOLD: ("réponse en {measured_ms} ms", "answer in {measured_ms} ms"),
    Cause.LATENCY_ANOMALY: ("{phase} : {measured_ms} ms", "{phase}: {measured_ms} ms"),
    Cause.TLS_EXPIRING: ("certificat valable encore {days}", "certificate ends in {days}"),
    Cause.TLS_EXPIRED: ("certificat expiré", "certificate expired"),
    Cause.ICMP_LOSS: ("{loss_percent} % des pings perdus", "{loss_percent} % of pings lost"),
    Cause.DOMAIN_EXPIRING: ("domaine valable encore {days}", "domain ends in {days}"),
}

# Where a figure tells which kind of check it was, these come before the tables above: (figure, cause) to the words.
OF_KIND: dict[tuple[str, Cause], tuple[str, str]] = {
    ("authority", Cause.TLS_UNTRUSTED): (
        "une autorité de la chaîne est révoquée depuis {revoked}",
        "an authority of the chain was revoked {revoked} ago",
    ),
    ("authority", Cause.TLS_EXPIRING): (
        "une autorité de la chaîne n'est plus valable que {days}",
        "an authority of the chain is valid for another {days}",
    ),
    ("authority", Cause.TLS_WEAK): ("une autorité de la chaîne est obsolète", "an authority of the chain is obsolete"),
    ("revoked_days", Cause.TLS_UNTRUSTED): ("certificat révoqué depuis {revoked}", "certificate revoked {revoked} ago"),
    ("fingerprint", Cause.TLS_UNTRUSTED): ("le certificat n'est pas celui qui est épinglé", "the certificate is not the pinned one"),
    ("wanted", Cause.PROTOCOL_MISMATCH): ("réponse autre que « {wanted} »", "an answer other than “{wanted}”"),
    ("refused", Cause.PROTOCOL_MISMATCH): ("le service refuse l'échange", "the service refuses the exchange"),
    ("foreign", Cause.PROTOCOL_MISMATCH): ("ce qui répond parle un autre protocole", "what answers speaks another protocol"),
    ("answers", Cause.DNS_NO_ANSWER): ("le nom n'a pas d'enregistrement de ce type", "the name has no record of that type"),
    ("nonsense", Cause.DNS_SERVFAIL): ("le serveur DNS répond de travers", "the DNS server answers with nonsense"),
    ("dnssec_fault", Cause.DNS_MISMATCH): ("signature DNSSEC absente ou non valable", "DNSSEC signature missing or not valid"),
    ("differing", Cause.DNS_MISMATCH): (
        "serveurs de la zone en désaccord ou muets : {differing} sur {servers}",
        "servers of the zone that differ or are silent: {differing} of {servers}",
    ),
    ("differing", Cause.DNS_TIMEOUT): (
        "aucun serveur de la zone ne répond ({servers} interrogés)",
        "no server of the zone answers ({servers} asked)",
    ),
    ("differing", Cause.DNS_REFUSED): (
        "aucun serveur ne sert la zone ({servers} interrogés)",
        "no server serves the zone ({servers} asked)",
    ),
    ("differing", Cause.DNS_SERVFAIL): (
        "aucun serveur ne sert la zone ({servers} interrogés)",
        "no server serves the zone ({servers} asked)",
    ),
    ("state", Cause.DOMAIN_EXPIRING): ("l'enregistrement du domaine a expiré", "the domain's registration has lapsed"),
    ("state", Cause.DNS_NXDOMAIN): ("le registre a retiré le domaine du DNS", "the registry has taken the domain out of the DNS"),
    ("expired_days", Cause.DOMAIN_EXPIRING): ("domaine expiré depuis {expired}", "domain expired {expired} ago"),
    ("registry", Cause.DNS_NXDOMAIN): ("le domaine n'est pas enregistré", "the domain is not registered"),
}
OF_KIND_SHORT: dict[tuple[str, Cause], tuple[str, str]] = {
    ("revoked_days", Cause.TLS_UNTRUSTED): ("certificat révoqué", "certificate revoked"),
    ("fingerprint", Cause.TLS_UNTRUSTED): ("certificat non épinglé", "certificate not the pinned one"),
    ("refused", Cause.PROTOCOL_MISMATCH): ("échange refusé", "exchange refused"),
    ("foreign", Cause.PROTOCOL_MISMATCH): ("autre protocole", "another protocol"),
    ("answers", Cause.DNS_NO_ANSWER): ("pas d'enregistrement", "no such record"),
    ("nonsense", Cause.DNS_SERVFAIL): ("réponse DNS illisible", "DNS answer unreadable"),
    ("dnssec_fault", Cause.DNS_MISMATCH): ("DNSSEC non valable", "DNSSEC not valid"),
    ("differing", Cause.DNS_MISMATCH): ("serveurs DNS en désaccord", "DNS servers disagree"),
    ("differing", Cause.DNS_TIMEOUT): ("aucun serveur DNS ne répond", "no DNS server answers"),
    ("differing", Cause.DNS_REFUSED): ("aucun serveur ne sert la zone", "no server serves the zone"),
    ("differing", Cause.DNS_SERVFAIL): ("aucun serveur ne sert la zone", "no server serves the zone"),
    ("state", Cause.DOMAIN_EXPIRING): ("domaine expiré", "domain lapsed"),
    ("state", Cause.DNS_NXDOMAIN): ("domaine retiré du DNS", "domain out of the DNS"),
    ("expired_days", Cause.DOMAIN_EXPIRING): ("domaine expiré", "domain expired"),
    ("registry", Cause.DNS_NXDOMAIN): ("domaine non enregistré", "domain not registered"),
}

_DAYS = ("revoked", "expired")  # figures `…_days` that are told with their noun

# Values of figures that are words: phases (latency.anomaly) and what is unlike before (content.changed).
PHASES: dict[str, tuple[str, str]] = {
    "dns": ("résolution du nom", "name resolution"),
    "connect": ("connexion", "connection"),
    "tls": ("négociation TLS", "TLS handshake"),
    "first_byte": ("premier octet", "first byte"),
    "transfer": ("transfert", "transfer"),
    "total": ("contrôle entier", "whole check"),
}
SIGNS: dict[str, tuple[str, str]] = {
    "script": ("script d'un nouvel hôte", "script from a new host"),
    "type": ("type", "type"),
    "size": ("taille", "size"),
    "landmarks": ("structure", "structure"),
    "title": ("titre", "title"),
    "links": ("liens sortants", "outgoing links"),
}


def pick(pair: tuple[str, str], language: str) -> str:
    """The text of one language out of (fr, en)."""
    return pair[0 if language == "fr" else 1]


def cause_words(cause: Cause, figures: Mapping[str, Scalar], language: str) -> str:
    """What was observed, in a few words, with its number where it is known."""
    return _filled(DETAILED, OF_KIND, cause, figures, language)


def short_words(cause: Cause, figures: Mapping[str, Scalar], language: str) -> str:
    """The same for a first line: at most some thirty characters."""
    return _filled(SHORT, OF_KIND_SHORT, cause, figures, language)


def _filled(
    table: Mapping[Cause, tuple[str, str]],
    of_kind: Mapping[tuple[str, Cause], tuple[str, str]],
    cause: Cause,
    figures: Mapping[str, Scalar],
    language: str,
) -> str:
    """The cause's template where every figure it wants is there, else the words that are true without any."""
    known: dict[str, Scalar] = {name: _flat(value) for name, value in figures.items()}
    limit, days, hops = (figures.get(name) for name in ("limit_ms", "days_left", "redirects"))
    if isinstance(limit, int | float):
        known["limit"] = decimal(limit / 1000, language) + " s"
    if isinstance(days, int) and (days < 0) == (cause is Cause.TLS_EXPIRED):
        known["days"] = counted(abs(days), "jour", "day", language)
    if isinstance(hops, int):
        known["hops"] = counted(hops, "saut", "hop", language)
    known |= {name: counted(ago, "jour", "day", language) for name in _DAYS if isinstance(ago := figures.get(f"{name}_days"), int)}
    for name, words in (("phase", PHASES), ("signs", SIGNS)):
        if name in known:
            known[name] = ", ".join(pick(words[one], language) for one in str(known[name]).split(", ") if one in words)
    kind = next((of_kind[name, cause] for name in figures if (name, cause) in of_kind), None)
    some = {cause: FAMILY_DEAD} if "family" in known else SOME_DEAD
    try:
        return pick(kind or (some if "dead" in known else table)[cause], language).format_map(known)
    except KeyError:
        return pick(PLAIN[cause], language)


def _flat(value: Scalar) -> Scalar:
    """Texts of the configuration on one line and not for ever."""
    return " ".join(value.split())[:80] if isinstance(value, str) else value


def decimal(value: float, language: str) -> str:
    """`2.5` or, in French, `2,5`; whole numbers bare."""
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return text.replace(".", ",") if language == "fr" else text


def counted(number: int, fr: str, en: str, language: str) -> str:
    """`1 jour`, `3 jours`: the number with its noun, in the plural from 2 (French) or unless 1 (English)."""
    plural = abs(number) >= 2 if language == "fr" else number != 1
    return f"{number} {pick((fr, en), language)}{'s' if plural else ''}"


def duration(ms: int, language: str) -> str:
    """A span in its two largest units: `45 s`, `12 min`, `2 h 05 min`, `3 j 4 h` (fr) or `3 d 4 h` (en); `min` alone below an hour."""
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
    """`14:02:05 UTC+1`."""
    moment = datetime.fromtimestamp(at / 1000, zone)
    return f"{moment:%H:%M:%S} {offset(moment)}"


def short_time(at: int, zone: tzinfo, seen_at: int | None = None) -> str:
    """`14:02 UTC+1`, for the first line; with its date when it is read on another day (`seen_at`, epoch ms)."""
    moment = datetime.fromtimestamp(at / 1000, zone)
    other_day = seen_at is not None and datetime.fromtimestamp(seen_at / 1000, zone).date() != moment.date()
    return f"{moment:%Y-%m-%d %H:%M} {offset(moment)}" if other_day else f"{moment:%H:%M} {offset(moment)}"


def date_time(at: int, zone: tzinfo) -> str:
    """`2026-11-24 14:02:05 UTC+1`."""
    moment = datetime.fromtimestamp(at / 1000, zone)
    return f"{moment:%Y-%m-%d %H:%M:%S} {offset(moment)}"


def offset(moment: datetime) -> str:
    """`UTC`, `UTC+1`, `UTC-3:30`: an offset cannot be mistaken, a zone's name can."""
    distance = moment.utcoffset()
    minutes = round(distance.total_seconds() / 60) if distance else 0
    if minutes == 0:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'+' if minutes > 0 else '-'}{hours}" + (f":{rest:02d}" if rest else "")


def moment(at: int, zone: tzinfo, seen_at: int) -> str:
    """`14:02:05 UTC+1`, with its date when it is read on another day (`seen_at`, epoch ms)."""
    days = {datetime.fromtimestamp(one / 1000, zone).date() for one in (at, seen_at)}
    return clock_time(at, zone) if len(days) == 1 else date_time(at, zone)


# What the program itself notes at an incident; people's own notes stay as they wrote them.
REMOVED = "the monitor was removed from the configuration"
NOTES: dict[str, tuple[str, str]] = {REMOVED: ("le moniteur a été retiré de la configuration", REMOVED)}

HEADLINES: dict[NoticeReason, tuple[str, str]] = {
    NoticeReason.OPENED: ("{mark} {name} : {what} depuis {since} ({checks})", "{mark} {name}: {what} since {since} ({checks})"),
    NoticeReason.DISCLOSED: (
        "{mark} {name} : {what} depuis {since}, maintenance terminée",
        "{mark} {name}: {what} since {since}, maintenance is over",
    ),
    NoticeReason.REMINDER: (
        "{mark} {name} : {what} depuis {lasted}, non acquitté",
        "{mark} {name}: {what} for {lasted}, not acknowledged",
    ),
    NoticeReason.RECOVERED: ("🟢 {name} : rétabli après {lasted} ({what})", "🟢 {name}: recovered after {lasted} ({what})"),
    NoticeReason.CLOSED: ("⚪ {name} : incident clos par {by} après {lasted}", "⚪ {name}: incident closed by {by} after {lasted}"),
    NoticeReason.REPORT: ("📝 {name} : analyse de l'incident ({what})", "📝 {name}: analysis of the incident ({what})"),
    NoticeReason.BURIED: ("⚠️ {name} : un avis n'a pas pu être remis ({what})", "⚠️ {name}: a notice could not be delivered ({what})"),
    NoticeReason.BLIND: (
        "🙈 Vigie n'a rien vu de {since} à {until} ({lasted}, {what})",
        "🙈 Vigie saw nothing from {since} to {until} ({lasted}, {what})",
    ),
    NoticeReason.TEST: ("🔔 Essai : Vigie peut vous joindre", "🔔 Test: Vigie can reach you"),
}
MARKS = {Severity.OUTAGE: "🔴", Severity.DEGRADATION: "🟠"}

# Why Vigie saw nothing, for the one notice that tells it.
BLIND: dict[Cause, tuple[str, str]] = {
    Cause.PROBE_NETWORK: ("pas de réseau", "no network"),
    Cause.PROBE_RESOLVER: ("pas de résolveur", "no resolver"),
    Cause.PROBE_ERROR: ("machine ou Vigie à l'arrêt", "machine or Vigie at a standstill"),
}

LABELS: dict[str, tuple[str, str]] = {
    "blind": (
        "Vigie n'a rien pu contrôler du {at} au {until}, soit {lasted}.",
        "Vigie could check nothing from {at} to {until}, for {lasted}.",
    ),
    "blind_why": ("Raison : {why}.", "Reason: {why}."),
    "blind_means": (
        "Aucun service n'est mis en cause, et ce temps ne compte dans aucune disponibilité.",
        "No service is accused, and this time counts in no availability.",
    ),
    "scope": ("{who} est en panne depuis {at}.", "{who} has been down since {at}."),
    "scope_degraded": ("{who} est dégradé depuis {at}.", "{who} has been degraded since {at}."),
    "scope_own": (
        "Vigie ne peut pas contrôler {who} depuis {at} ; le service n'est pas mis en cause.",
        "Vigie has been unable to check {who} since {at}; the service itself is not in question.",
    ),
    "scope_over": ("{who} a été en panne de {at} à {until}.", "{who} was down from {at} to {until}."),
    "scope_over_degraded": ("{who} a été dégradé de {at} à {until}.", "{who} was degraded from {at} to {until}."),
    "observed": ("Observé : {what} [{facts}].", "Observed: {what} [{facts}]."),
    "second_look": ("Second examen : {what} [{facts}].", "Second look: {what} [{facts}]."),
    "none_accepts": ("aucune des {count} adresses n'accepte la connexion", "none of the {count} addresses accepts the connection"),
    "one_refuses": (
        "1 des {count} adresses n'accepte pas la connexion ({bad})",
        "1 of the {count} addresses does not accept the connection ({bad})",
    ),
    "some_refuse": (
        "{number} des {count} adresses n'acceptent pas la connexion ({bad})",
        "{number} of the {count} addresses do not accept the connection ({bad})",
    ),
    "all_accept": ("les {count} adresses acceptent la connexion", "all {count} addresses accept the connection"),
    "differs": ("Depuis le dernier état sain : {what} [{facts}].", "Since the last healthy state: {what} [{facts}]."),
    "likely": ("Cause supposée (confiance {grade}) : {cause} [{facts}].", "Suspected cause ({grade} confidence): {cause} [{facts}]."),
    "unknown": (
        "Cause supposée : les mesures ne permettent pas d'en désigner une.",
        "Suspected cause: the measurements do not point to one.",
    ),
    "step": ("À faire d'abord : {step}", "First step: {step}"),
    "maintenance": (
        "La maintenance est terminée et l'incident est toujours en cours.",
        "Maintenance is over and the incident is still open.",
    ),
    "recovered": (
        "{who} répond de nouveau comme attendu depuis {at}.",
        "{who} has answered as expected again since {at}.",
    ),
    "fine_again": ("{who} fonctionne de nouveau normalement depuis {at}.", "{who} has been working normally again since {at}."),
    "lasted": ("Durée : {lasted} (début : {since}).", "Duration: {lasted} (from {since})."),
    "was": ("Observé pendant l'incident : {what}.", "Observed during the incident: {what}."),
    "changed": ("Changement mesuré au rétablissement : {what}.", "Measured change at recovery: {what}."),
    "unchanged": ("Aucun autre changement mesuré au rétablissement.", "No other change was measured at recovery."),
    "closed": ("{who} : incident clos par {by}.", "{who}: incident closed by {by}."),
    "note": ("Note : {note}", "Note: {note}"),
    "reminder": (
        "Personne ne l'a encore acquitté. Pour le faire, et arrêter les rappels : vigie incidents ack {incident}",
        "Nobody has acknowledged it yet. To do so, and to stop the reminders: vigie incidents ack {incident}",
    ),
    "buried": (
        "Un autre canal n'a pas pu remettre un avis de cet incident. Pour savoir pourquoi : vigie incidents show {incident}",
        "Another channel could not deliver a notice of this incident. To see why: vigie incidents show {incident}",
    ),
    "test": (
        "Ceci est un essai du canal {channel}, demandé par vigie notify test ; aucun service n'est en panne.",
        "This is a test of the channel {channel}, asked for with vigie notify test; no service is down.",
    ),
    "analysis": (
        "Analyse automatique du modèle local {model}, confrontée aux mesures",
        "Automatic analysis by the local model {model}, checked against the measurements",
    ),
    "analysis_remote": (
        "Analyse automatique du modèle distant {model}, confrontée aux mesures",
        "Automatic analysis by the remote model {model}, checked against the measurements",
    ),
    "footer": (
        "Vigie · incident {incident} · détails : vigie incidents show {incident}",
        "Vigie · incident {incident} · details: vigie incidents show {incident}",
    ),
    "test_footer": ("Vigie · essai", "Vigie · test"),
    "high": ("élevée", "high"),
    "medium": ("moyenne", "medium"),
    "low": ("faible", "low"),
}


def label(name: str, language: str, /, **values: object) -> str:
    """A line of a message."""
    return pick(LABELS[name], language).format(**values)

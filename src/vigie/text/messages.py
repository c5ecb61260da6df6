"""The sentences of reports in French and English, and how figures are written in them; what each cause is called is in phrases.py."""

from collections.abc import Mapping
from datetime import datetime, tzinfo

from vigie.core.detection import Severity
from vigie.core.model import Cause, Scalar
from vigie.core.notification import NoticeReason
from vigie.text.pages import PAGES
from vigie.text.phrases import DETAILED, FAMILY_DEAD, OF_KIND, OF_KIND_SHORT, PLAIN, SHORT, SOME_DEAD
from vigie.text.terms import PHASES, SIGNS

LANGUAGES = ("fr", "en")

_DAYS = ("revoked", "expired")  # figures `…_days` that are told with their noun


_SPANS = ("silent", "running", "longest")  # figures in ms that are told in hours and minutes


def pick(pair: tuple[str, str], language: str) -> str:
    """The text of one language out of (fr, en)."""
    return pair[0 if language == "fr" else 1]


def cause_words(cause: Cause, figures: Mapping[str, Scalar], language: str) -> str:
    """What was observed, in a few words, with its number where it is known."""
    return _in_step(_filled(DETAILED, OF_KIND, cause, figures, language), figures, language)


def short_words(cause: Cause, figures: Mapping[str, Scalar], language: str) -> str:
    """The same for a first line: at most some thirty characters."""
    named = {"step": figures["step"]} if "step" in figures else {}
    return _in_step(_filled(SHORT, OF_KIND_SHORT, cause, figures, language), named, language)


def _in_step(what: str, figures: Mapping[str, Scalar], language: str) -> str:
    """Which step of several it was, where there are several."""
    if "step" not in figures:
        return what
    name = figures.get("step_name")
    quoted = "" if name is None else f" « {_flat(name)} »" if language == "fr" else f" “{_flat(name)}”"
    step = f"{pick(('étape', 'step'), language)} {figures['step']}{quoted}"
    return f"{step} : {what}" if language == "fr" else f"{step}: {what}"


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
    known |= {name: duration(ms, language) for name in _SPANS if isinstance(ms := figures.get(f"{name}_ms"), int)}
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
    if (page := PAGES.get(str(figures.get("family")))) is not None:
        known["page"] = pick(page, language)
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


def percent(ratio: float, language: str) -> str:
    """`99.512 %`, in French `99,512 %`; never rounded up to a hundred."""
    text = "100" if ratio == 1 else f"{min(ratio * 100, 99.999):.3f}"
    return f"{text.replace('.', ',') if language == 'fr' else text} %"


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
    NoticeReason.UNDELIVERABLE: ("⚠️ {name} : un avis n'a pas pu être remis ({what})", "⚠️ {name}: a notice could not be delivered ({what})"),
    NoticeReason.BLIND: (
        "🙈 Vigie n'a rien vu de {since} à {until} ({lasted}, {what})",
        "🙈 Vigie saw nothing from {since} to {until} ({lasted}, {what})",
    ),
    NoticeReason.AVAILABILITY: ("📊 Disponibilité, {period} : {share} ({monitors})", "📊 Availability, {period}: {share} ({monitors})"),
    NoticeReason.TEST: ("🔔 Essai : Vigie peut vous joindre", "🔔 Test: Vigie can reach you"),
}
MARKS = {Severity.OUTAGE: "🔴", Severity.DEGRADATION: "🟠"}

LABELS: dict[str, tuple[str, str]] = {
    "week": ("semaine {number} de {year}", "week {number} of {year}"),
    "month": ("{month} {year}", "{month} {year}"),
    "span": ("Du {start} au {end}.", "From {start} to {end}."),
    "all_well": ("Aucune panne.", "No outage."),
    "all_down": (
        "{outages}, {down} en tout ; la plus longue : {longest} ({name}).",
        "{outages}, {down} in all; the longest: {longest} ({name}).",
    ),
    "worst": ("Le moins disponible : {name}, {share}.", "The least available: {name}, {share}."),
    "left_out": (
        "Le temps que Vigie n'a pas pu observer ne compte pas : jusqu'à {blind} par moniteur.",
        "Time that Vigie could not observe does not count: up to {blind} a monitor.",
    ),
    "one_well": ("{name} : aucune panne", "{name}: no outage"),
    "one_down": ("{name} : {outages}, {down} en tout", "{name}: {outages}, {down} in all"),
    "one_longest": ("la plus longue {longest}", "the longest {longest}"),
    "one_unseen": ("{name} : rien n'a été observé", "{name}: nothing was observed"),
    "one_blind": ("temps non observé : {blind}", "not observed: {blind}"),
    "one_since": ("surveillé depuis le {since}", "watched since {since}"),
    "others_well": ("et {monitors} de plus : aucune panne", "and {monitors} more: no outage"),
    "others_down": ("et {monitors} de plus : {outages}, {down} en tout", "and {monitors} more: {outages}, {down} in all"),
    "availability_footer": (
        "Vigie · {thread} · à tout moment : vigie incidents uptime",
        "Vigie · {thread} · at any time: vigie incidents uptime",
    ),
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
    # The command also closes what is open: it is for afterwards.
    "ask": (
        "une fois l'incident terminé, l'analyse a-t-elle aidé ? vigie incidents resolve {incident} --helpful (ou --misleading)",
        "once it is over, did the analysis help? vigie incidents resolve {incident} --helpful (or --misleading)",
    ),
    "helped": ("👍 L'analyse a aidé", "👍 The analysis helped"),
    "misled": ("👎 L'analyse a trompé", "👎 The analysis misled"),
    "test_footer": ("Vigie · essai", "Vigie · test"),
    "high": ("élevée", "high"),
    "medium": ("moyenne", "medium"),
    "low": ("faible", "low"),
}


def label(name: str, language: str, /, **values: object) -> str:
    """A line of a message."""
    return pick(LABELS[name], language).format(**values)

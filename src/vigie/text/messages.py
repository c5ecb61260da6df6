"""The lines of messages: first line, scope, evidence, cause, first step, footer. `report.render` fills them.

Fields named `since`, `at` and `span` are whole phrases of time (`since 14:02:05 UTC+1`, `on 24 November 2026 at …`, `from … to …`).
"""

from vigie.core.detection import Severity
from vigie.core.notification import NoticeReason
from vigie.text import Pair

# What the program itself notes at an incident; people's own notes stay as they wrote them.
REMOVED = "the monitor was removed from the configuration"
NOTES: dict[str, Pair] = {REMOVED: ("le service a été retiré de la configuration", REMOVED)}

MARKS = {Severity.OUTAGE: "🔴", Severity.DEGRADATION: "🟠"}
# Of notices about an incident, whatever the reason; the others have words of their own beside their lines.
HEADLINES: dict[NoticeReason, Pair] = {
    NoticeReason.OPENED: ("{mark} {name} : {what} depuis {since} ({checks})", "{mark} {name}: {what} since {since} ({checks})"),
    NoticeReason.DISCLOSED: (
        "{mark} {name} : {what} depuis {since}, maintenance terminée",
        "{mark} {name}: {what} since {since}, maintenance is over",
    ),
    NoticeReason.QUIET_OVER: (
        "{mark} {name} : {what} depuis {since}, heures calmes terminées",
        "{mark} {name}: {what} since {since}, quiet hours are over",
    ),
    NoticeReason.REMINDER: (
        "{mark} {name} : {what} depuis {lasted}, non acquitté",
        "{mark} {name}: {what} for {lasted}, not acknowledged",
    ),
    NoticeReason.UPDATED: ("{mark} {name} : {what} depuis {lasted}", "{mark} {name}: {what} for {lasted}"),
    NoticeReason.ESCALATED: (
        "{mark} {name} : {what} depuis {lasted}, alerte escaladée",
        "{mark} {name}: {what} for {lasted}, escalated",
    ),
    NoticeReason.SNOOZE_ENDED: (
        "{mark} {name} : {what} depuis {lasted}, fin de la mise en veille",
        "{mark} {name}: {what} for {lasted}, snooze is over",
    ),
    NoticeReason.FLAPPING: ("{mark} {name} : état instable ({what})", "{mark} {name}: flapping ({what})"),
    NoticeReason.STEADY: (
        "{mark} {name} : fin de l'instabilité, {what} depuis {since}",
        "{mark} {name}: no longer flapping, {what} since {since}",
    ),
    NoticeReason.STABLE: ("🟢 {name} : état de nouveau stable", "🟢 {name}: stable again"),
    NoticeReason.ACKNOWLEDGED: ("{mark} {name} : {what} depuis {since}, acquitté", "{mark} {name}: {what} since {since}, acknowledged"),
    NoticeReason.RECOVERED: ("🟢 {name} : rétabli après {lasted} ({what})", "🟢 {name}: recovered after {lasted} ({what})"),
    NoticeReason.CLOSED: ("⚪ {name} : incident clos par {by} après {lasted}", "⚪ {name}: incident closed by {by} after {lasted}"),
    NoticeReason.REPORT: ("📝 {name} : analyse de l'incident ({what})", "📝 {name}: incident analysis ({what})"),
    NoticeReason.UNDELIVERABLE: (
        "⚠️ {name} : une notification n'a pas pu être envoyée, incident : {what}",
        "⚠️ {name}: a notice could not be delivered, incident: {what}",
    ),
    NoticeReason.BLIND: (
        "🙈 Vigie n'a rien pu contrôler de {since} à {until} ({lasted}, {what})",
        "🙈 Vigie could not check anything from {since} to {until} ({lasted}, {what})",
    ),
}
BLIND_AT: Pair = (
    "🙈 Aucun contrôle possible depuis {location} de {since} à {until} ({lasted}, {what})",
    "🙈 Nothing could be checked from {location}, from {since} to {until} ({lasted}, {what})",
)
TEST_HEADLINE: Pair = ("🔔 Test : Vigie peut vous joindre", "🔔 Test: Vigie can reach you")
# For causes that carry their own date or span (`causes.TIMED`): "expires in 6 days" has no "since".
TIMED_HEADLINES: dict[NoticeReason, Pair] = {
    NoticeReason.OPENED: ("{mark} {name} : {what} ({checks})", "{mark} {name}: {what} ({checks})"),
    NoticeReason.DISCLOSED: ("{mark} {name} : {what}, maintenance terminée", "{mark} {name}: {what}, maintenance is over"),
    NoticeReason.QUIET_OVER: ("{mark} {name} : {what}, heures calmes terminées", "{mark} {name}: {what}, quiet hours are over"),
    NoticeReason.REMINDER: (
        "{mark} {name} : {what}, non acquitté depuis {lasted}",
        "{mark} {name}: {what}, not acknowledged for {lasted}",
    ),
    NoticeReason.UPDATED: ("{mark} {name} : {what}", "{mark} {name}: {what}"),
    NoticeReason.ESCALATED: ("{mark} {name} : {what}, alerte escaladée", "{mark} {name}: {what}, escalated"),
    NoticeReason.SNOOZE_ENDED: ("{mark} {name} : {what}, fin de la mise en veille", "{mark} {name}: {what}, snooze is over"),
    NoticeReason.ACKNOWLEDGED: ("{mark} {name} : {what}, acquitté", "{mark} {name}: {what}, acknowledged"),
}
# Of what is over by the time at which it can be told.
OVER: Pair = ("{mark} {name} : {what} de {since} à {until}, terminé", "{mark} {name}: {what} from {since} to {until}, over")
HEARTBEAT_BACK: Pair = ("🟢 {name} : nouveau signal après {lasted} ({what})", "🟢 {name}: reported in again after {lasted} ({what})")

LABELS: dict[str, Pair] = {
    "blind": ("Vigie n'a rien pu contrôler {span} ({lasted}).", "Vigie could not check anything {span} ({lasted})."),
    "blind_at": (
        "Depuis {location}, Vigie n'a rien pu contrôler {span} ({lasted}).",
        "Vigie could not check anything from {location} {span} ({lasted}).",
    ),
    "blind_at_means": (
        "Cet emplacement ne comptait plus dans les verdicts ; les services ont été jugés par les autres.",
        "That location had no vote meanwhile; services were judged by the others.",
    ),
    "blind_why": ("Raison : {why}.", "Reason: {why}."),
    "blind_means": (
        "Aucun service n'a été déclaré en panne pour autant, et ce temps n'entre dans aucun calcul de disponibilité.",
        "No service was marked down because of it, and this time is left out of every availability figure.",
    ),
    "scope": ("{who} est en panne {since}.", "{who} has been down {since}."),
    "scope_degraded": ("{who} est dégradé {since}.", "{who} has been degraded {since}."),
    "scope_own": (
        "Vigie ne peut pas contrôler {who} {since} ; le service lui-même n'est pas en cause.",
        "Vigie has been unable to check {who} {since}; the service itself is not in question.",
    ),
    "scope_over": ("{who} a été en panne {span}.", "{who} was down {span}."),
    "scope_over_degraded": ("{who} a été dégradé {span}.", "{who} was degraded {span}."),
    "observed": ("Observé : {what} [{facts}].", "Observed: {what} [{facts}]."),
    "diagnostics": ("Diagnostic : {what} [{facts}].", "Diagnostics: {what} [{facts}]."),
    "diagnostics_from": ("Diagnostic depuis {location} : {what} [{facts}].", "Diagnostics from {location}: {what} [{facts}]."),
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
    "differs": ("Depuis le dernier contrôle réussi : {what} [{facts}].", "Since the last successful check: {what} [{facts}]."),
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
    "escalated": (
        "Personne n'a acquitté cette alerte : elle est escaladée (étape {number}).",
        "Nobody has acknowledged this alert, so it was escalated (step {number}).",
    ),
    "snooze_ended": (
        "La mise en veille est terminée et l'incident est toujours en cours.",
        "The snooze is over and the incident is still open.",
    ),
    "flapping": (
        "{who} alterne pannes et rétablissements : aucune autre notification jusqu'à ce que son état soit stable.",
        "{who} keeps failing and recovering: no further notices until it is stable.",
    ),
    "stable": (
        "L'état de {who} est stable {since} : les notifications reprennent normalement.",
        "{who} has been stable {since}: notices are back to normal.",
    ),
    "steady": (
        "{who} n'est plus instable : les notifications reprennent normalement.",
        "{who} is no longer flapping: notices are back to normal.",
    ),
    "quiet_over": (
        "Les heures calmes sont terminées et l'incident est toujours en cours.",
        "Quiet hours are over and the incident is still open.",
    ),
    "acknowledged": ("Acquitté par {by}.", "Acknowledged by {by}."),
    "recovered": ("{who} répond de nouveau comme attendu {since}.", "{who} has responded as expected again {since}."),
    "reported_in": ("{who} a de nouveau envoyé un signal {at}.", "{who} reported in again {at}."),
    "fine_again": ("{who} fonctionne de nouveau normalement {since}.", "{who} has been working normally again {since}."),
    "lasted": ("Durée : {lasted} (début : {start}).", "Duration: {lasted} (started: {start})."),
    "was": ("Observé pendant l'incident : {what}.", "Observed during the incident: {what}."),
    "changed": ("Changement mesuré au rétablissement : {what}.", "Change measured at recovery: {what}."),
    "unchanged": ("Aucun autre changement mesuré au rétablissement.", "No other change was measured at recovery."),
    "late": (
        "Envoi tardif : cette notification a été émise {at} et n'avait pas pu être envoyée jusqu'ici.",
        "Late: this notice was raised {at} and could not be sent until now.",
    ),
    "closed": ("{who} : incident clos par {by}.", "{who}: incident closed by {by}."),
    "note": ("Note : {note}", "Note: {note}"),
    "reminder": (
        "Incident non acquitté. Pour l'acquitter et arrêter les rappels : vigie incidents ack {incident}",
        "Not acknowledged yet. To acknowledge it and stop the reminders: vigie incidents ack {incident}",
    ),
    "undeliverable": (
        "Un autre canal n'a pas pu envoyer une notification de cet incident. Pour savoir pourquoi : vigie incidents show {incident}",
        "Another channel could not deliver a notice about this incident. To see why: vigie incidents show {incident}",
    ),
    "test": (
        "Ceci est un test du canal {channel}, lancé par vigie notify test ; aucun service n'est en panne.",
        "This is a test of the channel {channel}, sent by vigie notify test; no service is down.",
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
    "acknowledge": ("acquitter : vigie incidents ack {incident}", "acknowledge: vigie incidents ack {incident}"),
    "also": ("Également notifiés : {also}.", "Also notified: {also}."),
    "also_failed": (
        "Également notifiés : {also} ; pas encore joints : {failed}.",
        "Also notified: {also}; not reached so far: {failed}.",
    ),
    "only_failed": (
        "Autres canaux pas encore joints : {failed}.",
        "Other channels not reached so far: {failed}.",
    ),
    "nobody_else": ("Aucun autre canal n'est notifié.", "No other channel is notified."),
    # The command also closes what is open: it is for afterwards.
    "ask": (
        "une fois l'incident terminé, l'analyse a-t-elle été utile ? vigie incidents resolve {incident} --helpful (ou --misleading)",
        "once it is over, was the analysis helpful? vigie incidents resolve {incident} --helpful (or --misleading)",
    ),
    "respond_ack": ("Acquitter", "Acknowledge"),
    "respond_snooze": ("Mettre en veille", "Snooze"),
    "respond_resolve": ("Clore", "Resolve"),
    "helped": ("👍 Analyse utile", "👍 The analysis was helpful"),
    "misled": ("👎 Analyse trompeuse", "👎 The analysis was misleading"),
    "test_footer": ("Vigie · test", "Vigie · test"),
    "high": ("élevée", "high"),
    "medium": ("moyenne", "medium"),
    "low": ("faible", "low"),
}

# The column of kinds beside the facts, by `report.facts.FactKind`.
KINDS: dict[str, Pair] = {
    "check": ("contrôle", "check"),
    "location": ("emplacement", "location"),
    "timings": ("temps", "timing"),
    "dns": ("DNS", "DNS"),
    "tcp": ("réseau", "network"),
    "tls": ("TLS", "TLS"),
    "http": ("HTTP", "HTTP"),
    "page": ("page", "page"),
    "control": ("réseau de Vigie", "Vigie's network"),
    "siblings": ("autres services", "siblings"),
    "change": ("changement", "change"),
    "history": ("historique", "history"),
    "context": ("contexte", "context"),
}

"""What people read about deliveries: why one failed, what became late for it, a channel that fails, and Vigie itself standing still."""

from vigie.errors import DeliveryReason
from vigie.text import Pair, Plural

# Why an attempt failed, as a clause after "because".
FAILURES: dict[str, Pair] = {
    DeliveryReason.REFUSED: ("la connexion a été refusée", "the connection was refused"),
    DeliveryReason.TIMEOUT: ("le service n'a pas répondu à temps", "the service did not answer in time"),
    DeliveryReason.DNS: ("le nom du serveur ne se résout pas", "the server's name does not resolve"),
    DeliveryReason.TLS: ("la connexion chiffrée a échoué", "the encrypted connection failed"),
    DeliveryReason.AUTH: ("l'authentification a été refusée", "the login was refused"),
    DeliveryReason.RECIPIENT: ("le destinataire a été refusé", "the recipient was refused"),
    DeliveryReason.RATE_LIMIT: ("le service demande de patienter", "the service asks clients to wait"),
    DeliveryReason.SERVER: ("le service a signalé une erreur", "the service reported an error"),
    DeliveryReason.REJECTED: ("le message a été refusé", "the message was rejected"),
    DeliveryReason.CONFIG: ("le canal est mal configuré", "the channel is not configured correctly"),
    DeliveryReason.OTHER: ("une erreur imprévue s'est produite", "an unexpected error occurred"),
}

# The story of the notices of an incident.
NOBODY: Pair = ("Personne n'a été prévenu pendant {lasted}, {span} : {why}.", "Nobody was notified for {lasted}, {span}: {why}.")
NOBODY_YET: Pair = (
    "Personne n'a encore été prévenu, {since} ({lasted}) : {why}.",
    "Nobody has been notified yet, {since} ({lasted}): {why}.",
)
LATE: Pair = ("{channel} : {what} avec {lasted} de retard, {at} : {why}.", "{channel}: {what} delivered {lasted} late, {at}: {why}.")
WAITING: Pair = (
    "{channel} : {what} en attente depuis {lasted} : {why}. Prochaine tentative {next}.",
    "{channel}: {what} has been waiting for {lasted}: {why}. Next attempt {next}.",
)
UNDELIVERABLE: Pair = ("{channel} : {what}, échec définitif de l'envoi : {why}.", "{channel}: {what} could not be delivered: {why}.")
DROPPED: Pair = ("{channel} : {what}, envoi annulé par {by} {at}.", "{channel}: {what} dropped by {by} {at}.")
INSTEAD: Pair = (
    "{channel} : {what} par ce canal de secours, à la place de {failed}, {at}.",
    "{channel}: {what} delivered by this failover channel, in place of {failed}, {at}.",
)
BECAUSE: Plural = (
    ("{failure} ({answer} ; {count} tentative en échec)", "{failure} ({answer} ; {count} tentatives en échec)"),
    ("{failure} ({answer}; {count} failed attempt)", "{failure} ({answer}; {count} failed attempts)"),
)
NO_ATTEMPT: Pair = (
    "aucune tentative avant : Vigie ne tournait pas, ou sa machine était en veille",
    "no attempt before that: Vigie was not running, or its machine was suspended",
)
NO_ATTEMPT_YET: Pair = ("aucune tentative pour l'instant", "no attempt so far")
LATE_WHY: Pair = ("Raison : {why}.", "Reason: {why}.")

# A channel that keeps failing, by `core.notification.NoticeReason`.
CHANNEL_FAILING: Pair = (
    "⚠️ Canal {channel} : aucun envoi possible depuis {lasted} ({why})",
    "⚠️ Channel {channel}: nothing could be sent for {lasted} ({why})",
)
CHANNEL_RESTORED: Pair = ("🟢 Canal {channel} : de nouveau utilisable après {lasted}", "🟢 Channel {channel}: works again after {lasted}")
CHANNEL_LINES: dict[str, Pair] = {
    "failing": (
        "Vigie ne peut rien envoyer par le canal {channel} {since} : {why}.",
        "Vigie has not been able to send anything by the channel {channel} {since}: {why}.",
    ),
    "means": (
        "Les notifications en attente partiront dès que le canal fonctionnera ; les incidents passent aussi par les canaux de secours.",
        "What waits for it is sent once it works; notices about incidents also go out by the failover channels.",
    ),
    "step": (
        "À faire d'abord : vigie doctor teste le canal ; vigie outbox list --channel {name} montre ce qui attend.",
        "First step: vigie doctor tests the channel; vigie outbox list --channel {name} shows what is waiting.",
    ),
    "restored": (
        "Le canal {channel} fonctionne de nouveau {at}. Il avait échoué {span} : {why}.",
        "The channel {channel} has worked again {at}. It had been failing {span}: {why}.",
    ),
    "caught_up": (
        "Les notifications en attente sont envoyées maintenant, et indiquent quand elles ont été émises.",
        "What was waiting is being sent now, and says when it was raised.",
    ),
    "lost": (
        "Ce qui a été abandonné entre-temps n'est pas renvoyé de lui-même : vigie outbox list --state undeliverable --channel {name}",
        "What was given up meanwhile is not sent by itself: vigie outbox list --state undeliverable --channel {name}",
    ),
    "footer": ("Vigie · canal {channel}", "Vigie · channel {channel}"),
}

# Vigie itself stands still, by `engine.stalls.Stalled`.
PARTS: dict[str, Pair] = {
    "loop": ("la boucle principale ne répond plus", "the main loop does not respond"),
    "writer": ("les résultats ne sont plus enregistrés", "results are no longer being stored"),
    "prober": ("le processus de contrôle ne répond plus", "the prober process does not respond"),
}
STALLED: Pair = ("⚠️ Vigie est bloquée : {part}, depuis {lasted}", "⚠️ Vigie has stalled: {part}, for {lasted}")
RESUMED: Pair = ("🟢 Vigie fonctionne de nouveau après {lasted} ({part})", "🟢 Vigie works again after {lasted} ({part})")
STALL_LINES: dict[str, Pair] = {
    "stalled": ("Vigie est bloquée {since} : {part}.", "Vigie has stalled {since}: {part}."),
    "means": (
        "Tant que cela dure, les pannes des services surveillés peuvent passer inaperçues.",
        "Until this is over, outages of the monitored services may go unnoticed.",
    ),
    "loop_step": (
        "À faire d'abord : voir le journal, qui dit où la boucle est bloquée, puis redémarrer Vigie{host}.",
        "First step: read the log, which says where the loop is blocked, then restart Vigie{host}.",
    ),
    "writer_step": (
        "À faire d'abord : vérifier le disque de la base de données sur la machine de Vigie{host} (place, erreurs, montage).",
        "First step: check the disk of the database on Vigie's machine{host} (space, errors, mount).",
    ),
    "prober_step": (
        "Vigie le redémarre d'elle-même ; si cela se répète, voir le journal et la charge de la machine{host}.",
        "Vigie restarts it by itself; if this happens again, read the log and check the load of the machine{host}.",
    ),
    "resumed": ("Vigie était bloquée {span} : {part}.", "Vigie had stalled {span}: {part}."),
    "footer": ("Vigie · surveillance de Vigie elle-même", "Vigie · about Vigie itself"),
}

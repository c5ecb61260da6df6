"""What people read about deliveries: why one failed, what was late, a channel that keeps failing, and Vigie itself stalled."""

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
NOBODY: Pair = ("Personne n'a été notifié pendant {lasted}, {span} : {why}.", "Nobody was notified for {lasted}, {span}: {why}.")
NOBODY_YET: Pair = (
    "Personne n'a été notifié {since} ({lasted}) : {why}.",
    "Nobody has been notified {since} ({lasted}): {why}.",
)
LATE: Pair = ("{channel} : {what}, envoi avec {lasted} de retard {at} : {why}.", "{channel}: {what} delivered {lasted} late, {at}: {why}.")
WAITING: Pair = (
    "{channel} : {what} en attente depuis {lasted} : {why}. Prochaine tentative {next}.",
    "{channel}: {what} has been waiting for {lasted}: {why}. Next attempt {next}.",
)
UNDELIVERABLE: Pair = ("{channel} : {what}, échec définitif de l'envoi : {why}.", "{channel}: {what} could not be delivered: {why}.")
DROPPED: Pair = ("{channel} : {what}, envoi annulé par {by} {at}.", "{channel}: {what} dropped by {by} {at}.")
INSTEAD: Pair = (
    "{channel} : {what} par ce canal de secours, à la place de {failed}, {at}.",
    "{channel}: {what} delivered through this failover channel instead of {failed}, {at}.",
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
CHANNEL_RESTORED: Pair = ("🟢 Canal {channel} : fonctionne de nouveau après {lasted}", "🟢 Channel {channel}: working again after {lasted}")
CHANNEL_LINES: dict[str, Pair] = {
    "failing": (
        "Vigie ne peut rien envoyer par le canal {channel} {since} : {why}.",
        "Vigie has not been able to send anything through channel {channel} {since}: {why}.",
    ),
    "means": (
        "Les notifications en attente partiront dès qu'il fonctionnera ; celles des incidents passent aussi par les canaux de secours.",
        "Notices that are waiting go out once it works again; those about incidents also go through the failover channels.",
    ),
    "step": (
        "À faire d'abord : vigie doctor teste le canal ; vigie outbox list --channel {name} montre ce qui attend.",
        "First step: vigie doctor tests the channel; vigie outbox list --channel {name} shows what is waiting.",
    ),
    "restored": (
        "Le canal {channel} fonctionne de nouveau {at}. Il a été en échec {span} : {why}.",
        "Channel {channel} has been working again {at}. It was failing {span}: {why}.",
    ),
    "caught_up": (
        "Les notifications en attente sont envoyées maintenant ; chacune indique quand elle a été émise.",
        "Notices that were waiting are being sent now; each says when it was raised.",
    ),
    "lost": (
        "Les notifications abandonnées ne sont pas renvoyées automatiquement : vigie outbox list --state undeliverable --channel {name}",
        "Notices that were given up are not sent again automatically: vigie outbox list --state undeliverable --channel {name}",
    ),
    "footer": ("Vigie · canal {channel}", "Vigie · channel {channel}"),
}

# Vigie itself is stalled, by `engine.stalls.Stalled`.
PARTS: dict[str, Pair] = {
    "loop": ("la boucle principale ne répond plus", "the main loop is not responding"),
    "writer": ("les résultats ne sont plus enregistrés", "results are not being stored"),
    "prober": ("le processus de contrôle ne répond plus", "the prober process is not responding"),
}
# The same once it is over.
PARTS_OVER: dict[str, Pair] = {
    "loop": ("la boucle principale ne répondait plus", "the main loop was not responding"),
    "writer": ("les résultats n'étaient plus enregistrés", "results were not being stored"),
    "prober": ("le processus de contrôle ne répondait plus", "the prober process was not responding"),
}
STALLED: Pair = ("⚠️ Vigie est bloquée depuis {lasted} : {part}", "⚠️ Vigie has been stalled for {lasted}: {part}")
RESUMED: Pair = ("🟢 Vigie fonctionne de nouveau après {lasted} ({part})", "🟢 Vigie is working again after {lasted} ({part})")
STALL_LINES: dict[str, Pair] = {
    "stalled": ("Vigie est bloquée {since} : {part}.", "Vigie has been stalled {since}: {part}."),
    "means": (
        "Tant que cela dure, les pannes des services surveillés peuvent passer inaperçues.",
        "Until this is over, outages of the monitored services may go unnoticed.",
    ),
    "loop_step": (
        "À faire d'abord : consulter le journal, qui indique où la boucle est bloquée, puis redémarrer Vigie{host}.",
        "First step: read the log, which says where the loop is blocked, then restart Vigie{host}.",
    ),
    "writer_step": (
        "À faire d'abord : vérifier le disque de la base de données sur la machine de Vigie{host} (place, erreurs, montage).",
        "First step: check the disk of the database on Vigie's machine{host} (space, errors, mount).",
    ),
    "prober_step": (
        "Vigie le redémarre automatiquement ; si cela se répète, consulter le journal et la charge de la machine{host}.",
        "Vigie restarts it automatically; if this happens again, read the log and check the load of the machine{host}.",
    ),
    "resumed": ("Vigie a été bloquée {span} : {part}.", "Vigie was stalled {span}: {part}."),
    "footer": ("Vigie · surveillance de Vigie elle-même", "Vigie · self-monitoring"),
}

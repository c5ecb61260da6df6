"""The sentences of facts that a check itself measured, and the clauses of what changed. `report.facts` and `report.changes` fill them."""

from vigie.text import Pair

CAUSE: Pair = ("Contrôle de {what} : {observed} ({cause}).", "Check of {what}: {observed} ({cause}).")
FAILURES: Pair = (
    "{count} contrôles consécutifs ont échoué depuis {since}.",
    "{count} consecutive checks have failed since {since}.",
)
ALL_FAILED: Pair = ("Tous les contrôles échouent depuis {since}.", "Every check has failed since {since}.")
SPREAD: Pair = (
    "{count} des derniers contrôles ont échoué, avec des contrôles réussis entre eux.",
    "{count} of the latest checks failed, with successful ones between them.",
)
FLAPPING: Pair = (
    "Le service est instable : les contrôles échouent et réussissent tour à tour ; le dernier échec a commencé à {since}.",
    "The service is flapping: checks alternately fail and succeed; the latest failure began at {since}.",
)
FIRST_FAILURE: Pair = ("Le premier échec date de {since}.", "The first failure was at {since}.")

# By phase of the check; `{took}` is `31 ms` or `under 1 ms`.
PHASES: dict[str, Pair] = {
    "dns": ("La résolution du nom a pris {took}.", "Resolving the name took {took}."),
    "connect": ("La connexion TCP a pris {took}.", "The TCP connection took {took}."),
    "tls": ("La négociation TLS a pris {took}.", "The TLS handshake took {took}."),
    "first_byte": ("Le premier octet est arrivé en {took}.", "The first byte arrived in {took}."),
    "total": ("Le contrôle a duré {took} en tout.", "The check took {took} in total."),
}

CONTACTED: Pair = ("L'adresse contactée est {address}.", "The address contacted is {address}.")
ADDRESS_DEAD: Pair = ("L'adresse {address} n'accepte pas la connexion.", "The address {address} does not accept the connection.")
ADDRESS_ALIVE: Pair = ("L'adresse {address} accepte la connexion.", "The address {address} accepts the connection.")
ADDRESSES: Pair = ("Le nom a {count}.", "The name has {count}.")

STATUS: Pair = ("Le statut HTTP est {status}.", "The HTTP status is {status}.")
SERVER: Pair = ("Le serveur web est {server}.", "The web server is {server}.")
VIA: Pair = ("La réponse est passée par un proxy.", "The response passed through a proxy.")
RETRY_AFTER: Pair = ("Le service demande d'attendre {wait}.", "The service asks clients to wait {wait}.")
REDIRECTS: Pair = ("Le contrôle a suivi {count}.", "The check followed {count}.")
SIZE: Pair = ("Le corps de la réponse fait {count}.", "The response body is {count} long.")

SIGNATURE: Pair = ("La page contient le motif connu « {sign} ».", "The page contains the known pattern “{sign}”.")

TLS_VERSION: Pair = ("La connexion utilise {version}.", "The connection uses {version}.")
VALID_UNTIL: Pair = ("Le certificat expire dans {days}, le {at}.", "The certificate expires in {days}, on {at}.")
EXPIRED_AT: Pair = ("Le certificat a expiré il y a {days}, le {at}.", "The certificate expired {days} ago, on {at}.")
VALID_FOR: Pair = ("Le certificat expire dans {days}.", "The certificate expires in {days}.")
EXPIRED: Pair = ("Le certificat a expiré il y a {days}.", "The certificate expired {days} ago.")
SELF_SIGNED: Pair = ("Le certificat est autosigné.", "The certificate is self-signed.")
UNREAD: Pair = ("Le contenu de la page n'a pas été lu à temps.", "The page's content was not read in time.")
CHAIN: Pair = ("Le serveur envoie {count}.", "The server sends {count}.")

NEVER_GOOD: Pair = ("Aucun contrôle réussi n'est enregistré avant l'incident.", "No successful check is on record before the incident.")
LAST_GOOD: Pair = ("Dernier contrôle réussi : {at}.", "Last successful check: {at}.")
SINCE_GOOD: Pair = ("Depuis le dernier contrôle réussi, {change}.", "Since the last successful check, {change}.")

# Clauses of what differs between two checks, without capital and full stop.
CHANGES: dict[str, Pair] = {
    "status": ("le statut HTTP est passé de {old} à {new}", "the HTTP status went from {old} to {new}"),
    "addresses": ("les adresses du nom sont passées de {old} à {new}", "the name's addresses went from {old} to {new}"),
    "certificate": ("le certificat a été remplacé", "the certificate was replaced"),
    "tls_version": ("la version de TLS est passée de {old} à {new}", "the TLS version went from {old} to {new}"),
    "server": ("le serveur qui répond est passé de {old} à {new}", "the responding server went from {old} to {new}"),
    "redirects": ("le nombre de redirections est passé de {old} à {new}", "the number of redirects went from {old} to {new}"),
    "size": ("la taille de la réponse est passée de {old} à {new}", "the response size went from {old} to {new}"),
    "pace": ("la durée du contrôle est passée de {old} à {new}", "the check duration went from {old} to {new}"),
}
UNCHANGED: dict[str, Pair] = {
    "addresses": ("les adresses du nom n'ont pas changé", "the name's addresses have not changed"),
    "certificate": ("le certificat n'a pas changé", "the certificate has not changed"),
}

# What past incidents and people's remarks say.
SIMILAR: Pair = (
    "Sur les {days} derniers jours : {count} ; le plus récent, du {at}, a duré {lasted}.",
    "In the last {days} days: {count}; the most recent, on {at}, lasted {lasted}.",
)
NOTED_CAUSE: Pair = (
    "Cause notée par une personne pour l'incident du {at} : {cause}.",
    "Cause that a person noted for the incident of {at}: {cause}.",
)

"""Why a monitor cannot be checked, and the messages about it. `report.obstacles` fills them."""

from vigie.core.notification import NoticeReason
from vigie.text import Pair, Plural

# By the figure `obstacle` of a result; the fields are other figures of it.
REASONS: dict[str, Pair] = {
    "ca_file": (
        "le fichier des autorités de confiance {file} est inutilisable ({why})",
        "the file of trusted authorities {file} cannot be used ({why})",
    ),
    "key_file": ("le fichier de clé {file} est inutilisable ({why})", "the key file {file} cannot be used ({why})"),
    "program_missing": (
        "le programme {plugin}, ou l'interpréteur qu'il désigne, est introuvable",
        "the program {plugin}, or the interpreter that it names, was not found",
    ),
    "program_refused": ("le programme {plugin} ne peut pas être exécuté ({why})", "the program {plugin} cannot be executed ({why})"),
    "program_status": (
        "{plugin} ne dit rien du service (code de retour {exit_status})",
        "{plugin} says nothing about the service (exit status {exit_status})",
    ),
    "ping_right": ("cette machine n'autorise pas Vigie à envoyer des pings", "this machine does not let Vigie send pings"),
    "browser": ("aucun navigateur Chromium utilisable ({why})", "no usable Chromium browser ({why})"),
    "proxy": ("le proxy du contrôle est inutilisable ({why})", "the proxy of the check cannot be used ({why})"),
    "agent_silent": (
        "son agent {agent} ({location}) ne donne plus de nouvelles",
        "its agent {agent} ({location}) is silent",
    ),
    "http_version": (
        "la bibliothèque libcurl installée ne prend pas en charge cette version de HTTP",
        "the installed libcurl does not support this version of HTTP",
    ),
}

HEADLINES: dict[NoticeReason, Pair] = {
    NoticeReason.OPENED: ("⚠️ Vigie ne peut pas contrôler {who} : {why}", "⚠️ Vigie cannot check {who}: {why}"),
    NoticeReason.DISCLOSED: ("⚠️ Vigie ne peut pas contrôler {who} : {why}", "⚠️ Vigie cannot check {who}: {why}"),
    NoticeReason.QUIET_OVER: ("⚠️ Vigie ne peut pas contrôler {who} : {why}", "⚠️ Vigie cannot check {who}: {why}"),
    NoticeReason.ACKNOWLEDGED: ("⚠️ Vigie ne peut pas contrôler {who} : acquitté", "⚠️ Vigie cannot check {who}: acknowledged"),
    NoticeReason.SNOOZE_ENDED: (
        "⚠️ Vigie ne peut toujours pas contrôler {who} : {why}",
        "⚠️ Vigie still cannot check {who}: {why}",
    ),
    NoticeReason.REMINDER: (
        "⚠️ Vigie ne peut toujours pas contrôler {who} : {why}",
        "⚠️ Vigie still cannot check {who}: {why}",
    ),
    NoticeReason.RECOVERED: ("🟢 Vigie peut de nouveau contrôler {who}", "🟢 Vigie can check {who} again"),
    NoticeReason.CLOSED: ("⚪ Vigie : incident clos par {by} ({who})", "⚪ Vigie: incident closed by {by} ({who})"),
    NoticeReason.UNDELIVERABLE: (
        "⚠️ Une notification n'a pas pu être envoyée : Vigie ne peut pas contrôler {who}",
        "⚠️ A notice could not be delivered: Vigie cannot check {who}",
    ),
}
LABELS: dict[str, Pair] = {
    "cannot": (
        "Vigie ne peut pas contrôler {who} {since} : {why}.",
        "Vigie has been unable to check {who} {since}: {why}.",
    ),
    "member": ("{name} ({target}), {since}", "{name} ({target}), {since}"),
    "member_why": ("{name} ({target}), {since} : {why}", "{name} ({target}), {since}: {why}"),
    "step": ("À faire d'abord : {step}", "First step: {step}"),
    "check": (
        "À faire d'abord : lancer « vigie check {name} » et « vigie config check » sur la machine de Vigie.",
        "First step: run `vigie check {name}` and `vigie config check` on Vigie's machine.",
    ),
    "again": ("Vigie peut de nouveau contrôler {who} {since}.", "Vigie has been able to check {who} again {since}."),
    "lasted": ("Non contrôlé pendant {lasted} (début : {start}).", "Not checked for {lasted} (started: {start})."),
    "reminder": (
        "Non acquitté. Pour acquitter et arrêter les rappels : vigie incidents ack {incident}",
        "Not acknowledged yet. To acknowledge it and stop the reminders: vigie incidents ack {incident}",
    ),
}
NOT_MEANT: Plural = (
    (
        "Le service lui-même n'est pas en cause : Vigie ignore s'il fonctionne, et ce temps n'entre pas dans sa disponibilité.",
        "Les services eux-mêmes ne sont pas en cause : Vigie ignore s'ils fonctionnent, et ce temps n'entre pas dans leur disponibilité.",
    ),
    (
        "The service itself is not in question: Vigie does not know whether it works, and its availability leaves this time out.",
        "The services themselves are not in question: Vigie does not know whether they work, and their availability leaves this time out.",
    ),
)
SEVERAL: Plural = (("{count} service", "{count} services"), ("{count} service", "{count} services"))

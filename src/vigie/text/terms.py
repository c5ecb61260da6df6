"""Single terms that sentences are filled with: nouns with their plurals, months, phases of a check, signs of a changed page."""

from vigie.core.model import Cause
from vigie.text import Pair, Plural

# What is counted: ((one, several) in French, (one, several) in English).
NOUNS: dict[str, Plural] = {
    "address": (("adresse", "adresses"), ("address", "addresses")),
    "byte": (("octet", "octets"), ("byte", "bytes")),
    "certificate": (("certificat", "certificats"), ("certificate", "certificates")),
    "channel": (("canal", "canaux"), ("channel", "channels")),
    "check": (("contrôle", "contrôles"), ("check", "checks")),
    "day": (("jour", "jours"), ("day", "days")),
    "hop": (("saut", "sauts"), ("hop", "hops")),
    "minute": (("minute", "minutes"), ("minute", "minutes")),
    "monitor": (("service", "services"), ("monitor", "monitors")),
    "notice": (("notification", "notifications"), ("notice", "notices")),
    "outage": (("panne", "pannes"), ("outage", "outages")),
    "ping": (("ping", "pings"), ("ping", "pings")),
    "redirect": (("redirection", "redirections"), ("redirect", "redirects")),
    "sentence": (("phrase", "phrases"), ("sentence", "sentences")),
    "shard": (("partition", "partitions"), ("shard", "shards")),
    "similar incident": (("incident semblable", "incidents semblables"), ("similar incident", "similar incidents")),
}

# The reason phrases of RFC 9110 (and 6585) for the statuses of failures, by code.
PHRASES: dict[str, Pair] = {
    "400": ("mauvaise requête", "bad request"),
    "401": ("non autorisé", "unauthorized"),
    "403": ("interdit", "forbidden"),
    "404": ("page introuvable", "not found"),
    "429": ("trop de requêtes", "too many requests"),
    "500": ("erreur interne du serveur", "internal server error"),
    "502": ("mauvaise passerelle", "bad gateway"),
    "503": ("service indisponible", "service unavailable"),
    "504": ("délai de passerelle dépassé", "gateway timeout"),
}

LESS_THAN_A_DAY: Pair = ("moins d'un jour", "less than a day")

# Which step of a check of several steps it was.
STEP: Pair = ("étape {number} : {what}", "step {number}: {what}")
NAMED_STEP: Pair = ("étape {number} « {name} » : {what}", "step {number} “{name}”: {what}")

# Values of figures that are words: phases (latency.anomaly) and what is unlike before (content.changed).
PHASES: dict[str, Pair] = {
    "dns": ("résolution du nom", "name resolution"),
    "connect": ("connexion", "connection"),
    "tls": ("négociation TLS", "TLS handshake"),
    "first_byte": ("premier octet", "first byte"),
    "transfer": ("transfert", "transfer"),
    "total": ("contrôle entier", "whole check"),
}
SIGNS: dict[str, Pair] = {
    "script": ("script d'un nouvel hôte", "script from a new host"),
    "type": ("type", "type"),
    "size": ("taille", "size"),
    "landmarks": ("structure", "structure"),
    "title": ("titre", "title"),
    "links": ("liens sortants", "outgoing links"),
}

# Why Vigie could not check anything, for the one notice that says so.
BLIND: dict[Cause, Pair] = {
    Cause.PROBE_NETWORK: ("pas de réseau", "no network"),
    Cause.PROBE_RESOLVER: ("pas de résolveur", "no resolver"),
    Cause.PROBE_ERROR: ("machine ou Vigie arrêtée", "machine or Vigie stopped"),
}

MONTHS: tuple[Pair, ...] = (
    ("janvier", "January"),
    ("février", "February"),
    ("mars", "March"),
    ("avril", "April"),
    ("mai", "May"),
    ("juin", "June"),
    ("juillet", "July"),
    ("août", "August"),
    ("septembre", "September"),
    ("octobre", "October"),
    ("novembre", "November"),
    ("décembre", "December"),
)

SHORT_MONTHS: tuple[Pair, ...] = (
    ("janv.", "Jan"),
    ("févr.", "Feb"),
    ("mars", "Mar"),
    ("avr.", "Apr"),
    ("mai", "May"),
    ("juin", "Jun"),
    ("juil.", "Jul"),
    ("août", "Aug"),
    ("sept.", "Sep"),
    ("oct.", "Oct"),
    ("nov.", "Nov"),
    ("déc.", "Dec"),
)

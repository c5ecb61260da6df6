"""Single terms in French and English that sentences of reports are filled with."""

from vigie.core.model import Cause

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

# Why Vigie saw nothing, for the one notice that tells it.
BLIND: dict[Cause, tuple[str, str]] = {
    Cause.PROBE_NETWORK: ("pas de réseau", "no network"),
    Cause.PROBE_RESOLVER: ("pas de résolveur", "no resolver"),
    Cause.PROBE_ERROR: ("machine ou Vigie à l'arrêt", "machine or Vigie at a standstill"),
}

MONTHS: tuple[tuple[str, str], ...] = (
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

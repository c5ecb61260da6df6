"""What the audit log says."""

from vigie.text import Pair, Plural

COUNTED: dict[str, Plural] = {}

TEXTS: dict[str, Pair] = {
    "page": ("Journal d’audit", "Audit log"),
    "about": (
        "Chaque changement est inscrit avant d’être fait. Deux ans sont gardés.",
        "Every change is recorded before it is made. Two years are kept.",
    ),
    "none": ("Rien n’est inscrit.", "Nothing is recorded."),
    "at": ("Quand", "When"),
    "actor": ("Qui", "Who"),
    "action": ("Quoi", "What"),
    "objects": ("Sur quoi", "On what"),
    "address": ("Adresse", "Address"),
    "outcome": ("Résultat", "Outcome"),
    "filter": ("Filtrer", "Filter"),
    "clear": ("Tout montrer", "Show all"),
    "newest": ("Les plus récentes", "Newest"),
    "older": ("Plus anciennes", "Older"),
    "stranger": ("inconnu", "not logged in"),
    "done": ("fait", "done"),
    "refused": ("refusé ({status})", "refused ({status})"),
    "failed": ("échec ({status})", "failed ({status})"),
    "unfinished": ("inachevé", "unfinished"),
}

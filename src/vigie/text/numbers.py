"""How figures may be written in a sentence: months, spelt numbers, units, and what is counted. Data; `report.figures` reads by it."""

# By number of the month, in order.
MONTHS: tuple[str, ...] = (
    "janvier january jan", "février fevrier february feb", "mars march mar", "avril april apr", "mai may", "juin june jun",
    "juillet july jul", "août aout august aug", "septembre september sep sept", "octobre october oct",
    "novembre november nov", "décembre decembre december dec",
)  # fmt: skip
WORDS: dict[int, str] = {
    0: "zéro zero", 2: "deux two", 3: "trois three", 4: "quatre four", 5: "cinq five", 6: "six", 7: "sept seven", 8: "huit eight",
    9: "neuf nine", 10: "dix ten", 11: "onze eleven", 12: "douze twelve", 13: "treize thirteen", 14: "quatorze fourteen",
    15: "quinze fifteen", 16: "seize sixteen", 20: "vingt twenty", 30: "trente thirty", 60: "soixante sixty", 100: "cent",
}  # fmt: skip

# Units by what they measure; spans are compared in ms, so that 1500 ms and 1.5 s are one.
SPANS: dict[str, int] = {
    "ms": 1, "milliseconde": 1, "millisecond": 1, "s": 1_000, "sec": 1_000, "seconde": 1_000, "second": 1_000, "min": 60_000, "mn": 60_000,
    "minute": 60_000, "h": 3_600_000, "heure": 3_600_000, "hour": 3_600_000, "j": 86_400_000, "d": 86_400_000, "jour": 86_400_000,
    "day": 86_400_000, "semaine": 604_800_000, "week": 604_800_000,
}  # fmt: skip
UNITS: dict[str, str] = {
    "%": "%", "percent": "%", "o": "byte", "b": "byte", "octet": "byte", "byte": "byte", "ko": "kb", "kb": "kb", "kio": "kib", "kib": "kib",
    "mo": "mb", "mb": "mb", "mio": "mib", "mib": "mib", "go": "gb", "gb": "gb",
}  # fmt: skip
# What is counted: a count of checks is not a count of servers.
COUNTED: dict[str, str] = {
    "check": "check", "contrôle": "check", "vérification": "check", "test": "check", "essai": "check", "échec": "check", "failure": "check",
    "tentative": "check", "attempt": "check", "fois": "check", "time": "check", "mesure": "check", "probe": "check", "adresse": "address",
    "address": "address", "redirection": "redirect", "redirect": "redirect", "saut": "redirect", "hop": "redirect",
    "certificat": "certificate", "certificate": "certificate", "serveur": "server", "server": "server", "service": "service",
    "site": "site", "utilisateur": "user", "user": "user", "client": "user", "customer": "user", "requête": "request", "request": "request",
    "région": "region", "region": "region", "incident": "incident", "panne": "incident", "outage": "incident", "erreur": "error",
    "error": "error", "machine": "server", "host": "server", "instance": "server", "nœud": "server", "node": "server",
}  # fmt: skip

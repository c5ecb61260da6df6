"""From where a service fails and from where it works: clauses of messages, sentences of facts. `report.locations` fills them.

`{places}` are names of locations, with the instant since when where that is said: `paris (since 14:02:05 UTC+1) and lyon`.
"""

from vigie.text import Pair

SINCE: Pair = ("{name} (dès {at})", "{name} (since {at})")

# Clauses, joined by commas; the first letter of the line becomes a capital.
FAILS: Pair = ("échoue depuis {places}", "fails from {places}")
WORKS: Pair = ("fonctionne depuis {places}", "works from {places}")
SILENT: Pair = ("sans résultat récent depuis {places}", "no recent result from {places}")
BACK: Pair = ("fonctionne de nouveau depuis {places}", "works again from {places}")
STILL: Pair = ("échoue encore depuis {places}", "still fails from {places}")
NEVER: Pair = ("n'a jamais échoué depuis {places}", "never failed from {places}")

FACT_FAILS: Pair = ("Le contrôle échoue depuis {places}.", "The check fails from {places}.")
FACT_WORKS: Pair = ("Le contrôle réussit depuis {places}.", "The check succeeds from {places}.")
FACT_SILENT: Pair = ("Aucun résultat récent n'est connu depuis {places}.", "No recent result is known from {places}.")
FACT_DIAGNOSED: Pair = ("Les diagnostics ont été faits depuis {places}.", "The diagnostics were run from {places}.")

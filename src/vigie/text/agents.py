"""The messages about agents that are silent, and why a monitor that such a one alone checks is unknown. `report.agents` fills them."""

from vigie.text import Pair, Plural

SILENT: Pair = (
    "⚠️ Agent {name} ({location}) sans nouvelles depuis {lasted}",
    "⚠️ Agent {name} ({location}) has been silent for {lasted}",
)
HEARD: Pair = (
    "🟢 Agent {name} ({location}) : de retour après {lasted}",
    "🟢 Agent {name} ({location}) reports again after {lasted}",
)
LINES: dict[str, Pair] = {
    "silent": (
        "L'agent {name}, à l'emplacement {location}, ne donne plus de nouvelles {since}.",
        "Agent {name} at location {location} has not reported {since}.",
    ),
    "others": (
        "Les services qu'il contrôle le sont aussi depuis d'autres emplacements, qui les jugent sans lui.",
        "The services that it checks are checked from other locations, too, which judge them without it.",
    ),
    "step": (
        "À faire d'abord : sur la machine de l'agent, vérifier que « vigie agent » fonctionne et que ce serveur est joignable.",
        "First step: on the agent's machine, check that `vigie agent` is running and that this server can be reached.",
    ),
    "heard": (
        "L'agent {name}, à l'emplacement {location}, n'a pas donné de nouvelles {span}.",
        "Agent {name} at location {location} did not report {span}.",
    ),
    "kept": (
        "Ce qu'il a mesuré pendant ce temps est transmis dans l'ordre.",
        "What it measured meanwhile is handed in, in order.",
    ),
    "footer": ("Vigie · surveillance de Vigie elle-même", "Vigie · self-monitoring"),
}
ALONE: Plural = (
    (
        "{count} service n'est contrôlé par aucun autre agent : son état est inconnu, et sa disponibilité n'en tient pas compte.",
        "{count} services ne sont contrôlés par aucun autre agent : leur état est inconnu, et leur disponibilité n'en tient pas compte.",
    ),
    (
        "{count} service is checked by no other agent: its state is unknown, and its availability leaves this time out.",
        "{count} services are checked by no other agent: their state is unknown, and their availability leaves this time out.",
    ),
)

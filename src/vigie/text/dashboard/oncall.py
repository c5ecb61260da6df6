"""What the page of who is on call says."""

from vigie.text import Pair, Plural

COUNTED: dict[str, Plural] = {
    "head_several": (
        ("D’astreinte dans {count} rotation : {names}", "D’astreinte dans {count} rotations : {names}"),
        ("{names} is on call, in {count} rotation", "{names} are on call, in {count} rotations"),
    ),
    "and_more": (("et {count} autre", "et {count} autres"), ("and {count} more", "and {count} more")),
}

TEXTS: dict[str, Pair] = {
    "title": ("Astreinte", "On call"),
    "head_one": ("{name} est d’astreinte jusqu’au {until}", "{name} is on call until {until}"),
    "head_always": ("{name} est toujours d’astreinte", "{name} is always on call"),
    "head_none": ("Aucune rotation n’est configurée", "No rotation is configured"),
    "lede": (
        "Une rotation se nomme dans `to:` comme un canal : l’alerte part chez la personne d’astreinte à ce moment-là.",
        "`to:` takes a rotation like a channel: an alert goes to whoever is on call at that moment.",
    ),
    "none_how": (
        "Ajoutez `people:` et `oncall:` au fichier ; la documentation montre comment.",
        "Add `people:` and `oncall:` to the file; the documentation shows how.",
    ),
    "now": ("Maintenant", "Now"),
    "rotation": ("Rotation", "Rotation"),
    "person": ("D’astreinte", "On call"),
    "until": ("Jusqu’au", "Until"),
    "next": ("Ensuite", "Next"),
    "where": ("Défini dans", "Defined in"),
    "always": ("toujours", "always"),
    "override": ("remplacement", "override"),
    "weeks": ("Les quatre prochaines semaines", "The coming four weeks"),
    "weeks_of": (
        "Rotation {name}, {count} tours dans les quatre prochaines semaines : {list}",
        "Rotation {name}, {count} turns in the coming four weeks: {list}",
    ),
    "turns": ("Tous les tours", "All turns"),
    "from_to": ("du {start} au {end}", "from {start} to {end}"),
    "overrides": ("Remplacements", "Overrides"),
    "instead": ("{person} remplace", "{person} instead"),
    "people": ("Personnes", "People"),
    "reached": ("Joignable par", "Reached by"),
    "no_people": ("Personne n’est nommé dans `people:`.", "Nobody is named in `people:`."),
    "unreached": ("par rien : aucun canal", "by nothing: no channel"),
    "feed": ("S’abonner à ce calendrier (iCal)", "Subscribe to this calendar (iCal)"),
    "feed_how": (
        "Cette adresse contient un secret : qui la connaît lit le calendrier.",
        "This address holds a secret: whoever knows it can read the calendar.",
    ),
}

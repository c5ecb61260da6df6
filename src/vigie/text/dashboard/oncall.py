"""What the page of who is on call says."""

from vigie.text import Pair, Plural

COUNTED: dict[str, Plural] = {
    "rotations": (("{count} rotation", "{count} rotations"), ("{count} rotation", "{count} rotations")),
    "and_more": (("et {count} autre", "et {count} autres"), ("and {count} more", "and {count} more")),
}

TEXTS: dict[str, Pair] = {
    "title": ("Astreinte", "On call"),
    "head_several": ("D’astreinte en ce moment : {names}", "On call now: {names}"),
    "and": ("et", "and"),
    "head_one": ("{name} est d’astreinte jusqu’au {until}", "{name} is on call until {until}"),
    "head_always": ("{name} est toujours d’astreinte", "{name} is always on call"),
    "head_none": ("Aucune rotation n’est configurée", "No rotation is configured"),
    "lede": (
        "Une alerte qui nomme une rotation part chez la personne d’astreinte à ce moment-là.",
        "An alert that names a rotation goes to whoever is on call at that moment.",
    ),
    "none_how": (
        "Ajoutez « people » et « oncall » au fichier ; la documentation montre comment.",
        "Add “people” and “oncall” to the file; the documentation shows how.",
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
    "name": ("Personne", "Person"),
    "people": ("Personnes", "People"),
    "reached": ("Joignable par", "Reached by"),
    "no_people": ("Le fichier ne nomme personne sous « people ».", "The file names nobody under “people”."),
    "unreached": ("par rien : aucun canal", "by nothing: no channel"),
    "feed": ("S’abonner à ce calendrier (iCal)", "Subscribe to this calendar (iCal)"),
    "feed_how": (
        "Cette adresse contient un secret : qui la connaît lit le calendrier.",
        "This address holds a secret: whoever knows it can read the calendar.",
    ),
}

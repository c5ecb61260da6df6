"""What the pages behind links in messages say: whether an analysis helped, and what was done about an alert."""

from vigie.text import Pair, Plural

# What changes with `count`.
COUNTED: dict[str, Plural] = {
    "respond_members": (
        ("{count} service concerné :", "{count} services concernés :"),
        ("{count} service affected:", "{count} services affected:"),
    ),
    "respond_more": (("et {count} autre", "et {count} autres"), ("and {count} more", "and {count} more")),
}

TEXTS: dict[str, Pair] = {
    "other": ("English", "Français"),  # the name of the other language
    # The question about an analysis
    "ask_title": ("L'analyse a-t-elle été utile ?", "Was the analysis helpful?"),
    "ask_incident": ("{name} : incident {incident}, depuis le {time}", "{name}: incident {incident}, since {time}"),
    "ask_by": ("Analyse rédigée par {model}", "Written by {model}"),
    "ask_none": ("Aucune analyse de cet incident n'est enregistrée.", "No analysis of this incident is on record."),
    "ask_helped": ("👍 Oui, utile", "👍 Yes, helpful"),
    "ask_misled": ("👎 Non, trompeuse", "👎 No, misleading"),
    "ask_cause": ("La cause réelle, si vous la connaissez", "The real cause, if you know it"),
    "ask_cause_how": ("Choisissez dans la liste, ou décrivez-la.", "Pick one from the list, or describe it."),
    "ask_note": ("Une note pour la prochaine fois", "A note for next time"),
    "ask_send": ("Envoyer", "Send"),
    "ask_kept": (
        "Votre réponse est conservée avec l'incident. Un modèle qui se trompe trop souvent ne fait plus que choisir des faits.",
        "Your answer is kept with the incident. A model that is misleading too often no longer writes: it only picks facts.",
    ),
    "ask_thanks": ("Merci, c'est enregistré.", "Thank you, your answer has been recorded."),
    "ask_again": ("Vous pouvez fermer cette page.", "You can close this page."),
    "ask_gone": ("Lien invalide", "Invalid link"),
    "ask_gone_how": (
        "Il est incomplet, ou l'incident n'est plus enregistré.",
        "It is incomplete, or the incident is no longer on record.",
    ),
    "ask_bad": (
        "Indiquez si l'analyse a été utile, et raccourcissez les textes.",
        "Please say whether the analysis was helpful, and keep the texts short.",
    ),
    "ask_enough": (
        "Cet incident a déjà reçu trop de réponses. Pour en ajouter une, sur la machine de Vigie : vigie incidents resolve {incident}",
        "This incident already has too many answers. To add one on Vigie's own machine: vigie incidents resolve {incident}",
    ),
    "ask_later": (
        "Votre réponse n'a pas pu être enregistrée : réessayez dans une minute.",
        "Your answer could not be saved: please try again in a minute.",
    ),
    # The page behind the links of an alert
    "respond_title_ack": ("Acquitter l'alerte", "Acknowledge the alert"),
    "respond_title_snooze": ("Mettre l'alerte en veille", "Snooze the alert"),
    "respond_title_resolve": ("Clore l'incident", "Resolve the incident"),
    "respond_alert": ("{name} : incident {incident}, depuis le {time}", "{name}: incident {incident}, since {time}"),
    "respond_cause": ("Observé : {cause}.", "Observed: {cause}."),
    "respond_acked": ("Déjà acquittée par : {by}", "Already acknowledged by: {by}"),
    "respond_means_ack": (
        "Les rappels et l'escalade s'arrêtent. La fin de l'incident sera notifiée.",
        "Reminders and escalation stop. You will still be notified when it ends.",
    ),
    "respond_means_snooze": (
        "Ni rappel ni escalade pendant ce temps. Si l'incident est toujours en cours ensuite, l'alerte reprend.",
        "No reminders and no escalation meanwhile. If the incident is still open afterwards, the alert resumes.",
    ),
    "respond_means_resolve": (
        "L'incident est clos manuellement. Si le service échoue toujours, un nouvel incident s'ouvrira.",
        "The incident is closed manually. If the service is still failing, a new incident will open.",
    ),
    "respond_how_long": ("Durée", "For how long"),
    "respond_note": ("Ce qui s'est passé, en quelques mots", "What happened, in your own words"),
    "respond_name": ("Votre nom", "Your name"),
    "respond_name_how": ("Facultatif : vos collègues voient qui s'en occupe.", "Optional: shows others who is working on it."),
    "respond_by": ("un lien envoyé à {channel}", "a link sent to {channel}"),
    "respond_done_ack": ("L'alerte est acquittée.", "The alert is acknowledged."),
    "respond_done_snooze": ("L'alerte est en veille pour {span}.", "The alert is snoozed for {span}."),
    "respond_done_resolve": ("L'incident est clos.", "The incident is closed."),
    "respond_again": ("Vous pouvez fermer cette page.", "You can close this page."),
    "respond_gone": ("Lien invalide", "Invalid link"),
    "respond_gone_how": (
        "Le lien est incomplet, ou l'incident n'est plus enregistré.",
        "The link is incomplete, or the incident is no longer on record.",
    ),
    "respond_expired_how": (
        "Ce lien a expiré. Ouvrez celui d'un message plus récent, ou sur la machine de Vigie : vigie incidents list --open",
        "This link has expired. Use one from a newer message, or on Vigie's own machine: vigie incidents list --open",
    ),
    "respond_over_how": (
        "L'incident est déjà terminé : il n'y a plus rien à faire.",
        "The incident is already over: nothing is left to do.",
    ),
    "respond_already_how": ("L'alerte est déjà acquittée.", "The alert has already been acknowledged."),
    "respond_later_how": (
        "Votre réponse n'a pas pu être enregistrée : réessayez dans une minute.",
        "Your answer could not be saved: please try again in a minute.",
    ),
    "respond_bad_how": (
        "Choisissez une durée proposée et raccourcissez les textes.",
        "Pick one of the durations offered, and keep the texts short.",
    ),
}

# Who answered by a link, as it is noted with the incident.
READER: Pair = ("un lecteur (lien)", "a reader (link)")

# The answer to somebody who pressed a button, by what came of it.
PRESSED: dict[str, Pair] = {
    "done_ack": ("✅ Acquittée par {by}.", "✅ Acknowledged by {by}."),
    "done_snooze": ("💤 Mise en veille pour 1 h par {by}.", "💤 Snoozed for 1 h by {by}."),
    "done_resolve": ("⚪ Incident clos par {by}.", "⚪ Incident closed by {by}."),
    "already": ("L'alerte est déjà acquittée.", "The alert has already been acknowledged."),
    "over": ("L'incident est déjà terminé.", "The incident is already over."),
}
PRESSED_LATER: Pair = (
    "Votre réponse n'a pas pu être enregistrée : réessayez dans une minute.",
    "Your answer could not be saved: please try again in a minute.",
)

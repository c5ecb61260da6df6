"""What `vigie init` asks, says and writes."""

from vigie.text import Pair

WORDS: dict[str, Pair] = {
    "language": ("Langue des rapports et des e-mails (fr ou en) ?", "Language of reports and emails (fr or en)?"),
    "url": ("Quelle URL Vigie doit-elle surveiller ?", "What should Vigie monitor (URL)?"),
    "sender": ("Adresse e-mail de l'expéditeur ?", "Sender's email address?"),
    "receiver": ("À quelle adresse e-mail envoyer les alertes ?", "Where should alerts go (email address)?"),
    "server": ("Serveur de messagerie ?", "Mail server?"),
    "port": (
        "Port du serveur de messagerie (587 : STARTTLS, 465 : TLS implicite) ?",
        "Mail server port (587: STARTTLS, 465: implicit TLS)?",
    ),
    "password": ("Mot de passe ({hint})", "Password ({hint})"),
    "app_password": ("un mot de passe d'application du compte Google", "an app password of the Google account"),
    "no_password": ("vide si le serveur n'en demande pas", "empty if the server needs none"),
    "bad_language": ("{text!r} : répondez fr ou en", "{text!r} must be fr or en"),
    "bad_port": ("{text!r} n'est pas un port ; écrivez 587 ou 465", "{text!r} is not a port; write 587 or 465"),
    "nothing": ("Rien n'a été écrit.", "Nothing was written."),
    "and": (" et ", " and "),
    "wrote": ("Écrit : {files}.", "Wrote {files}."),
    "kept": ("Écrit : {files} ; {kept}, qui existait, est conservé.", "Wrote {files}; kept the existing {kept}."),
    "next": (
        "Ensuite : {first}`vigie doctor`, `vigie notify test`, puis `vigie once` ou `vigie serve`.",
        "Next: {first}`vigie doctor`, `vigie notify test`, and `vigie once` or `vigie serve`.",
    ),
    "fill": ("remplissez .env, puis ", "fill in .env, then "),
}

YAML: Pair = (
    """\
# Configuration de Vigie. Toutes les clés : docs/configuration.md ; `vigie config check` dit ce qui ne va pas, avec la ligne.
language: {language}                       # des rapports, des e-mails et des pages web : fr ou en

# Le modèle qui rédige les rapports. Sans Ollama, le rapport simple est envoyé ; `provider: none` désactive le modèle.
llm: {{provider: ollama, model: "${{OLLAMA_MODEL:-llama3}}"}}

notify:
  mail: {{type: email}}                # SMTP_* et EMAIL_* viennent de .env
  # slack: {{type: slack, url: "${{SLACK_WEBHOOK}}"}}

alerts:
  # Trois échecs consécutifs, à cinq secondes d'intervalle, ouvrent un incident ; deux contrôles réussis le referment.
  default: {{confirm: 3, confirm_every: 5s, recover: 2, remind: 4h, to: [mail]}}

monitors:
  - url: {url}
    every: 60s
    timeout: 10s
    # expect: {{status: 200-299, keyword: ok, latency: 800ms, tls_days: 14}}
""",
    """\
# Vigie's configuration. Every key: docs/configuration.md; `vigie config check` says what is wrong, with the line.
language: {language}                       # of reports, emails and web pages: fr or en

# The model that writes reports. Without Ollama, the plain report is sent; `provider: none` turns the model off.
llm: {{provider: ollama, model: "${{OLLAMA_MODEL:-llama3}}"}}

notify:
  mail: {{type: email}}                # SMTP_* and EMAIL_* come from .env
  # slack: {{type: slack, url: "${{SLACK_WEBHOOK}}"}}

alerts:
  # Three consecutive failures, five seconds apart, open an incident; two passed checks close it.
  default: {{confirm: 3, confirm_every: 5s, recover: 2, remind: 4h, to: [mail]}}

monitors:
  - url: {url}
    every: 60s
    timeout: 10s
    # expect: {{status: 200-299, keyword: ok, latency: 800ms, tls_days: 14}}
""",
)

ENV: Pair = (
    """\
# Les secrets vont ici, pas dans vigie.yaml ; vous seul pouvez lire ce fichier.
EMAIL_SENDER={sender}
# Pour Gmail : un mot de passe d'application, à créer dans les paramètres de sécurité du compte Google.
EMAIL_PASSWORD={password}
EMAIL_RECEIVER={receiver}
SMTP_SERVER={server}
# 587 : STARTTLS ; 465 : TLS implicite.
SMTP_PORT={port}
""",
    """\
# Secrets go here, not in vigie.yaml; only you can read this file.
EMAIL_SENDER={sender}
# For Gmail: an app password, created on the security page of the Google account.
EMAIL_PASSWORD={password}
EMAIL_RECEIVER={receiver}
SMTP_SERVER={server}
# 587: STARTTLS; 465: implicit TLS.
SMTP_PORT={port}
""",
)

"""A letter of a status page as a mail: what a stranger wrote (the address) is checked before, and put nowhere but in `To`."""

from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formataddr, formatdate

from vigie.notifiers.kit.text import flat
from vigie.report.letters import Mail

_NAME = 60


def written(letter: Mail, sender: str, now: int, identity: str) -> EmailMessage:
    """The mail; `now` is epoch ms."""
    mail = EmailMessage(policy=SMTP.clone(cte_type="7bit"))  # passes servers without 8BITMIME
    mail["Subject"] = flat(letter.subject)
    mail["From"] = formataddr((flat(letter.sender, _NAME), sender))
    mail["To"] = letter.to
    mail["Date"] = formatdate(now / 1000)
    mail["Message-ID"] = identity
    for name, value in letter.headers:
        mail[name] = value
    mail.set_content(letter.text)
    mail.add_alternative(letter.html, subtype="html")
    return mail

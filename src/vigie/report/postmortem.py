"""The report after an incident: what is on record, in order, in French or English; what only people can know is left for them, marked.

A document is plain sections of paragraphs, lists and tables; `markdown` writes it, the web page has a template for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

from vigie.core.availability import Availability
from vigie.core.detection import Severity
from vigie.core.events import (
    AckRecorded,
    Announced,
    Cleared,
    Closed,
    Decision,
    Disclosed,
    Ended,
    Joined,
    Opened,
    Recovered,
    Reminded,
    Suspected,
    Withheld,
)
from vigie.core.model import Incident
from vigie.core.notification import NoticeReason
from vigie.report import rules
from vigie.report.changes import changes
from vigie.report.facts import Analysis, Bundle, FactKind, Subject
from vigie.report.history import Past, Remark, similar
from vigie.report.render import analysis_label
from vigie.text.causes import known_cause
from vigie.text.words import cause_words, date_time, duration, label, pick

_MAX_SIMILAR = 5
_EXPECTED = (FactKind.DNS, FactKind.TCP, FactKind.CONTROL, FactKind.HTTP, FactKind.TLS)


_NOTICES: dict[str, tuple[str, str]] = {
    NoticeReason.OPENED: ("alerte", "page"),
    NoticeReason.DISCLOSED: ("alerte après maintenance", "page after maintenance"),
    NoticeReason.REMINDER: ("rappel", "reminder"),
    NoticeReason.RECOVERED: ("annonce du retour", "recovery notice"),
    NoticeReason.CLOSED: ("annonce de la clôture", "closing notice"),
    NoticeReason.REPORT: ("analyse", "analysis"),
    NoticeReason.UNDELIVERABLE: ("annonce d'un canal muet", "notice of a silent channel"),
}


@dataclass(frozen=True, slots=True)
class DeliveryAttempt:
    """One attempt to tell somebody: `reason` is the notice's, `fault` is empty when the channel took it. Instants in epoch ms."""

    at: int
    channel: str
    reason: NoticeReason | str
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """All that is on record of one incident. `month` is how available the monitor was in the last thirty days, or since it is watched."""

    subject: Subject
    bundle: Bundle
    analysis: Analysis | None
    decisions: tuple[tuple[int, Decision], ...]
    told: tuple[DeliveryAttempt, ...]
    remarks: tuple[Remark, ...]
    past: tuple[Past, ...]
    month: Availability
    now: int


@dataclass(frozen=True, slots=True)
class Section:
    """A title and what stands under it; `rows` make a table, `items` a list, `fill` marks what a person has to write."""

    title: str
    paragraphs: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    fill: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report."""

    title: str
    language: str
    sections: tuple[Section, ...]


def document(record: Record, language: str, zone: tzinfo) -> Document:
    """The report of an incident, open or closed."""
    writer = _Writer(record, language, zone)
    name = record.subject.monitor.name
    title = writer.say(f"Incident {record.subject.incident.id} : {name}", f"Incident {record.subject.incident.id}: {name}")
    parts = (
        writer.summary(), writer.impact(), writer.detection(), writer.timeline(), writer.observed(), writer.unknown(),
        writer.ending(), writer.similar(), *writer.for_people(),
    )  # fmt: skip
    return Document(title, language, tuple(part for part in parts if part is not None))


class _Writer:
    """Writes the sections one by one."""

    def __init__(self, record: Record, language: str, zone: tzinfo) -> None:
        self._record, self._language, self._zone = record, language, zone
        self._incident, self._subject = record.subject.incident, record.subject
        self._end = self._incident.closed_at or record.now

    def say(self, fr: str, en: str) -> str:
        return pick((fr, en), self._language)

    def _span(self, ms: int) -> str:
        return duration(ms, self._language)

    def _at(self, instant: int) -> str:
        return date_time(instant, self._zone)

    def summary(self) -> Section:
        what = cause_words(self._subject.result.cause or self._incident.cause, self._subject.result.figures, self._language)
        who, since, lasted = (
            self._subject.monitor.name,
            self._at(self._incident.started_at),
            self._span(self._end - self._incident.started_at),
        )
        outage = self._incident.severity is Severity.OUTAGE
        down = self.say("en panne" if outage else "dégradé", "down" if outage else "degraded")
        first = self.say(f"{who} a été {down} pendant {lasted}, à partir du {since}.", f"{who} was {down} for {lasted}, from {since}.")
        if self._incident.closed_at is None:
            first = self.say(
                f"{who} est {down} depuis {lasted}, à partir du {since}.", f"{who} has been {down} for {lasted}, since {since}."
            )
        lines = [first, label("was", self._language, what=what), *self._cause()]
        written = self._record.analysis
        if written is not None and written.sentences and written.language == self._language:  # a text in another language helps nobody here
            named = analysis_label(written, self._language)
            lines.append(self.say(f"{named} : ", f"{named}: ") + " ".join(written.sentences))
        return Section(self.say("Résumé", "Summary"), tuple(lines))

    def _cause(self) -> list[str]:
        noted = next((one for one in reversed(self._record.remarks) if one.cause), None)
        if noted is not None and (words := known_cause(noted.cause)) is not None:
            text = pick(words, self._language)
            return [self.say(f"Cause notée par {noted.by} : {text}.", f"Cause noted by {noted.by}: {text}.")]
        found = rules.shortlist(self._record.bundle, self._subject)
        if not found:
            return [label("unknown", self._language)]
        grade, facts = label(found[0].grade, self._language), ", ".join(found[0].facts)
        return [label("likely", self._language, grade=grade, cause=pick(found[0].text, self._language), facts=facts)]

    def impact(self) -> Section:
        month = self._record.month
        lasted = self._end - self._incident.started_at
        share = "–" if month.ratio is None else f"{month.ratio * 100:.3f} %"
        share = share.replace(".", self.say(",", "."))
        rows = [
            (self.say("Durée", "Duration"), self._span(lasted)),
            (self.say("Disponibilité sur 30 jours", "Availability over 30 days"), share),
            (self.say("Indisponibilité sur 30 jours", "Downtime over 30 days"), self._span(month.down_ms)),
            (self.say("Personnes et chiffre d'affaires touchés", "People and revenue affected"), self.say("à compléter", "to fill in")),
        ]
        return Section(self.say("Impact en chiffres", "Impact in numbers"), rows=tuple(rows))

    def detection(self) -> Section:
        rows = [(self.say("Premier contrôle en échec → incident confirmé", "First failed check → incident confirmed"),
                 self._exact(self._incident.opened_at - self._incident.started_at))]  # fmt: skip
        first = next((one for one in self._record.told if not one.fault), None)
        if first is not None:
            words = self.say("Incident confirmé → première alerte remise", "Incident confirmed → first page handed over")
            rows.append((f"{words} ({first.channel})", self._exact(max(first.at - self._incident.opened_at, 0))))
        acked = next((at for at, decision in self._record.decisions if isinstance(decision, AckRecorded)), None)
        if acked is not None:
            words = self.say("Incident confirmé → accusé de réception", "Incident confirmed → acknowledged")
            rows.append((words, self._exact(acked - self._incident.opened_at)))
        return Section(self.say("Détection", "Detection"), rows=tuple(rows))

    def _exact(self, ms: int) -> str:
        return f"{ms / 1000:.1f} s" if ms < 60_000 else self._span(ms)

    def timeline(self) -> Section:
        lines = [(at, words) for at, decision in self._record.decisions if (words := self._decided(decision))]
        lines += [(one.at, self._delivered(one)) for one in self._record.told]
        lines.append((self._incident.started_at, self.say("premier contrôle en échec", "first failed check")))
        rows = [(self._at(at), words) for at, words in sorted(lines, key=lambda line: line[0])]
        return Section(self.say("Chronologie", "Timeline"), rows=tuple(rows))

    def _decided(self, decision: Decision) -> str:
        match decision:
            case Withheld():
                return self.say("maintenance en cours : personne n'est notifié", "maintenance: nobody is notified")
            case Joined() | Announced() | Ended():
                return ""
            case Opened():
                return self.say("incident confirmé", "incident confirmed")
            case Disclosed():
                return self.say("fin de la maintenance : incident annoncé", "maintenance over: the incident is told")
            case Reminded(number=number):
                return self.say(f"rappel n° {number}", f"reminder {number}")
            case AckRecorded(by=by):
                return self.say(f"accusé de réception par {by}", f"acknowledged by {by}")
            case Recovered():
                return self.say("le service répond de nouveau comme attendu", "the service answers as expected again")
            case Closed(by=by):
                return self.say(f"clos par {by}", f"closed by {by}")
            case Suspected() | Cleared():
                return ""

    def _delivered(self, one: DeliveryAttempt) -> str:
        what = pick(_NOTICES.get(one.reason, (str(one.reason), str(one.reason))), self._language)
        if one.fault:
            return self.say(f"{what} : non remise à {one.channel} ({one.fault})", f"{what}: not handed to {one.channel} ({one.fault})")
        return self.say(f"{what} : remise à {one.channel}", f"{what}: handed to {one.channel}")

    def observed(self) -> Section:
        facts = [(fact.id, fact.evidence.fr if self._language == "fr" else fact.evidence.en) for fact in self._record.bundle.facts]
        return Section(self.say("Ce qui a été observé", "What was observed"), rows=tuple(facts))

    def unknown(self) -> Section:
        kinds = {fact.evidence.kind for fact in self._record.bundle.facts}
        names = {
            FactKind.DNS: self.say("les réponses DNS", "DNS answers"),
            FactKind.TCP: self.say("l'état de chaque adresse", "the state of each address"),
            FactKind.CONTROL: self.say("la liaison de Vigie elle-même", "Vigie's own link"),
            FactKind.HTTP: self.say("la réponse HTTP", "the HTTP answer"),
            FactKind.TLS: self.say("le certificat", "the certificate"),
        }
        missing = [names[kind] for kind in _EXPECTED if kind not in kinds]
        items = [self.say(f"Non mesuré : {name}.", f"Not measured: {name}.") for name in missing]
        if not any(one.cause for one in self._record.remarks):
            items.append(self.say("Aucune personne n'a noté la cause réelle.", "Nobody has noted the real cause."))
        items.append(self.say("Ce qui s'est passé dans le service lui-même, que Vigie ne voit que du dehors.",
                              "What went on inside the service, which Vigie sees from outside only."))  # fmt: skip
        return Section(self.say("Ce qu'on ne sait pas", "What is not known"), items=tuple(items))

    def ending(self) -> Section:
        title = self.say("Ce qui y a mis fin", "What ended it")
        if self._incident.closed_at is None:
            return Section(title, (self.say("L'incident dure encore.", "The incident is still open."),))
        at = self._at(self._incident.closed_at)
        ended = self.say(f"Le service a répondu de nouveau comme attendu le {at}.", f"The service answered as expected again at {at}.")
        if self._incident.closed_by is not None:
            by = self._incident.closed_by
            ended = self.say(f"{by} a clos l'incident le {at}.", f"{by} closed the incident at {at}.")
        notes = [label("note", self._language, note=" ".join(note.split())) for note in self._notes()]
        good = self._subject.first_good
        found = [one for one in changes(self._subject.result, good) if one.differs] if good is not None else []
        items = [self.say(one.fr, one.en) for one in found]
        if good is not None and not items:
            items = [label("unchanged", self._language)]
        return Section(title, (ended, *notes), tuple(items))

    def _notes(self) -> list[str]:
        return list(dict.fromkeys(note for note in (self._incident.note or "", *(one.note for one in self._record.remarks)) if note))

    def similar(self) -> Section:
        found = similar(self._subject, self._record.past)[:_MAX_SIMILAR]
        title = self.say("Incidents semblables", "Similar incidents")
        if not found:
            return Section(title, (self.say("Aucun sur les 90 derniers jours.", "None in the last 90 days."),))
        return Section(title, rows=tuple(self._alike(one) for one in found))

    def _alike(self, one: Past) -> tuple[str, ...]:
        past: Incident = one.incident
        words = known_cause(one.noted)
        cause = pick(words, self._language) if words else str(past.cause)
        return past.id, self._at(past.started_at), self._span((past.closed_at or past.opened_at) - past.started_at), cause

    def for_people(self) -> tuple[Section, ...]:
        """What no program can know."""
        titles = (
            ("Cause racine", "Root cause"), ("Ce qui a bien ou mal marché", "What went well and what did not"),
            ("Actions, avec responsable et échéance", "Action items, with owner and date"),
        )  # fmt: skip
        fill = self.say("À compléter par l'équipe.", "To be filled in by the team.")
        return tuple(Section(pick(title, self._language), fill=fill) for title in titles)


def markdown(found: Document) -> str:
    """The document as Markdown (CommonMark with tables)."""
    lines = [f"# {_flat(found.title)}", ""]
    for section in found.sections:
        lines += [f"## {_flat(section.title)}", ""]
        for paragraph in section.paragraphs:
            lines += [_flat(paragraph), ""]
        if section.items:
            lines += [*(f"- {_flat(item)}" for item in section.items), ""]
        if section.rows:
            lines += [*_table(section.rows), ""]
        if section.fill:
            lines += [f"> ✍ {section.fill}", ""]
    return "\n".join(lines)


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    width = len(rows[0])
    return ["|" + " |" * width, "|" + "---|" * width, *("| " + " | ".join(_flat(cell) for cell in row) + " |" for row in rows)]


def _flat(text: str) -> str:
    """One line in which nothing is markup: names and notes come from people."""
    return "".join("\\" + character if character in "\\`*_[]<>|#" else character for character in " ".join(text.split()))

"""A post-incident report as one page of HTML that needs nothing else: for a browser, a printer, or an attachment."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from vigie.report.postmortem import Document


def html(document: Document) -> str:
    """The whole page."""
    pages = Environment(loader=PackageLoader("vigie.web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return pages.get_template("postmortem.html.j2").render(document=document)

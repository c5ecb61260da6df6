"""What a YAML parser objects to, in the words of whoever wrote the file."""

import re

from ruamel.yaml.error import MarkedYAMLError, YAMLError

_QUOTES, _BEGINS = "put it in quotes", "put a text that begins with it in quotes"
_UNREADABLE = ("the line cannot be read", "check the indentation, the brackets and the quotes there")
# What the parser says (its context, then its problem), with groups that our words repeat; our words, and the fix.
_OPEN = (
    (r"quoted scalar found unexpected end of stream", "this quote is never closed", "close it"),
    (r"flow (?:sequence|mapping) expected .*'<stream end>'", "this bracket is never closed", "close it"),
    (r"flow node .*'<stream end>'", "this bracket is never closed", "close it"),
)
_FAULTS = (
    (r"flow sequence expected", "a comma or the closing ] is missing here", "add it, or put the text in quotes"),
    (r"flow mapping expected", "a comma or the closing } is missing here", "add it, or put the text in quotes"),
    (r"found character '\\t'", "this line begins with a tab", "indent with spaces: YAML does not allow tabs"),
    (r"found character '(.)'", r"a text cannot begin with \1", _QUOTES),
    (r"block scalar expected", "> and | begin a text of several lines", "put a text or comparison that begins with one in quotes"),
    (r"mapping values are not", "there is one : too many here, or the indentation differs", "put a text that contains a colon in quotes"),
    (r"sequence entries are not", "a list begins on a line of its own", "put it on the next line, or write [a, b]"),
    (r"undefined alias '(.+?)'", r"*\1 refers to a name that no & defines", "put a text that begins with * in quotes"),
    (r"anchor|alias", "& and * begin a name that is used elsewhere", "put a text that begins with one in quotes"),
    (r"escape character|escape sequence", "a backslash within double quotes begins an escape", "write two of them, or use single quotes"),
    (r"found another document", "the file contains two documents", "remove the line ---"),
    (r"node content, but found '(.+?)'", r"\1 is not expected here", _BEGINS),
    (r"block end>, but found '<scalar>'", "there is text after the end of a value", "put the whole value in quotes"),
    (r"block end>", "the indentation does not match the lines above", "align this line with those that it belongs to"),
    (r"document start", "there is text outside the keys of the file", "check the lines above"),
    (r"YAML document|YAML directive", "only YAML 1.1 and 1.2 are understood", "remove the line %YAML"),
    (r"\ban? tag", "! begins a tag, which has no use here", _BEGINS),
)


def words(error: YAMLError) -> tuple[str, str, int | None]:
    """(what is wrong, how to mend it, the line if it is known) of a parser's complaint."""
    if not isinstance(error, MarkedYAMLError):
        return (*_UNREADABLE, None)
    said = " ".join(" ".join(str(part) for part in (error.context, error.problem) if part).split())
    mark, began = error.problem_mark or error.context_mark, error.context_mark or error.problem_mark
    for pattern, ours, fix in (*_OPEN, *_FAULTS):
        if match := re.search(pattern, said):  # pattern: of the tables above; what it meets is our own configuration
            place = began if (pattern, ours, fix) in _OPEN else mark  # what is never closed is noticed at the end of the file
            return match.expand(ours), fix, place.line + 1 if place else None
    return (*_UNREADABLE, mark.line + 1 if mark else None)

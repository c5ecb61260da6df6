"""What is said of a job that reports in, in one line of English."""

from vigie.core.heartbeat import Finding, Reason
from vigie.text.words import duration

_LINES: dict[Reason, str] = {
    Reason.NEVER_PINGED: "no ping has ever come; one was due {0} ago",
    Reason.SILENT: "no ping for {0}; one was due {1} ago",
    Reason.OVERRUNNING: "started {0} ago and not ended, limit {1}",
    Reason.FAILED: "the job reported failure",
    Reason.RUNNING: "running for {0}",
    Reason.REPORTED: "reported {0} ago",
    Reason.NOT_LISTENING: "a ping was due while Vigie could not receive it",
    Reason.NOT_YET: "no ping has come yet",
    Reason.UNREACHABLE: "this machine's own link fails, so no ping can come in",
    Reason.NOT_DUE: "no ping has come yet, and none is due",
}


def line(finding: Finding) -> str:
    """The line; empty for a job of which there is nothing to say yet."""
    if finding.reason is None:
        return ""
    text = _LINES[finding.reason].format(*(duration(ms, "en") for ms in finding.spans))
    code = (finding.figures or {}).get("exit_status")
    return f"{text} (exit status {code})" if finding.reason is Reason.FAILED and code is not None else text

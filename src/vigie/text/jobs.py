"""What the log and the command line say of a job that reports in, in one line of English; spans fill the fields in their order."""

from vigie.observation.heartbeat import Reason

LINES: dict[Reason, str] = {
    Reason.NEVER_PINGED: "no ping received yet; one was due {0} ago",
    Reason.SILENT: "no ping for {0}; one was due {1} ago",
    Reason.OVERRUNNING: "started {0} ago and still running, limit {1}",
    Reason.FAILED: "the job reported a failure",
    Reason.RUNNING: "running for {0}",
    Reason.REPORTED: "reported {0} ago",
    Reason.NOT_LISTENING: "a ping was due while Vigie could not receive it",
    Reason.NOT_YET: "no ping received yet",
    Reason.UNREACHABLE: "this machine's own link is down, so no ping can arrive",
    Reason.NOT_DUE: "no ping received yet, and none is due",
}
WITH_STATUS = "{text} (exit status {status})"

"""Every cause is provoked for real, on loopback, and has a healthy neighbour that looks like it and must not be accused.

The table names a test for each, `file::function`; a new cause is not in it, and a test that was renamed is not found.
"""

import ast
from functools import cache
from pathlib import Path

import pytest

from vigie.core.model import Cause

TESTS = Path(__file__).parent
SOURCES = TESTS.parent / "src" / "vigie"

HTTP, NAMES, TLS = "probes/http/test_answers.py", "probes/http/test_names.py", "probes/http/test_tls.py"
HOSTILE, REDIRECTS = "probes/http/test_hostile.py", "probes/http/test_redirects.py"
ICMP, JOBS, BASELINES = "probes/test_icmp.py", "web/test_jobs.py", "engine/test_baselines_real.py"
PAGES = "probes/test_page.py"

DNS = (f"{NAMES}::test_every_cause_of_dns", f"{NAMES}::test_every_cause_of_dns")  # its first and its last row are the neighbours
CERTIFICATE = (f"{TLS}::test_bad_certificates", f"{TLS}::test_a_good_certificate_is_up_with_its_facts")
SERVER = (f"{HOSTILE}::test_a_server_that", f"{HOSTILE}::test_no_fault_is_found_in_a_server_that")
EXPECTED = (f"{HTTP}::test_expectations", f"{HTTP}::test_expectations")  # most of its rows are in pairs
SLOW = (f"{HTTP}::test_a_slow_answer_is_degraded_unless_told_otherwise",) * 2  # its last row is the neighbour
JOB = (f"{JOBS}::test_a_job_that_goes_wrong", f"{JOBS}::test_a_job_that_does_its_work")
PAGE = (f"{PAGES}::test_a_page_that_lies_with_a_good_status", f"{PAGES}::test_its_healthy_neighbour_is_up")

# Who provokes it, and who stands beside it and is well.
PROOF: dict[Cause, tuple[str, str]] = {
    Cause.DNS_NXDOMAIN: DNS,
    Cause.DNS_SERVFAIL: DNS,
    Cause.DNS_REFUSED: DNS,
    Cause.DNS_TIMEOUT: DNS,
    Cause.DNS_NO_ANSWER: DNS,
    Cause.DNS_MISMATCH: ("probes/test_dns.py::test_another_answer_is_down_with_its_cause", "probes/test_dns.py::test_an_answer_as_expected_is_up"),
    Cause.TCP_REFUSED: (f"{NAMES}::test_nobody_listens", f"{NAMES}::test_every_address_of_a_name_is_tried"),
    Cause.TCP_RESET: (f"{NAMES}::test_a_connection_that_is_reset", f"{TLS}::test_no_farewell"),
    Cause.TCP_UNREACHABLE: (
        f"{NAMES}::test_an_address_that_leads_nowhere",
        f"{NAMES}::test_one_dead_address_is_no_outage_and_only_dead_ones_are",
    ),
    Cause.TIMEOUT_CONNECT: (f"{NAMES}::test_nobody_answers", f"{NAMES}::test_a_silent_address_leaves_time_for_the_next"),
    Cause.TIMEOUT_TLS: (f"{TLS}::test_a_peer_that", f"{TLS}::test_a_good_certificate_is_up_with_its_facts"),
    Cause.TIMEOUT_FIRST_BYTE: (
        f"{NAMES}::test_a_server_that_takes_the_request_and_says_nothing",
        f"{HTTP}::test_each_phase_is_the_time_it_took",
    ),
    Cause.TIMEOUT_TOTAL: SERVER,
    Cause.TLS_EXPIRED: CERTIFICATE,
    Cause.TLS_NOT_YET_VALID: CERTIFICATE,
    Cause.TLS_HOSTNAME: (f"{TLS}::test_bad_certificates", f"{TLS}::test_the_name_is_matched_as_browsers_do"),
    Cause.TLS_UNTRUSTED: (f"{TLS}::test_bad_certificates", f"{TLS}::test_who_signs_himself_is_trusted_only_where_told_so"),
    Cause.TLS_HANDSHAKE: (f"{TLS}::test_a_peer_that", f"{TLS}::test_a_good_certificate_is_up_with_its_facts"),
    Cause.TLS_EXPIRING: (f"{TLS}::test_a_certificate_that_ends_soon_is_degraded",) * 2,
    Cause.TLS_WEAK: (f"{TLS}::test_a_short_key_is_weak", f"{TLS}::test_a_usual_key_is_not_weak"),
    Cause.HTTP_STATUS: (f"{HTTP}::test_expectations", f"{HTTP}::test_an_answer_without_a_body_is_an_answer"),
    Cause.HTTP_REDIRECT: (f"{REDIRECTS}::test_faulty_redirects", f"{REDIRECTS}::test_every_way_to_name_the_next_place"),
    Cause.HTTP_PROTOCOL: SERVER,
    Cause.HTTP_TRUNCATED: SERVER,
    Cause.HTTP_EMPTY_REPLY: SERVER,
    Cause.HTTP_BLOCKED: PAGE,
    Cause.CONTENT_MISSING: EXPECTED,
    Cause.CONTENT_FORBIDDEN: EXPECTED,
    Cause.CONTENT_JSON: EXPECTED,
    Cause.CONTENT_TYPE: EXPECTED,
    Cause.CONTENT_ERROR_PAGE: PAGE,
    Cause.CONTENT_BLANK: PAGE,
    Cause.CONTENT_TAMPERED: PAGE,
    Cause.CONTENT_CHANGED: (f"{BASELINES}::test_a_page_that_became_another", f"{BASELINES}::test_a_page_with_other_words_is_the_same_page"),
    Cause.LATENCY_THRESHOLD: SLOW,
    Cause.LATENCY_ANOMALY: (
        f"{BASELINES}::test_a_service_that_became_slow_and_stayed_so",
        f"{BASELINES}::test_a_service_that_is_slow_for_a_moment_is_not_told",
    ),
    Cause.ICMP_LOSS: (f"{ICMP}::test_a_host_that_grows_deaf_while_it_is_asked_loses_pings", f"{ICMP}::test_loopback_answers"),
    Cause.ICMP_TIMEOUT: (f"{ICMP}::test_a_network_of_its_own", f"{ICMP}::test_loopback_answers"),
    Cause.PROTOCOL_MISMATCH: ("probes/test_tcp.py::test_a_banner_is_compared",) * 2,
    Cause.HEARTBEAT_MISSED: JOB,
    Cause.HEARTBEAT_LATE: JOB,
    Cause.HEARTBEAT_FAILED: JOB,
    Cause.DOMAIN_EXPIRING: ("probes/test_domain.py::test_trouble_is_told_with_its_number", "probes/test_domain.py::test_healthy_neighbours_are_up"),
    Cause.PROBE_NETWORK: (
        "net/test_votes.py::test_silent_control_targets_convict_it",
        "net/test_votes.py::test_control_targets_that_answer_acquit_the_link",
    ),
    Cause.PROBE_RESOLVER: (
        f"{NAMES}::test_the_system_without_a_resolver_is_our_own_fault",
        f"{NAMES}::test_a_failure_of_dns_is_not_remembered",
    ),
    Cause.PROBE_ERROR: (f"{NAMES}::test_a_machine_without_sockets_is_our_own_fault",) * 2,
}  # fmt: skip


@cache
def _read(file: str) -> dict[str, list[ast.AST]]:
    """What stands at the top of a file, by name: functions, classes and tables (`A, B = 1, 2` is taken apart)."""
    found = dict[str, list[ast.AST]]()
    for node in ast.parse((TESTS / file).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found[node.name] = [node]
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                pairs = [(target, node.value)]
                if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    pairs = list(zip(target.elts, node.value.elts, strict=True))
                for name, value in pairs:
                    found.setdefault(ast.unparse(name), []).append(value)
    return found


def _causes(file: str, function: str) -> set[str]:
    """The causes that a test names, itself or by what it uses of its file: as members of the enum, or by their codes."""
    top, seen, waiting, causes = _read(file), set[str](), [function], set[str]()
    while waiting:
        name = waiting.pop()
        if name in seen or name not in top:
            continue
        seen.add(name)
        for node in (inner for one in top[name] for inner in ast.walk(one)):
            if isinstance(node, ast.Name):
                waiting.append(node.id)
            elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "Cause":
                causes.add(node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                causes |= {cause.name for cause in Cause if cause.value in node.value.split()}
    return causes


def _missing(cause: Cause, proof: tuple[str, str]) -> str:
    """What is wrong with a row, or nothing."""
    for test in proof:
        file, _, function = test.partition("::")
        if not (TESTS / file).is_file() or function not in _read(file):
            return f"tests/{test} is not there"
    file, _, function = proof[0].partition("::")
    return "" if cause.name in _causes(file, function) else f"tests/{proof[0]} does not name {cause}"


def test_every_cause_is_in_the_table() -> None:
    assert set(PROOF) == set(Cause)


@pytest.mark.parametrize("cause", list(Cause))
def test_every_cause_has_a_test_that_provokes_it_and_a_neighbour_that_does_not(cause: Cause) -> None:
    assert _missing(cause, PROOF[cause]) == ""


def test_a_row_that_rots_is_found() -> None:
    good = f"{NAMES}::test_nobody_listens"

    assert _missing(Cause.TCP_REFUSED, (good, good)) == ""
    assert "is not there" in _missing(Cause.TCP_REFUSED, (good, f"{NAMES}::test_renamed"))
    assert "is not there" in _missing(Cause.TCP_REFUSED, ("probes/test_gone.py::test_nobody_listens", good))
    assert "does not name" in _missing(Cause.TIMEOUT_CONNECT, (good, good)), "though its file does"
    assert "does not name" in _missing(Cause.CONTENT_TYPE, (f"{HOSTILE}::test_a_server_that", good)), "and its table does not"

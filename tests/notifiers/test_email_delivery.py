"""Mail against a real server: protection, login, receivers, and each failure with its own words and fix."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
import trustme

from vigie.core.notification import NoticeReason
from vigie.errors import DeliveryError, DeliveryReason
from vigie.net import Secret
from vigie.notifiers import NotifierDeps
from vigie.notifiers.email import Config, Mail, build
from vigie.notifiers.email.greeting import default, is_valid
from vigie.testing import smtp_server as smtp
from vigie.testing.messages import sample
from vigie.testing.notifier_suite import refused
from vigie.testing.smtp_server import Fault, SmtpServer

PAGE = sample(NoticeReason.OPENED, "fr")
Make = Callable[..., Mail]


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_mail_goes_out_encrypted_and_logged_in(tls: smtp.Protection, folder: Path, mail: Make) -> None:
    async with SmtpServer(folder, tls=tls, password="s3cret-é") as server:
        answer = (await mail(server).deliver(PAGE)).answer
        received = server.mails[0]
    assert "queued as 000001" in answer
    assert received.encrypted
    assert received.login == "vigie@example.com"
    assert (received.sender, received.receivers) == ("vigie@example.com", ("team@example.com",))
    assert server.commands[-1] == "QUIT"


async def test_mail_goes_out_plain_only_when_asked(folder: Path, mail: Make) -> None:
    async with SmtpServer(folder, tls="none") as server:
        await mail(server).deliver(PAGE)
        assert not server.mails[0].encrypted
        error = await refused(mail(server, tls="starttls"), PAGE)
    assert (error.reason, error.permanent) == (DeliveryReason.TLS, False)
    assert "does not offer STARTTLS" in error.message
    assert "465" in error.fix
    assert len(server.mails) == 1
    assert "AUTH" not in server.commands


async def test_a_login_of_another_name_than_the_sender_is_used(folder: Path, mail: Make) -> None:
    async with SmtpServer(folder, username="apikey", password="k") as server:
        await mail(server, username="apikey").deliver(PAGE)
    assert server.mails[0].login == "apikey"


async def test_the_server_is_greeted_by_what_was_set_or_else_by_the_best_name_known(folder: Path, mail: Make, deps: NotifierDeps) -> None:
    async with SmtpServer(folder) as server:
        await mail(server).deliver(PAGE)
        await build(mail(server)._config, replace(deps, hostname="laptop")).deliver(PAGE)
        await mail(server, helo="[192.0.2.1]").deliver(PAGE)
    greetings = [line for line in server.commands if line.startswith("EHLO")]
    assert list(dict.fromkeys(greetings)) == ["EHLO watch.example.com", "EHLO example.com", "EHLO [192.0.2.1]"]


@pytest.mark.parametrize(
    ("hostname", "sender", "greeting"),
    [
        ("watch.example.com", "v@site.example", "watch.example.com"),
        ("watch.example.com.", "v@site.example", "watch.example.com"),
        ("xn--bcher-kva.example", "v@site.example", "xn--bcher-kva.example"),
        ("laptop", "v@site.example", "site.example"),
        ("localhost", "v@site.example", "site.example"),
        ("localhost.localdomain", "v@site.example", "site.example"),
        ("(none)", "v@site.example", "site.example"),
        ("(none).example.com", "v@site.example", "site.example"),
        ("my_host.example.com", "v@site.example", "site.example"),
        ("-bad.example.com", "v@site.example", "site.example"),
        ("a..example.com", "v@site.example", "site.example"),
        ("Anna's-Mac.local", "v@site.example", "site.example"),
        ("mac.local", "v@site.example", "site.example"),
        ("ip-10-0-0-1.ec2.internal", "v@site.example", "site.example"),
        ("nas.home.arpa", "v@site.example", "site.example"),
        ("10.0.0.1", "v@site.example", "site.example"),
        ("fe80::1", "v@site.example", "site.example"),
        ("é.example.com", "v@site.example", "site.example"),
        ("x" * 64 + ".example.com", "v@site.example", "site.example"),
        (".".join(["abcdefgh"] * 30), "v@site.example", "site.example"),
        ("", "v@site.example", "site.example"),
        ("laptop", "v@nas.lan", "nas.lan"),
        ("laptop", "root@localhost", "[127.0.0.1]"),
        ("laptop", "root@box.localdomain", "[127.0.0.1]"),
        ("laptop", "root@box", "[127.0.0.1]"),
    ],
)
def test_no_server_is_greeted_by_a_name_that_is_nobodys(hostname: str, sender: str, greeting: str) -> None:
    assert default(hostname, sender) == greeting
    assert is_valid(greeting)


@pytest.mark.parametrize(("helo", "valid"), [
    ("mon.example.com", True), ("box", True), ("[192.0.2.1]", True), ("[IPv6:2001:db8::1]", True), ("a b", False), ("my_host.example.com", False),
    ("[x]", False), ("x\r\nMAIL FROM:<a@b>", False), ("", False), ("(none)", False),
])  # fmt: skip
def test_a_greeting_that_is_no_name_is_a_fault_of_the_configuration(helo: str, valid: bool, mail: Make, folder: Path) -> None:
    server = SmtpServer(folder)
    server.port = 25
    if valid:
        assert mail(server, helo=helo)
    else:
        with pytest.raises(msgspec.ValidationError, match="SMTP_HELO"):
            mail(server, helo=helo)


@pytest.mark.parametrize("tls", ["starttls", "none"])
async def test_a_relay_is_spoken_to_as_it_offers(tls: smtp.Protection, folder: Path, mail: Make) -> None:
    async with SmtpServer(folder, tls=tls) as server:
        channel = mail(server, tls="opportunistic", host="127.0.0.1", ca_file=None)
        await channel.deliver(PAGE)
        line = await channel.examine()
    assert server.mails[0].encrypted is (tls == "starttls")
    assert ("starttls, unverified" if tls == "starttls" else "unencrypted") in line
    assert len(server.mails) == 1  # the examination asked about the recipients, and sent nothing


async def test_a_relay_that_does_not_relay_is_found_by_the_examination(folder: Path, mail: Make) -> None:
    async with SmtpServer(folder, tls="none") as server:
        channel = mail(server, tls="opportunistic")
        server.fault = smtp.REFUSE_RECEIVERS
        with pytest.raises(DeliveryError, match="recipients refused"):
            await channel.examine()
        server.fault = smtp.AUTH_REQUIRED
        with pytest.raises(DeliveryError, match="530"):
            await channel.examine()
        server.fault = smtp.DEFER_RECEIVERS
        await channel.examine()
    assert not server.mails


def test_a_password_is_never_left_to_what_the_server_offers(mail: Make, folder: Path) -> None:
    server = SmtpServer(folder)
    server.port = 25
    with pytest.raises(msgspec.ValidationError, match="SMTP_TLS"):
        mail(server, tls="opportunistic", password="s3cret")


def test_a_password_without_encryption_is_told(mail: Make, folder: Path) -> None:
    server = SmtpServer(folder)
    server.port = 25
    ((key, words, _),) = mail(server, tls="none", password="s3cret")._config.cautions
    assert (key, words) == ("tls", "the password is sent to localhost:25 unencrypted")
    assert mail(server, tls="none")._config.cautions == ()
    assert mail(server, tls="starttls", password="s3cret")._config.cautions == ()


async def test_a_refused_password_names_the_fix_and_is_tried_again_slowly(folder: Path, mail: Make) -> None:
    async with SmtpServer(folder, password="right") as server:
        channel = mail(server, password="wrong-password")
        error = await refused(channel, PAGE)
        with pytest.raises(DeliveryError, match="authentication was refused"):
            await channel.examine()
        await server.quiet()  # no connection is left behind
    assert (error.reason, error.permanent, error.retry_after_ms) == (DeliveryReason.AUTH, False, 300_000)
    assert "535" in error.message
    assert "EMAIL_PASSWORD" in error.fix
    assert "wrong-password" not in f"{error!r} {error.fix}"


async def test_for_gmail_the_fix_is_an_app_password(folder: Path, mail: Make) -> None:
    from vigie.notifiers.email import faults

    fix = faults.login("refused", "smtp.gmail.com").fix
    assert "app password" in fix
    assert "http" not in fix
    assert "app password" not in faults.login("refused", "smtp.example.com").fix


async def test_a_server_without_login_says_so_when_a_password_is_set(folder: Path, mail: Make) -> None:
    async with SmtpServer(folder) as server:
        error = await refused(mail(server, password="unwanted"), PAGE)
    assert error.reason is DeliveryReason.AUTH
    assert "does not offer a login" in error.message


async def test_a_server_that_wants_a_login_says_so_when_no_password_is_set(folder: Path, mail: Make) -> None:
    async with SmtpServer(folder, password="right") as server:
        error = await refused(mail(server, password=None), PAGE)
    assert (error.reason, error.permanent) == (DeliveryReason.AUTH, False)


async def test_a_login_that_is_down_for_the_moment_is_no_wrong_password(folder: Path, mail: Make) -> None:
    async with SmtpServer(folder, password="right", fault=Fault("AUTH", "454 4.7.0 Temporary authentication failure")) as server:
        error = await refused(mail(server), PAGE)
    assert (error.reason, error.permanent) == (DeliveryReason.SERVER, False)


async def test_a_server_that_wants_encryption_first_says_so(folder: Path, mail: Make) -> None:
    fault = Fault("MAIL", "530 5.7.0 Must issue a STARTTLS command first")
    async with SmtpServer(folder, tls="none", fault=fault) as server:
        error = await refused(mail(server), PAGE)
    assert error.reason is DeliveryReason.TLS
    assert "tls: starttls" in error.fix


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_an_unknown_authority_is_named_with_smtp_ca_file(tls: smtp.Protection, folder: Path, mail: Make) -> None:
    other = folder / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    async with SmtpServer(folder, tls=tls, password="s3cret") as server:
        error = await refused(mail(server, ca_file=str(other)), PAGE)
    assert (error.reason, error.permanent) == (DeliveryReason.TLS, False)
    assert "not trusted" in error.message
    assert "SMTP_CA_FILE" in error.fix
    assert "AUTH" not in server.commands  # the password never went to a stranger


async def test_a_certificate_of_another_name_is_named(folder: Path, mail: Make) -> None:
    async with SmtpServer(folder, names=("mail.example.com",)) as server:
        error = await refused(mail(server), PAGE)
    assert error.reason is DeliveryReason.TLS
    assert "for another name" in error.message
    assert "SMTP_SERVER" in error.fix


async def test_tls_from_the_start_to_a_plain_port_is_told_apart(folder: Path, mail: Make) -> None:
    async with SmtpServer(folder) as server:
        error = await refused(mail(server, tls="implicit"), PAGE)
    assert error.reason is DeliveryReason.TLS
    assert "starttls" in error.fix


async def test_starttls_to_a_tls_port_runs_into_the_time_limit_and_names_465(folder: Path, mail: Make) -> None:
    async with SmtpServer(folder, tls="implicit") as server:
        error = await refused(mail(server, tls="starttls"), PAGE)
    assert error.reason is DeliveryReason.TIMEOUT
    assert "implicit" in error.fix


@pytest.mark.parametrize(("content", "words"), [(None, "No such file"), ("no certificate", "contains no certificate")])
async def test_an_unusable_ca_file_is_named(content: str | None, words: str, folder: Path, mail: Make) -> None:
    file = folder / "mine.pem"
    if content is not None:
        file.write_text(content)
    async with SmtpServer(folder) as server:
        error = await refused(mail(server, ca_file=str(file)), PAGE)
    assert error.reason is DeliveryReason.CONFIG
    assert "mine.pem" in error.message
    assert words in error.message


async def test_a_name_that_does_not_resolve_is_named(folder: Path, mail: Make) -> None:
    async with SmtpServer(folder) as server:
        error = await refused(mail(server, host="mail.invalid"), PAGE)
    assert (error.reason, error.permanent) == (DeliveryReason.DNS, False)
    assert "mail.invalid" in error.message


@pytest.mark.parametrize("command", ["CONNECT", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "END"])
@pytest.mark.parametrize(("reply", "reason"), [(smtp.STALL, DeliveryReason.TIMEOUT), (smtp.CLOSE, DeliveryReason.SERVER)])
async def test_silence_and_hanging_up_are_retried_wherever_they_happen(
    command: str, reply: str, reason: DeliveryReason, folder: Path, mail: Make
) -> None:
    async with SmtpServer(folder, password="s3cret", fault=Fault(command, reply)) as server:
        channel = mail(server)
        error = await refused(channel, PAGE)
        await server.quiet()
        server.fault = None
        await channel.deliver(PAGE)
    assert (error.reason, error.permanent) == (reason, False)
    assert len(server.mails) == 1


async def test_a_server_that_never_says_goodbye_does_not_undo_a_delivery(folder: Path, mail: Make) -> None:
    async with SmtpServer(folder, fault=Fault("QUIT", smtp.STALL)) as server:
        async with asyncio.timeout(3):
            assert "queued" in (await mail(server).deliver(PAGE)).answer


async def test_a_receiver_refused_for_good_is_named_and_the_others_get_it(
    folder: Path, mail: Make, caplog: pytest.LogCaptureFixture
) -> None:
    async with SmtpServer(folder, fault=replace(smtp.REFUSE_RECEIVERS, only="gone@")) as server:
        answer = (await mail(server, to="team@example.com, gone@example.com").deliver(PAGE)).answer
    assert server.mails[0].receivers == ("team@example.com",)
    assert "refused: gone@example.com (550" in answer
    assert "gone@example.com" in caplog.text


async def test_a_receiver_put_off_gets_it_later_and_the_others_once(folder: Path, mail: Make) -> None:
    async with SmtpServer(folder, fault=replace(smtp.DEFER_RECEIVERS, only="slow@")) as server:
        channel = mail(server, to=["team@example.com", "slow@example.com"])
        error = await refused(channel, PAGE)
        again = await refused(channel, PAGE)
        server.fault = None
        await channel.deliver(PAGE)
    assert (error.reason, error.permanent) == (DeliveryReason.RECIPIENT, False)
    assert "slow@example.com" in again.message
    assert [one.receivers for one in server.mails] == [("team@example.com",), ("slow@example.com",)]


async def test_a_receiver_refused_after_others_have_it_is_no_lost_page(folder: Path, mail: Make) -> None:
    async with SmtpServer(folder, fault=replace(smtp.DEFER_RECEIVERS, only="slow@")) as server:
        channel = mail(server, to=["team@example.com", "slow@example.com"])
        await refused(channel, PAGE)
        server.fault = smtp.REFUSE_RECEIVERS
        assert "refused: slow@example.com" in (await channel.deliver(PAGE)).answer
    assert len(server.mails) == 1


async def test_all_receivers_refused_is_permanent_and_names_the_setting(folder: Path, mail: Make) -> None:
    async with SmtpServer(folder, fault=smtp.REFUSE_RECEIVERS) as server:
        error = await refused(mail(server), PAGE)
    assert (error.reason, error.permanent) == (DeliveryReason.RECIPIENT, True)
    assert "team@example.com (550" in error.message
    assert "EMAIL_RECEIVER" in error.fix


async def test_examine_logs_in_and_sends_nothing(folder: Path, mail: Make) -> None:
    async with SmtpServer(folder, password="s3cret") as server:
        line = await mail(server).examine()
    assert "starttls" in line
    assert "login" in line
    assert server.logins == 1
    assert not any(line.startswith("MAIL") for line in server.commands)


def test_a_host_called_ssl_is_no_tls_fault() -> None:
    from vigie.notifiers.email import faults

    error = ConnectionRefusedError(111, "Error connecting to ssl0.example.net: certificate")
    assert faults.fault(error, "ssl0.example.net", 587, 1).reason is DeliveryReason.REFUSED


def test_config_defaults_follow_the_port() -> None:
    config = Config(to="a@example.com", host="h", sender="s@example.com")
    assert (config.port, config.protection) == (587, "starttls")
    assert Config(to="a@example.com", host="h", sender="s@example.com", port=465).protection == "implicit"


def test_receivers_come_from_lists_and_comma_separated_texts_each_once() -> None:
    config = Config(to=["a@example.com, b@example.com", "a@example.com"], host="h", sender="s@example.com")
    assert config.receivers == ("a@example.com", "b@example.com")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"to": "nobody"}, "'nobody' is not an email address"),
        ({"to": "Ops <a@example.com>"}, "write just name@example.com"),
        ({"to": "a@example.com\r\nBcc: b@example.com"}, "not an email address"),
        ({"to": [" "]}, "EMAIL_RECEIVER"),
        ({"sender": "vigie"}, "not an email address"),
        ({"host": "smtp.example.com:587/"}, "SMTP_PORT"),
        ({"host": "https://smtp.example.com"}, "not a host name"),
        ({"timeout": 60_000}, "at most 30s"),
        ({"username": "u"}, "EMAIL_PASSWORD"),
    ],
)
def test_a_setting_that_cannot_be_is_named(changed: dict[str, object], words: str) -> None:
    settings: dict[str, object] = {"to": "a@example.com", "host": "h", "sender": "s@example.com"}
    with pytest.raises(ValueError, match=r".") as caught:
        Config(**(settings | changed))  # type: ignore[arg-type]  # wrong on purpose
    assert words in str(caught.value)


def test_a_printed_configuration_holds_no_password() -> None:
    assert "hush" not in repr(Config(to="a@example.com", host="h", sender="s@example.com", password=Secret("hush-hush")))

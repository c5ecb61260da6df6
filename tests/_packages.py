"""Packages of the system that some tests need, beyond Python, git and make: what each is for, and whether it is here.

`pytest.mark.needs("mosquitto")` (or `require("mosquitto")` in a fixture) skips a test with the command that installs the package; with
VIGIE_TESTS_REQUIRE_ALL set, as `.ci/run` sets it, the test fails instead. Nothing is installed by a test run itself: that is for whoever
owns the machine. `python3 tests/_packages.py` prints what is missing, for `apt-get install`; it needs nothing but the standard library.
"""

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass

REQUIRE_ALL = "VIGIE_TESTS_REQUIRE_ALL"
SBIN = os.environ.get("VIGIE_TESTS_SBIN", f"/usr/sbin{os.pathsep}/sbin").split(os.pathsep)  # daemons are here, and not on everybody's PATH


@dataclass(frozen=True, slots=True)
class Package:
    """A package of Debian and Ubuntu. It is there when each group of `programs` has one that is; `also` is installed with it."""

    programs: tuple[tuple[str, ...], ...]
    also: tuple[str, ...] = ()


PACKAGES: Mapping[str, Package] = {
    "bind9": Package((("named",),)),
    "bind9-utils": Package((("dnssec-keygen",), ("dnssec-signzone",))),
    # Without a font it draws no text.
    "chromium": Package((("chromium", "chromium-browser", "google-chrome-stable", "google-chrome"),), also=("fonts-dejavu-core",)),
    "iproute2": Package((("ip",),)),
    "mariadb-server-core": Package((("mariadbd",),)),
    "mosquitto": Package((("mosquitto",), ("mosquitto_passwd",))),
    "nginx-light": Package((("nginx",),)),
    "systemd": Package((("systemd-analyze",),)),
}


def program(*names: str) -> str | None:
    """The path of the first of some programs that is installed."""
    path = os.pathsep.join((os.environ.get("PATH", ""), *SBIN))
    return next((found for name in names if (found := shutil.which(name, path=path))), None)


def is_there(package: str) -> bool:
    """Whether a package's programs are installed."""
    return all(program(*group) for group in PACKAGES[package].programs)


def reason(package: str) -> str:
    """Why a test is skipped, and what to do."""
    return f"needs the package {package} (apt-get install {' '.join((package, *PACKAGES[package].also))})"


def require(package: str) -> None:
    """Skip the test that runs, unless the package is there; fail it where every package has to be."""
    if not is_there(package):
        lacks(reason(package))


def lacks(why: str) -> None:
    """Skip the test that runs, which lacks something; fail it where everything has to be there."""
    import pytest  # `.ci/run` asks what is missing before anything is installed

    if os.environ.get(REQUIRE_ALL):
        pytest.fail(f"{why}, and {REQUIRE_ALL} is set", pytrace=False)
    pytest.skip(why)


def main() -> int:
    """Print the packages that are missing, on one line."""
    missing = [name for name in PACKAGES if not is_there(name)]
    sys.stdout.write(" ".join(one for name in missing for one in (name, *PACKAGES[name].also)) + "\n" * bool(missing))
    return 0


if __name__ == "__main__":
    sys.exit(main())

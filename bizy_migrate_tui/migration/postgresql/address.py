"""How a target is named: as a URL, as the fields of a form, as libpq's conninfo.

libpq is asked about what was named, and not loaded before: the wizard's first paint waits for this module.
"""

# ruff: noqa: PLC0415

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import quote, unquote, urlencode

from bizy_migrate_tui.migration.errors import UsageError
from bizy_migrate_tui.migration.secret import Secret

# The password runs to the last "@" before the query, so that an unescaped "@", ":", "/" or "#" in it does no harm.
_URL: Final = re.compile(r"postgres(?:ql)?(?:\+\w+)?://(?:(?P<login>[^?]*)@)?(?P<rest>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True, repr=False)
class Target:
    """A PostgreSQL database and the login for it.

    `dsn` is a libpq conninfo string without the password; what it leaves out (host, port, service files, `~/.pgpass`,
    `PG*` variables) libpq finds by its own rules.
    """

    dsn: str
    password: Secret | None

    @classmethod
    def from_url(cls, url: str) -> Self:
        """The target that a `postgresql://` URL names (also `postgres://` and `postgresql+driver://`).

        Raises UsageError "bad-url" for anything else.
        """
        import psycopg2
        from psycopg2.extensions import parse_dsn

        match = _URL.fullmatch(url.strip())
        if match is None:
            raise _bad_url("It does not begin with postgresql://.")
        try:
            parts = parse_dsn(f"postgresql://{match['rest']}")
        except psycopg2.Error as error:
            # libpq quotes what it cannot read: say it only where that cannot be a password
            detail = "" if "password" in match["rest"] else str(error).strip()
            raise _bad_url(detail) from None
        if not re.fullmatch(r"[\d,]*", parts.get("port", "")):
            raise _bad_url("Its port is not a number.")
        user, _, password = (match["login"] or "").partition(":")
        in_query = parts.pop("password", None)
        secret = unquote(password) or in_query
        if user:
            parts["user"] = unquote(user)
        return cls(_conninfo(parts), Secret(secret) if secret else None)

    @classmethod
    def from_fields(
        cls,
        *,
        host: str | None,
        port: str | int | None,
        dbname: str | None,
        user: str | None,
        password: Secret | None,
        sslmode: str | None = None,
    ) -> Self:
        """The target that a form or the POSTGRES_* variables name; empty fields are left to libpq.

        Raises UsageError "bad-port".
        """
        if port and not (str(port).isdecimal() and 0 < int(port) < 65536):
            raise UsageError("bad-port", f"“{port}” is not a port.", "A port is a number from 1 to 65535, usually 5432.")
        fields = {"host": host, "port": port, "dbname": dbname, "user": user, "sslmode": sslmode}
        return cls(_conninfo({name: str(value) for name, value in fields.items() if value}), password or None)

    @property
    def host(self) -> str | None:
        """Host name, address or socket directory."""
        return self.parts().get("host")

    @property
    def port(self) -> str | None:
        """Port, as text."""
        return self.parts().get("port")

    @property
    def dbname(self) -> str | None:
        """Name of the database."""
        return self.parts().get("dbname")

    @property
    def user(self) -> str | None:
        """Name of the role that logs in."""
        return self.parts().get("user")

    @property
    def sslmode(self) -> str | None:
        """The sslmode asked for, None where libpq decides."""
        return self.parts().get("sslmode")

    def parts(self) -> dict[str, str]:
        """The conninfo as keyword and value, without the password."""
        from psycopg2.extensions import parse_dsn

        return parse_dsn(self.dsn)

    def masked_url(self) -> str:
        """The target as a URL without its password, for screens and reports."""
        shown = {name: value for name, value in self.parts().items() if name != "sslpassword"}
        return _format_url(shown, password=None)

    def url(self) -> Secret:
        """The whole URL with its password, for DATABASE_URL."""
        return Secret(_format_url(self.parts(), self.password))

    def __repr__(self) -> str:
        return f"Target({self.masked_url()})"


def _conninfo(parts: Mapping[str, str]) -> str:
    """In a fixed order, so that equal targets are equal."""
    from psycopg2.extensions import make_dsn

    return make_dsn(**dict(sorted(parts.items())))


def _bad_url(detail: str) -> UsageError:
    return UsageError(
        "bad-url",
        f"The PostgreSQL URL cannot be read. {detail}".strip(),
        "Write it as postgresql://user:password@host:5432/database. In a password, write @ as %40, / as %2F, "
        ": as %3A, # as %23, ? as %3F and % as %25.",
    )


def _format_url(parts: Mapping[str, str], password: Secret | None) -> str:
    rest = dict(parts)
    user, host, port = rest.pop("user", ""), rest.get("host", ""), rest.get("port", "")
    login = quote(user, safe="") + (":" + quote(password.reveal(), safe="") if password else "")
    where = ""
    if host and not re.search(r"[/,@%\s]", host):  # sockets and lists of hosts are told in the query
        where = f"[{host}]" if ":" in host else host
        where += f":{port}" if port else ""
        rest.pop("host")
        rest.pop("port", None)
    path = quote(rest.pop("dbname", ""), safe="")
    query = urlencode(rest, quote_via=quote, safe="/,")
    return f"postgresql://{login}{'@' if login else ''}{where}/{path}{'?' if query else ''}{query}"

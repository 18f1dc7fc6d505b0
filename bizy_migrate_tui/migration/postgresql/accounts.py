"""The accounts of the web interface: who the rows go to, and with which password they log in."""

import hashlib
import secrets
from contextlib import closing
from dataclasses import dataclass

import bcrypt
import psycopg2
from psycopg2.extensions import connection as PgConnection

from bizy_migrate_tui.migration.advice.advice import explain
from bizy_migrate_tui.migration.errors import MigrationError, PlanBlocked, UsageError
from bizy_migrate_tui.migration.postgresql.target import Target, connect
from bizy_migrate_tui.migration.secret import Secret

BCRYPT_COST = 12
BCRYPT_BYTES = 72
"""bcrypt reads no more of a password than this."""

_ALPHABET = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Without characters that look like each other."""
_LENGTH = 20
"""Twenty of 56 characters are 116 bits."""
_USERS_NAMED = 10


@dataclass(frozen=True, slots=True)
class Account:
    """A user of the web interface; `created` tells whether this run made it."""

    id: int
    email: str
    username: str
    created: bool


def temporary_password() -> Secret:
    """A new random password of 116 bits, in groups of five that are easy to read and to type."""
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    return Secret("-".join(letters[start : start + 5] for start in range(0, _LENGTH, 5)))


def hash_password(password: Secret) -> str:
    """The bcrypt hash (cost 12). Raises UsageError (password-empty, password-unusable, password-too-long)."""
    text = password.reveal().encode()
    if not text:
        raise UsageError("password-empty", "The password is empty.", "Choose a password.")
    if b"\0" in text:
        raise UsageError("password-unusable", "The password holds a NUL character, which bcrypt cannot read.", "Choose another.")
    if len(text) > BCRYPT_BYTES:
        raise UsageError(
            "password-too-long",
            f"The password has {len(text)} bytes; bcrypt, which the web interface uses, reads {BCRYPT_BYTES} at most.",
            "Choose a shorter password (letters with accents and emoji count as two to four bytes).",
        )
    return bcrypt.hashpw(text, bcrypt.gensalt(BCRYPT_COST)).decode()


def find_user(server: PgConnection, email: str) -> Account | None:
    """The user with that e-mail address, in whatever case it was written."""
    with server.cursor() as rows:
        rows.execute(
            "SELECT id, email, username FROM public.users WHERE lower(email) = lower(%s) ORDER BY email = %s DESC, id LIMIT 1",
            (email, email),
        )
        found = rows.fetchone()
    return None if found is None else Account(found[0], found[1], found[2], created=False)


def username_is_taken(server: PgConnection, username: str) -> bool:
    """Whether an account has that user name."""
    with server.cursor() as rows:
        rows.execute("SELECT FROM public.users WHERE username = %s", (username,))
        return bool(rows.rowcount)


def ensure_account(server: PgConnection, *, email: str, username: str, hashed: str | None) -> Account:
    """The user with that e-mail address, untouched; made where there is none.

    Raises PlanBlocked: username-taken, or target-changed where one was there when the plan was made (so nothing is hashed).
    """
    known = find_user(server, email)
    if known is not None:
        return known
    if hashed is None:
        raise PlanBlocked("target-changed", f"The user {email} is gone since the plan was made.", "Look at the plan again.")
    return _insert(server, email, username, hashed, None)


def _insert(server: PgConnection, email: str, username: str, hashed: str, full_name: str | None) -> Account:
    _refuse_unfit(email, username)
    if username_is_taken(server, username):
        raise PlanBlocked(
            "username-taken",
            f"The user name “{username}” belongs to another account.",
            "Choose another one, or the e-mail address of that account.",
        )
    with server.cursor() as rows:
        rows.execute(
            "INSERT INTO public.users (email, username, hashed_password, full_name, is_active, is_verified, is_superuser,"
            " created_at, updated_at) SELECT %s, %s, %s, %s, true, false, false, utc, utc"
            " FROM (SELECT now() AT TIME ZONE 'UTC' AS utc) AS made RETURNING id",
            (email, username, hashed, full_name),
        )
        (id_,) = rows.fetchone() or (0,)
    return Account(id_, email, username, created=True)


def _refuse_unfit(email: str, username: str) -> None:
    for name, value, limit in (("e-mail address", email, 255), ("user name", username, 100)):
        if not value.strip() or len(value) > limit or not value.isprintable():
            raise UsageError("bad-account", f"The {name} is empty, too long or not printable.", f"Use 1 to {limit} characters.")
    if "@" not in email.strip("@"):
        raise UsageError("bad-account", f"“{email}” is no e-mail address.", "Use one such as admin@bizy.local.")


def add_user(target: Target, *, email: str, username: str, password: Secret, full_name: str | None = None) -> Account:
    """Make another user (guide, "Create Additional Users"). Raises UsageError (user-exists), PlanBlocked, TargetError."""
    hashed = hash_password(password)
    with closing(connect(target)) as server:
        try:
            if find_user(server, email) is not None:
                raise UsageError(
                    "user-exists",
                    f"There is a user with the address {email} already.",
                    "Use `user passwd` to change its password.",
                )
            made = _insert(server, email, username, hashed, full_name)
            server.commit()
        except psycopg2.Error as error:
            raise explain(error) from error
    return made


def change_password(target: Target, *, email: str, password: Secret) -> Account:
    """Give a user a new password (guide, "Change Default User Password"). Raises MigrationError (no-such-user)."""
    hashed = hash_password(password)
    with closing(connect(target)) as server:
        try:
            user = find_user(server, email)
            if user is None:
                raise _no_such_user(server, email)
            with server.cursor() as rows:
                rows.execute(
                    "UPDATE public.users SET hashed_password = %s, updated_at = now() AT TIME ZONE 'UTC' WHERE id = %s",
                    (hashed, user.id),
                )
            server.commit()
        except psycopg2.Error as error:
            raise explain(error) from error
    return user


def _no_such_user(server: PgConnection, email: str) -> MigrationError:
    with server.cursor() as rows:
        rows.execute("SELECT email FROM public.users ORDER BY id LIMIT %s", (_USERS_NAMED + 1,))
        known = [address for (address,) in rows.fetchall()]
    more = " …" if len(known) > _USERS_NAMED else ""
    remedy = f"There are: {', '.join(known[:_USERS_NAMED])}{more}" if known else "Make one: `bizy-migrate-tui user add`."
    return MigrationError("no-such-user", f"There is no user with the address {email}.", remedy)


def account_fingerprint(server: PgConnection, user_id: int) -> dict[str, str | None]:
    """Each column of the account as text, the password's hash as its SHA-256: what a verification compares later."""
    with server.cursor() as rows:
        rows.execute("SELECT row_to_json(u)::jsonb FROM public.users u WHERE id = %s", (user_id,))
        found = rows.fetchone()
    columns = dict(found[0]) if found else {}
    columns["hashed_password"] = hashlib.sha256(str(columns.get("hashed_password")).encode()).hexdigest()
    return {name: None if value is None else str(value) for name, value in columns.items()}

"""What can go wrong with PostgreSQL and what to do about it, as data: the more particular before the general.

Templates name facts in braces ({user}, {database}, {host}, {detail}, …): named groups of the pattern, or what the
caller of `advice.error_for` knows. Messages are those of libpq and PostgreSQL in English; states are SQLSTATEs
(PostgreSQL, appendix A).
"""

import re
from typing import Final

from bizy_migrate_tui.migration.advice.rule import Family, Remedy, Rule
from bizy_migrate_tui.migration.errors import RunFailed, SchemaMismatch, TargetError

_PG: Final = Family.POSTGRES
_UNTOUCHED: Final = "Nothing was changed."

_START_SERVER: Final = Remedy(
    "Start PostgreSQL, or correct the host and the port.",
    macos="brew services start postgresql@16",
    debian="sudo systemctl start postgresql",
    docker="docker start bizy-postgres",
    windows="net start postgresql-x64-16",
)


def _as_admin(statement: str) -> dict[str, str]:
    """The commands that run one statement as the server's administrator."""
    return {
        "macos": f"psql -d postgres -c '{statement}'",
        "debian": f"sudo -u postgres psql -c '{statement}'",
        "docker": f"docker exec -it bizy-postgres psql -U postgres -c '{statement}'",
        "windows": f'psql -U postgres -c "{statement.replace(chr(34), chr(92) + chr(34))}"',
    }


_SETUP: Final = "`bizy-migrate-tui setup` makes the role, the database, the grants and the tables. Or by hand:"

CONNECTING: Final = (
    Rule(
        "no-password",
        TargetError,
        "The server wants a password and none was given.",
        Remedy("Enter the password, put it into DATABASE_URL or POSTGRES_PASSWORD, or into ~/.pgpass."),
        _PG,
        pattern=re.compile(r"no password supplied|empty password"),
    ),
    Rule(
        "password-rejected",
        TargetError,
        "The server does not accept this password for the user {user}.",
        Remedy(
            "Correct the password (in .env: POSTGRES_PASSWORD or DATABASE_URL). A server says the same when it has no "
            "such user: then `bizy-migrate-tui setup` makes it. Or give the user a new password:",
            **_as_admin('\\password "{user}"'),
        ),
        _PG,
        states=frozenset({"28P01"}),
        pattern=re.compile(r'(?:password|\w+) authentication failed for user "(?P<user>[^\n]*)"'),
    ),
    Rule(
        "admin-refused",
        TargetError,
        "The administrator {user} cannot log in.",
        Remedy(
            "This needs an administrator of the server; tried was {user}. Give the password in POSTGRES_ADMIN_PASSWORD, or name "
            "another one with --admin-user (with Homebrew it is your own name). Or give the administrator a password:",
            **_as_admin('\\password "{user}"'),
        ),
        _PG,
    ),
    Rule(
        "role-missing",
        TargetError,
        "The server knows no user {user}.",
        Remedy(_SETUP, **_as_admin(r'CREATE ROLE "{user}" LOGIN')),
        _PG,
        pattern=re.compile(r'role "(?P<user>[^\n]*)" does not exist'),
    ),
    Rule(
        "role-no-login",
        TargetError,
        "The user {user} may not log in.",
        Remedy("Allow it:", **_as_admin(r'ALTER ROLE "{user}" LOGIN')),
        _PG,
        pattern=re.compile(r'role "(?P<user>[^\n]*)" is not permitted to log in'),
    ),
    Rule(
        "database-missing",
        TargetError,
        "There is no database {database} on this server.",
        Remedy(_SETUP, **_as_admin('CREATE DATABASE "{database}"')),
        _PG,
        states=frozenset({"3D000"}),
        pattern=re.compile(r'database "(?P<database>[^\n]*)" does not exist'),
    ),
    Rule(
        "ssl-required",
        TargetError,
        "The server and this client do not agree on encryption. {sentence}",
        Remedy(
            "Where the server wants TLS, add ?sslmode=require to the URL; where it has none, sslmode=prefer or disable "
            "lets the password and the data travel in the clear, so decide that yourself."
        ),
        _PG,
        pattern=re.compile(
            r"no pg_hba\.conf entry.*no encryption|SSL off|does not support SSL|SSL (?:connection )?is required|"
            r"certificate verify failed|root certificate file|SSL error|connection is insecure|requires? SSL"
        ),
    ),
    Rule(
        "login-refused",
        TargetError,
        "The server does not accept logins this way. {sentence}",
        Remedy(
            "Add a line for this host, database and user to the server's pg_hba.conf and reload it, or connect as "
            "somebody it lets in."
        ),
        _PG,
        states=frozenset({"28000"}),
        pattern=re.compile(r"no pg_hba\.conf entry|pg_hba\.conf rejects|permission denied for database"),
    ),
    Rule(
        "host-unknown",
        TargetError,
        "There is no host with the name {host}.",
        Remedy("Correct the host name. On this machine it is localhost."),
        _PG,
        pattern=re.compile(r'could not translate host name "(?P<host>[^\n]*)"'),
    ),
    Rule(
        "too-many-connections",
        TargetError,
        "The server has no connection left for us.",
        Remedy("Close other programs that use the database (the web back end, psql), then try again."),
        _PG,
        states=frozenset({"53300"}),
        pattern=re.compile(r"too many (?:clients|connections)|remaining connection slots|max_client_conn"),
    ),
    Rule(
        "service-unknown",
        TargetError,
        "There is no service {service} in the service file.",
        Remedy("Add it to ~/.pg_service.conf, or name the host and the database in the URL."),
        _PG,
        pattern=re.compile(r'definition of service "(?P<service>[^"\n]*)" not found|service file "[^"\n]*" not found'),
    ),
    Rule(
        "server-starting",
        TargetError,
        "The server is starting up or shutting down.",
        Remedy("Wait a moment, then try again."),
        _PG,
        states=frozenset({"57P03"}),
        pattern=re.compile(r"the database system is (?:starting up|shutting down|in recovery|not yet accepting)"),
    ),
    Rule(
        "connection-lost",
        RunFailed,
        "The connection to the server broke. What was not yet committed was rolled back.",
        Remedy("Look whether the server runs and the network holds, then try again.", docker="docker logs bizy-postgres"),
        _PG,
        states=frozenset({"57P01", "57P02", "08003", "08006", "25P03", "25P04"}),
        pattern=re.compile(
            r"server closed the connection unexpectedly|terminating connection|connection already closed|"
            r"SSL SYSCALL error|SSL connection has been closed|could not (?:receive data from|send data to) server|"
            r"connection (?:has been closed|not open|pointer is NULL)|cursor already closed"
        ),
    ),
    Rule(
        "login-refused",
        TargetError,
        "The server answers but does not let us in. {sentence}",
        Remedy("Correct the user, the password and the database, or ask the server's administrator."),
        _PG,
        pattern=re.compile("FATAL: "),
    ),
    Rule(
        "server-unreachable",
        TargetError,
        "No PostgreSQL server answers there. {sentence}",
        _START_SERVER,
        _PG,
        states=frozenset({"08001", "08004"}),
        pattern=re.compile(
            r"Connection refused|could not connect|No such file or directory|timeout expired|timed out|"
            r"unreachable|No route to host|connection to server .* failed"
        ),
    ),
)
"""While a connection is being made; psycopg2 gives most of these no SQLSTATE."""

WORKING: Final = (
    Rule(
        "schema-privilege",
        TargetError,
        "The user {user} may not do this in {object}.",
        Remedy(
            "As the database's owner or an administrator:\n"
            '  GRANT USAGE, CREATE ON SCHEMA public TO "{user}";\n'
            '  GRANT CREATE ON DATABASE "{database}" TO "{user}";\n'
            "Where the tables exist and belong to somebody else, also:\n"
            '  GRANT ALL ON ALL TABLES IN SCHEMA public TO "{user}";\n'
            '  GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO "{user}";\n'
            "`bizy-migrate-tui setup` does it for you."
        ),
        _PG,
        states=frozenset({"42501"}),
        pattern=re.compile(r"(?:permission denied for|must be owner of) (?P<object>[^\n]*)"),
    ),
    Rule(
        "schema-outdated",
        SchemaMismatch,
        "The web interface's tables are older than this product knows: {detail}",
        Remedy("Bring them up to date in the back end, then try again: cd backend && alembic upgrade head"),
        _PG,
        states=frozenset({"42703"}),
        pattern=re.compile(r'column "?[^"\n]*"? (?:of relation "[^"\n]*" )?does not exist'),
    ),
    Rule(
        "tables-missing",
        TargetError,
        "This database holds nothing of ours yet: {detail}",
        Remedy("Look whether it is the right database; `bizy-migrate-tui migrate` or `setup` makes the tables."),
        _PG,
        states=frozenset({"42P01", "3F000"}),
    ),
    Rule(
        "row-refused",
        RunFailed,
        f"The server refused a value: {{detail}}. {_UNTOUCHED}",
        Remedy("Please report it with the log file; a row like this should have been found before the run."),
        _PG,
        states=frozenset({"22001", "22003", "22007", "22008", "22021", "22P02", "22P05"})
        | frozenset({"23502", "23503", "23505", "23514"}),
    ),
    Rule(
        "value-too-long",
        RunFailed,
        f"A value is longer than PostgreSQL holds (256 MiB where it is preserved): {{detail}}. {_UNTOUCHED}",
        Remedy(
            "`bizy-migrate-tui census` shows the longest text of each column. Shorten it in a copy of the file, keep the "
            "original, and name the copy with --sqlite-path."
        ),
        _PG,
        states=frozenset({"54000"}),
    ),
    Rule(
        "read-only-replica",
        TargetError,
        "This server takes no writes: it is a read-only replica, or its transactions are read-only.",
        Remedy("Connect to the primary server, or set default_transaction_read_only to off."),
        _PG,
        states=frozenset({"25006"}),
        pattern=re.compile(r"session is (?:not )?read-only|server is in hot standby mode"),
    ),
    Rule(
        "disk-full-target",
        RunFailed,
        f"The server's disk is full. {_UNTOUCHED}",
        Remedy("Make room on the server, then try again.", docker="docker system df"),
        _PG,
        states=frozenset({"53100"}),
        pattern=re.compile(r"No space left on device"),
    ),
    Rule(
        "statement-timeout",
        RunFailed,
        f"The server stopped a statement that took too long. {_UNTOUCHED}",
        Remedy("Raise statement_timeout for this role or pooler, then try again."),
        _PG,
        pattern=re.compile(r"due to (?:statement|transaction) timeout"),
    ),
    Rule(
        "lock-timeout",
        RunFailed,
        f"Somebody else is holding the tables, for longer than we wait. {_UNTOUCHED}",
        Remedy("Stop the web back end or the other migration that uses this database, then try again."),
        _PG,
        states=frozenset({"55P03"}),
    ),
    Rule(
        "deadlock",
        RunFailed,
        f"The server ended this transaction because another one stood in its way. {_UNTOUCHED}",
        Remedy("Stop the web back end while the move runs, then try again."),
        _PG,
        states=frozenset({"40P01", "40001"}),
    ),
    Rule(
        "encoding-unsupported",
        TargetError,
        "The database {database} stores text as {encoding}; only UTF8 holds every character.",
        Remedy(
            "Make a database for it and use that one:",
            **_as_admin("CREATE DATABASE bizy_utf8 ENCODING UTF8 TEMPLATE template0"),
        ),
    ),
    Rule(
        "server-too-old",
        TargetError,
        "The server is PostgreSQL {version}; 14 or newer is needed.",
        Remedy(
            "Upgrade the server, or install a newer one beside it:",
            macos="brew install postgresql@16",
            debian="sudo apt-get install postgresql-16",
            docker="docker run -d --name bizy-postgres -p 5432:5432 -e POSTGRES_PASSWORD=… postgres:16-alpine",
        ),
    ),
)
"""Once connected."""

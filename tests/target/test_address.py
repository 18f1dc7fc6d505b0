import pytest

from bizy_migrate_tui.migration.errors import UsageError
from bizy_migrate_tui.migration.postgresql.target import Target
from bizy_migrate_tui.migration.secret import Secret


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_every_usual_scheme_names_the_same_target(scheme: str) -> None:
    target = Target.from_url(f"{scheme}://bizy:secret@db.example:5433/bizy_dev?sslmode=verify-full")
    assert (target.host, target.port, target.dbname, target.user) == ("db.example", "5433", "bizy_dev", "bizy")
    assert target.sslmode == "verify-full"
    assert target.password == Secret("secret")


@pytest.mark.parametrize("password", ["p@ss", "p:ss", "p/ss", "p#ss", "100%", "p@s:s/w%rd#", "ümläut €", "%41 is A"])
def test_a_password_survives_the_round_trip_through_a_url(password: str) -> None:
    target = Target.from_fields(host="h", port=5432, dbname="d", user="u@corp", password=Secret(password))
    again = Target.from_url(target.url().reveal())
    assert again == target
    assert again.password == Secret(password)


@pytest.mark.parametrize("password", ["p@ss", "p:ss", "p/ss", "p#ss", "100%", "p@s:s/w%rd#x"])
def test_a_password_that_nobody_escaped_is_understood(password: str) -> None:
    target = Target.from_url(f"postgresql://bizy:{password}@localhost:5432/bizy_dev")
    assert (target.password, target.user, target.host) == (Secret(password), "bizy", "localhost")


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("postgresql://u@[::1]:5433/d", "::1"),
        ("postgresql://u@/d?host=/var/run/postgresql", "/var/run/postgresql"),
        ("postgresql://u@%2Fvar%2Frun/d", "/var/run"),
        ("postgresql://u@one:1,two:2/d", "one,two"),
        ("postgresql:///?service=bizy", None),
    ],
)
def test_addresses_that_libpq_knows_are_left_to_it(url: str, host: str | None) -> None:
    target = Target.from_url(url)
    assert target.host == host
    assert Target.from_url(target.url().reveal()) == target
    assert Target.from_url(target.masked_url()) == target


@pytest.mark.parametrize("url", ["sqlite:///tasks.db", "mysql://h/d", "", "postgresql://h/d?nonsense=1", "postgresql://h:x/d"])
def test_what_is_no_postgresql_url_is_a_usage_error(url: str) -> None:
    with pytest.raises(UsageError) as raised:
        Target.from_url(url)
    assert raised.value.code == "bad-url"


def test_a_port_that_is_none_is_a_usage_error() -> None:
    with pytest.raises(UsageError) as raised:
        Target.from_fields(host="h", port="70000", dbname="d", user="u", password=None)
    assert raised.value.code == "bad-port"


@pytest.mark.parametrize("url", ["postgresql://u:hunter2@h/d", "postgresql://u@h/d?password=hunter2"])
def test_the_password_shows_only_where_it_is_asked_for(url: str) -> None:
    target = Target.from_url(url)
    assert "hunter2" not in f"{target!r} {target} {target.dsn} {target.masked_url()} {target.url()!r}"
    assert "hunter2" in target.url().reveal()


@pytest.mark.parametrize("url", ["postgresql://u:hunter2@h:x/d", "postgresql://u@h/d?password=hunter2%zz"])
def test_an_unreadable_url_does_not_tell_its_password(url: str) -> None:
    with pytest.raises(UsageError) as raised:
        Target.from_url(url)
    assert "hunter2" not in raised.value.cause + raised.value.remedy


def test_nothing_is_said_about_encryption_unless_the_user_did() -> None:
    target = Target.from_fields(host="h", port=None, dbname="d", user="u", password=None)
    assert target.sslmode is None
    assert "sslmode" not in target.dsn + target.url().reveal()

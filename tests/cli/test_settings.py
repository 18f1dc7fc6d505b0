from pathlib import Path

import pytest

from bizy_migrate_tui.migration.errors import UsageError
from bizy_migrate_tui.settings import Flags, Origin, Settings, resolve

URL = "postgresql://bizy:secret@localhost:5432/bizy_dev"


@pytest.fixture
def cwd(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


HOME = Path("/home/somebody")


def settings(cwd: Path, environ: dict[str, str] | None = None, **flags: str) -> Settings:
    return resolve(Flags(**flags), environ or {}, cwd, HOME)  # type: ignore[arg-type]


def source(found: Settings) -> tuple[str, Origin, str]:
    return str(found.sqlite_path.value), found.sqlite_path.origin, found.sqlite_path.name


def goal(found: Settings) -> tuple[str, Origin, str]:
    assert found.target is not None
    return found.target.value.url().reveal(), found.target.origin, found.target.name


def test_nothing_said_is_bizys_own_file_and_no_target(cwd: Path) -> None:
    found = settings(cwd)
    assert source(found) == ("/home/somebody/.business-agent/tasks.db", Origin.DEFAULT, "")
    assert found.target is None
    assert found.env_file is None
    assert (found.user_email.value, found.user_name.value) == ("admin@bizy.local", "admin")


@pytest.mark.parametrize(
    ("environ", "path", "name"),
    [
        ({"SQLITE_DB_PATH": "~/a.db", "BUSINESS_AGENT_DB": "/b.db"}, "/home/somebody/a.db", "SQLITE_DB_PATH"),
        ({"BUSINESS_AGENT_DB": "/b.db", "DATABASE_URL": "sqlite:////c.db"}, "/b.db", "BUSINESS_AGENT_DB"),
        ({"DATABASE_URL": "sqlite:////c d.db?mode=ro"}, "/c d.db", "DATABASE_URL"),
        ({"DATABASE_URL": "sqlite:///~/.business-agent/t.db"}, "/home/somebody/.business-agent/t.db", "DATABASE_URL"),
        ({"DATABASE_URL": "sqlite+aiosqlite:////c.db"}, "/c.db", "DATABASE_URL"),
        ({"BIZY_ENV": "development"}, "/home/somebody/.business-agent/dev_tasks.db", "BIZY_ENV"),
        ({"BIZY_ENV": "development", "BUSINESS_AGENT_DB": "/b.db"}, "/b.db", "BUSINESS_AGENT_DB"),
    ],
)
def test_the_environment_names_the_source(cwd: Path, environ: dict[str, str], path: str, name: str) -> None:
    assert source(settings(cwd, environ)) == (path, Origin.ENVIRONMENT, name)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:"])
def test_a_sqlite_url_without_a_file_names_nothing(cwd: Path, url: str) -> None:
    found = settings(cwd, {"DATABASE_URL": url})
    assert found.sqlite_path.origin is Origin.DEFAULT
    assert found.target is None


def test_a_flag_comes_before_all_and_starts_from_the_working_folder(cwd: Path) -> None:
    found = settings(cwd, {"SQLITE_DB_PATH": "/a.db"}, sqlite_path="mine.db")
    assert source(found) == (str(cwd / "mine.db"), Origin.FLAG, "--sqlite-path")


def test_the_env_file_comes_after_the_environment(cwd: Path) -> None:
    (cwd / ".env").write_text(f"SQLITE_DB_PATH=data/x.db\nDATABASE_URL={URL}\nDEFAULT_USER_EMAIL=me@x.org\n")
    found = settings(cwd)
    assert source(found) == (str(cwd / "data" / "x.db"), Origin.ENV_FILE, "SQLITE_DB_PATH")
    assert goal(found) == (URL, Origin.ENV_FILE, "DATABASE_URL")
    assert (found.user_email.value, found.user_email.origin) == ("me@x.org", Origin.ENV_FILE)
    other = settings(cwd, {"DATABASE_URL": "postgres://h/d", "SQLITE_DB_PATH": "/a.db"})
    assert goal(other)[0] == "postgresql://h/d"
    assert source(other)[0] == "/a.db"


def test_the_back_ends_env_file_serves_where_there_is_none_here(cwd: Path) -> None:
    (cwd / "backend").mkdir()
    (cwd / "backend" / ".env").write_text(f"DATABASE_URL={URL}\n")
    assert settings(cwd).env_file == cwd / "backend" / ".env"
    (cwd / ".env").write_text("")
    assert settings(cwd).env_file == cwd / ".env"
    assert settings(cwd).target is None
    assert goal(settings(cwd, env_file="backend/.env"))[0] == URL


def test_a_sqlite_database_url_leaves_the_target_to_the_parts(cwd: Path) -> None:
    (cwd / ".env").write_text("DATABASE_URL=sqlite:///./old.db\nPOSTGRES_USER=u\nPOSTGRES_PASSWORD='p@s s'\n")
    found = settings(cwd)
    assert goal(found) == ("postgresql://u:p%40s%20s@localhost/bizy_dev", Origin.ENV_FILE, "POSTGRES_*")
    assert source(found) == (str(cwd / "old.db"), Origin.ENV_FILE, "DATABASE_URL")


def test_parts_are_put_together_and_the_strongest_of_each_counts(cwd: Path) -> None:
    (cwd / ".env").write_text("POSTGRES_HOST=far\nPOSTGRES_PORT=6000\nPOSTGRES_PASSWORD=pw\nPOSTGRES_DB=d\n")
    assert goal(settings(cwd, {"POSTGRES_HOST": "near"}))[:2] == (
        "postgresql://bizy:pw@near:6000/d",
        Origin.ENVIRONMENT,
    )


def test_a_password_alone_in_the_environment_names_no_target(cwd: Path) -> None:
    (cwd / ".env").write_text(f"DATABASE_URL={URL}\n")
    assert goal(settings(cwd, {"POSTGRES_PASSWORD": "x"})) == (URL, Origin.ENV_FILE, "DATABASE_URL")


def test_libpqs_own_variables_are_left_to_libpq(cwd: Path) -> None:
    assert goal(settings(cwd, {"PGSERVICE": "bizy"})) == ("postgresql:///", Origin.ENVIRONMENT, "PGSERVICE")


def test_what_is_remembered_comes_last_before_the_defaults(cwd: Path) -> None:
    memory = {"sqlite_path": "/r.db", "postgres_url": "postgresql://r/d", "user_email": "r@x.org"}
    found = resolve(Flags(), {"SQLITE_DB_PATH": "/a.db"}, cwd, HOME, remembered=memory)
    assert source(found)[0] == "/a.db"
    assert goal(found) == ("postgresql://r/d", Origin.REMEMBERED, "")
    assert found.user_email.origin is Origin.REMEMBERED


def test_a_zone_that_does_not_exist_is_refused(cwd: Path) -> None:
    assert settings(cwd, timezone="America/New_York").zone.value == "America/New_York"
    with pytest.raises(UsageError, match="Mars"):
        settings(cwd, timezone="Mars/Olympus")


def test_a_url_for_something_else_is_refused(cwd: Path) -> None:
    with pytest.raises(UsageError) as refusal:
        settings(cwd, {"DATABASE_URL": "mysql://x"})
    assert refusal.value.code == "bad-url"


def test_the_admins_password_is_a_secret(cwd: Path) -> None:
    found = settings(cwd, {"POSTGRES_ADMIN_PASSWORD": "hush"})
    assert found.admin_password
    assert "hush" not in repr(found)

from contextlib import closing

import bcrypt
import pytest

from bizy_migrate_tui.migration.errors import MigrationError, PlanBlocked, UsageError
from bizy_migrate_tui.migration.postgresql.accounts import (
    account_fingerprint,
    add_user,
    change_password,
    ensure_account,
    find_user,
    hash_password,
    temporary_password,
)
from bizy_migrate_tui.migration.postgresql.target import Target, connect
from bizy_migrate_tui.migration.secret import Secret
from tests.core.moving import ask, target_rows

WORD = Secret("a good password")


def hash_of(target: Target, email: str) -> bytes:
    return str(ask(target, "SELECT hashed_password FROM public.users WHERE email = %s", (email,))[0].popitem()[1]).encode()


def test_temporary_passwords_differ_and_hold_at_least_96_bits() -> None:
    words = {temporary_password().reveal() for _ in range(100)}
    assert len(words) == 100
    assert all(len(word.replace("-", "")) >= 17 for word in words)  # 57 letters have 5.8 bits each


def test_the_hash_is_bcrypt_at_cost_12() -> None:
    hashed = hash_password(WORD)
    assert hashed.startswith("$2b$12$")
    assert bcrypt.checkpw(b"a good password", hashed.encode())


@pytest.mark.parametrize(
    ("word", "code"),
    [("", "password-empty"), ("x" * 73, "password-too-long"), ("é" * 37, "password-too-long"), ("a\0b", "password-unusable")],
)
def test_a_password_that_bcrypt_would_cut_is_refused(word: str, code: str) -> None:
    with pytest.raises(UsageError) as caught:
        hash_password(Secret(word))
    assert caught.value.code == code
    assert word == "" or word not in caught.value.cause + caught.value.remedy


def test_seventy_two_bytes_are_enough() -> None:
    assert bcrypt.checkpw("é".encode() * 36, hash_password(Secret("é" * 36)).encode())


def test_a_user_is_found_in_any_case_and_left_alone(moved: Target) -> None:
    before = target_rows(moved, "users")
    server = connect(moved)
    found = find_user(server, "ADMIN@Bizy.Local")
    assert found is not None
    assert ensure_account(server, email="Admin@BIZY.local", username="other", hashed="x") == found
    server.commit()
    server.close()
    assert target_rows(moved, "users") == before


def test_a_user_name_of_somebody_else_is_not_taken(moved: Target) -> None:
    with pytest.raises(PlanBlocked) as caught:
        add_user(moved, email="new@bizy.local", username="admin", password=WORD)
    assert caught.value.code == "username-taken"


def test_an_account_that_vanished_since_the_plan_is_not_made_without_a_password(moved: Target) -> None:
    with closing(connect(moved)) as server, pytest.raises(PlanBlocked) as refusal:
        ensure_account(server, email="gone@example.org", username="gone", hashed=None)
    assert refusal.value.code == "target-changed"


def test_another_user_can_be_added_once(moved: Target) -> None:
    made = add_user(moved, email="New@bizy.local", username="new", password=WORD, full_name="Ñandú [b]x[/b]")
    row = ask(moved, "SELECT * FROM public.users WHERE id = %s", (made.id,))[0]
    assert (row["full_name"], row["is_active"], row["is_verified"], row["is_superuser"]) == (
        "Ñandú [b]x[/b]",
        True,
        False,
        False,
    )
    assert bcrypt.checkpw(b"a good password", row["hashed_password"].encode())
    with pytest.raises(UsageError) as caught:
        add_user(moved, email="new@BIZY.local", username="new2", password=WORD)
    assert caught.value.code == "user-exists"


def test_a_changed_password_moves_updated_at_and_the_fingerprint(moved: Target) -> None:
    server = connect(moved)
    server.autocommit = True
    before = account_fingerprint(server, 1)
    change_password(moved, email="admin@bizy.local", password=WORD)
    after = account_fingerprint(server, 1)
    server.close()
    assert {name for name in after if after[name] != before[name]} == {"hashed_password", "updated_at"}
    assert hash_of(moved, "admin@bizy.local").decode() not in after.values()
    assert bcrypt.checkpw(b"a good password", hash_of(moved, "admin@bizy.local"))


def test_the_password_of_nobody_cannot_be_changed(moved: Target) -> None:
    with pytest.raises(MigrationError) as caught:
        change_password(moved, email="nobody@bizy.local", password=WORD)
    assert (caught.value.code, caught.value.remedy) == ("no-such-user", "There are: admin@bizy.local")

"""What is sealed with a key, and what is said without one."""

import base64
import os
import sys

import pytest

from taskengine import Client, InvalidSetting, Settings, TaskEngine, UnreadableSecret
from taskengine.encryption import FERNET, PLAIN, Keyring, read_keys

KEY, OTHER = (base64.b64encode(os.urandom(32)).decode() for _ in range(2))


def test_without_a_key_a_text_stays_as_it_is() -> None:
    keyring = Keyring()
    assert not keyring.encrypts
    assert keyring.seal("hunter2") == (PLAIN, "hunter2")
    assert keyring.open(PLAIN, "hunter2") == "hunter2"


def test_with_a_key_it_is_sealed_and_opened() -> None:
    how, kept = Keyring([KEY]).seal("hünter2")
    assert how == FERNET
    assert "nter2" not in kept
    assert Keyring([OTHER, KEY]).open(how, kept) == "hünter2"


def test_what_was_kept_plainly_is_read_with_a_key_too() -> None:
    assert Keyring([KEY]).open(PLAIN, "hunter2") == "hunter2"


def test_what_was_changed_is_not_opened() -> None:
    how, kept = Keyring([KEY]).seal("hunter2")
    with pytest.raises(UnreadableSecret):
        Keyring([KEY]).open(how, kept[:-6] + "AAAA==")


def test_both_alphabets_of_base64_are_one_key() -> None:
    key = "+/" * 21 + "A="
    sealed = Keyring([key]).seal("hunter2")
    assert Keyring([key.replace("+", "-").replace("/", "_")]).open(*sealed) == "hunter2"


@pytest.mark.parametrize(
    "text",
    ["hunter2", "A" * 43, KEY[:-2] + "==", f"{KEY},short", "ü" * 44],
    ids=["words", "too short", "31 bytes", "the second of two", "not ASCII"],  # keys are made anew in each process
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not 32 bytes in base64"):
        read_keys(text)


def test_a_key_without_the_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.fernet", None)
    settings = Settings(encryption_key=(KEY,))
    for make in (
        lambda: TaskEngine("x", settings=settings, immediate=True),
        lambda: Client("redis://x", settings=settings),
    ):
        with pytest.raises(InvalidSetting) as caught:
            make()
        assert str(caught.value) == (
            "TASKENGINE_ENCRYPTION_KEY needs the cryptography package: install taskengine[encryption], or unset it"
        )


def test_without_a_key_the_library_is_not_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.fernet", None)
    assert Keyring(None).seal("x") == (PLAIN, "x")


def test_a_fingerprint_is_that_of_the_text_and_the_key() -> None:
    assert Keyring([KEY]).fingerprint("a") == Keyring([KEY, OTHER]).fingerprint("a")
    assert len({Keyring(keys).fingerprint(text) for keys in ([KEY], [OTHER], []) for text in "ab"}) == 6

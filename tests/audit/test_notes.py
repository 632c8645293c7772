import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import InvalidNote
from audit.notes import CheckpointText, SigningKey, VerifierKey, open_note
from audit.tree import EMPTY_ROOT

pytestmark = pytest.mark.promise("USE-3")

VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
TEXT = "This is an example message.\n"
LINE = "\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
NOTE = f"{TEXT}\n{LINE}"
KEY = SigningKey("shop.example/log", b"s" * 32)
STRANGER = SigningKey("witness.example", b"w" * 32)


def test_open_note_published_vector():
    assert open_note(NOTE, [VerifierKey.parse(VKEY)]) == TEXT


def test_vkey_published_vector_is_read_and_written():
    key = VerifierKey.parse(VKEY)

    assert (key.name, key.id.hex()) == ("example.com/foo", "530d903a")
    assert str(key) == VKEY


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "name",
        VKEY.replace("530d903a", "530d903b"),
        VKEY.replace("example", "exam ple"),
        VKEY[:-4],
        VKEY + "=",
        "+" + VKEY,
    ],
)
def test_vkey_malformed_is_refused(vkey):
    with pytest.raises(InvalidNote):
        VerifierKey.parse(vkey)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"])), min_size=1))
def test_sign_and_open_any_text(lines):
    text = "\n".join(lines) + "\n"

    assert open_note(KEY.sign(text), [KEY.verifier]) == text


def test_open_note_text_with_empty_lines_is_split_at_the_last():
    text = "one\n\ntwo\n\n"

    assert open_note(KEY.sign(text), [KEY.verifier]) == text


@given(st.integers(0, len(NOTE.encode()) - 1), st.integers(0, 7))
def test_open_note_refuses_any_changed_bit(position, bit):
    changed = bytearray(NOTE.encode())
    changed[position] ^= 1 << bit

    with pytest.raises((InvalidNote, UnicodeDecodeError)):
        open_note(changed.decode(), [VerifierKey.parse(VKEY)])


def test_open_note_ignores_signatures_of_strangers():
    note = NOTE + STRANGER.sign(TEXT).rpartition("\n\n")[2]

    assert open_note(note, [VerifierKey.parse(VKEY)]) == TEXT


def test_open_note_accepts_sixteen_signatures():
    others = [SigningKey(f"witness-{number}", bytes([number]) * 32) for number in range(15)]
    note = NOTE + "".join(other.sign(TEXT).rpartition("\n\n")[2] for other in others)

    assert open_note(note, [VerifierKey.parse(VKEY)]) == TEXT


@pytest.mark.parametrize(
    "note",
    [
        "",
        TEXT,
        TEXT + "\n",
        TEXT + LINE,
        NOTE[:-1],
        NOTE + "\n",
        NOTE.replace("\u2014", "-"),
        NOTE.replace("example message", "example\tmessage"),
        NOTE.replace(LINE, LINE * 101),
        NOTE.replace("aQM=", "aQN="),
    ],
)
def test_open_note_malformed_is_refused(note):
    with pytest.raises(InvalidNote):
        open_note(note, [VerifierKey.parse(VKEY)])


def test_open_note_by_unknown_keys_alone_is_refused():
    with pytest.raises(InvalidNote):
        open_note(NOTE, [KEY.verifier])


@pytest.mark.parametrize("name", ["", "with space", "with+plus"])
def test_signing_key_name_malformed_is_refused(name):
    with pytest.raises(InvalidNote):
        SigningKey(name, b"s" * 32)


@pytest.mark.parametrize("text", ["", "no line break", "a\x00b\n", "a\rb\n"])
def test_sign_text_malformed_is_refused(text):
    with pytest.raises(InvalidNote):
        KEY.sign(text)


@given(st.integers(0, 10**18), st.binary(min_size=32, max_size=32))
def test_checkpoint_is_read_as_written(size, root):
    text = CheckpointText("shop.example/log", size, root)

    assert CheckpointText.parse(str(text)) == text


def test_checkpoint_of_the_empty_tree():
    text = "shop.example/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"

    assert str(CheckpointText("shop.example/log", 0, EMPTY_ROOT)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "origin\n",
        "origin\n1\n",
        "\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "origin\n01\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "origin\n-1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "origin\n1\n47DEQpj8HBSa\n",
        "origin\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "origin\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n",
    ],
)
def test_checkpoint_malformed_is_refused(text):
    with pytest.raises(InvalidNote):
        CheckpointText.parse(text)


def test_signing_key_never_prints_its_seed():
    assert "s" * 32 not in repr(KEY)
    assert "115, 115" not in repr(KEY)

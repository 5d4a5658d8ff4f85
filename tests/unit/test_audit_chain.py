"""The form of the seal: fixed, and a proof leads to the root for every place in every block."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.audit_chain import (
    FIRST_HASH,
    Block,
    EntryRow,
    Head,
    digest_of,
    leads_to,
    proof_of,
    root_of,
)

ROW = EntryRow(
    7, "1772409600000000", "east", "i-1", "account", "lin", "林", "acknowledge", None, '{"a": 1}'
)
DIGESTS = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=40)


def test_the_form_is_the_one_the_how_to_tells() -> None:
    """Whoever recomputes it elsewhere needs exactly these bytes."""
    told = (
        b"16:carebell audit 1,16:1772409600000000,4:east,3:i-1,7:account,3:lin,"
        b"3:\xe6\x9e\x97,11:acknowledge,-8:" + b'{"a": 1},'
    )
    assert digest_of(ROW) == hashlib.sha256(told).digest()
    block = Block(1, 1772409601000000, FIRST_HASH, 7, 1772409600000000, (7,), (digest_of(ROW),))
    leaf = hashlib.sha256(b"\x00" + b"7:" + digest_of(ROW)).digest()
    assert block.root == leaf
    text = (
        b"22:carebell audit 1 block,1:1,16:1772409601000000,64:" + b"0" * 64 + b",1:7,"
        b"16:1772409600000000,1:1,64:" + leaf.hex().encode() + b","
    )
    assert block.hash_over(leaf) == hashlib.sha256(text).digest()


@given(DIGESTS, st.data())
def test_every_entry_has_a_proof(digests: list[bytes], data: st.DataObject) -> None:
    ids = list(range(100, 100 + len(digests)))
    place = data.draw(st.integers(0, len(digests) - 1))
    path = proof_of(ids, digests, place)
    assert leads_to(ids[place], digests[place], path) == root_of(ids, digests)
    assert leads_to(ids[place] + 1, digests[place], path) != root_of(ids, digests)


FIELDS = st.one_of(st.none(), st.text(st.characters(codec="utf-8"), max_size=4))


@given(st.lists(FIELDS, min_size=9, max_size=9), st.lists(FIELDS, min_size=9, max_size=9))
def test_different_entries_have_different_digests(
    one: list[str | None], other: list[str | None]
) -> None:
    first, second = EntryRow(1, *one), EntryRow(1, *other)  # type: ignore[arg-type]
    assert (digest_of(first) == digest_of(second)) == (one == other)


@pytest.mark.parametrize("text", ["", "1", "1:ab", "x:" + "0" * 64, "1:" + "0" * 63 + "g"])
def test_what_is_no_head_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="NUMBER:HASH"):
        Head.parse(text)


def test_a_head_reads_as_it_is_written() -> None:
    head = Head(12, bytes(range(32)))
    assert Head.parse(f" {head}\n") == head

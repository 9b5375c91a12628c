"""The small language of canvases: it is read as it is written, and says what is wrong with what it cannot read."""

from __future__ import annotations

import itertools

import pytest
import torch

from diffusion_teach.datasets import canvases, captions


def test_what_is_written_is_read_back() -> None:
    about = canvases.fields_of(400, generator=torch.Generator().manual_seed(0))
    for row in captions.left_out(about, generator=torch.Generator().manual_seed(1)):
        said = captions.parse(captions.write(row))
        pair = row[captions.LAYOUT] > 0
        expected = row.clone()
        expected[captions.SECOND if not pair else captions.THICKNESS :] = torch.where(
            pair, -1, expected[captions.SECOND if not pair else captions.THICKNESS :]
        )
        assert said.tolist() == expected.tolist()


def test_rows_are_encoded_as_their_captions_are() -> None:
    about = captions.left_out(canvases.fields_of(300, generator=torch.Generator().manual_seed(0)))
    assert torch.equal(captions.encode(about), captions.tokens([captions.write(row) for row in about]))


def test_words_stand_in_the_order_of_the_sentence() -> None:
    row = captions.tokens("a thick seven leaning right")[0]
    words = [captions.WORDS[k] for k in row[row < captions.PAD]]
    assert " ".join(words) == "a thick seven leaning right"
    assert (row[5:] == captions.PAD).all()


def test_numerals_capitals_and_commas_do_not_matter() -> None:
    both = captions.tokens(["A thick 7, leaning right.", "a thick seven leaning right"])
    assert torch.equal(both[0], both[1])
    assert captions.parse("a pair: 4 above 9").tolist() == [1, 4, 9, -1, -1, -1, -1]


@pytest.mark.parametrize(
    ("caption", "message"),
    [
        ("", "empty"),
        ("  , ", "empty"),
        ("a thikc seven", "unknown word 'thikc'. Did you mean 'thick'"),
        ("a thick seven leaning right and much too long for it", "at most 10 words, got 11"),
        ("толстая семёрка", "in Latin letters; got 'толстая'"),
        ("seven thick a", "not in an order"),
        ("a pair 4 above", "not in an order"),
        ("a 12", "unknown word '12'"),
        ("a ٣", "Latin letters"),
    ],
)
def test_a_wrong_caption_is_told_with_the_vocabulary(caption: str, message: str) -> None:
    with pytest.raises(ValueError, match="The vocabulary: zero, one") as told:
        captions.parse(caption)
    assert message in str(told.value)


def test_nothing_is_a_caption_of_padding() -> None:
    assert captions.nothing(2).shape == (2, captions.LENGTH)
    assert (captions.nothing(2) == captions.PAD).all()


def test_a_seventh_is_held_out_and_no_word_with_it() -> None:
    triples = torch.tensor([[0, d, -1, t, s, 0, 0] for d, t, s in itertools.product(range(10), range(3), range(3))])
    pairs = torch.tensor([[1, a, b, 0, 0, 0, 0] for a, b in itertools.product(range(10), repeat=2)])
    for rows, fields in ((triples, (1, 3, 4)), (pairs, (1, 2))):
        kept = rows[~captions.held_out(rows)]
        assert 1 - len(kept) / len(rows) == pytest.approx(1 / 7, abs=0.01)
        for field in fields:
            assert set(kept[:, field].tolist()) == set(rows[:, field].tolist())


def test_a_field_is_left_out_as_often_as_asked() -> None:
    about = canvases.fields_of(20_000, generator=torch.Generator().manual_seed(0))
    singles = about[about[:, captions.LAYOUT] == 0]
    open_ = captions.left_out(singles, said=0.7, generator=torch.Generator().manual_seed(1)) < 0
    shares = open_.double().mean(0)
    for field in (captions.THICKNESS, captions.SLANT, captions.SIZE, captions.PLACE):
        assert float(shares[field]) == pytest.approx(0.3, abs=0.02)
    assert float(shares[captions.DIGIT]) == pytest.approx(0.1, abs=0.015)
    assert float(shares[captions.LAYOUT]) == 0

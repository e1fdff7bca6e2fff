from legocryst.infra.phrases import all_of, any_of, several


def test_numbers_and_lists_in_words() -> None:
    assert [several(n, "row") for n in (0, 1, 1200)] == ["0 rows", "1 row", "1,200 rows"]
    assert [all_of(words) for words in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a and b", "a, b and c"]
    assert any_of((2, 3)) == "2 or 3"

from legocryst import ROOT
from scripts.house import circles, functions, imports, modules, room


def test_circles_are_groups_that_reach_each_other() -> None:
    arrows = {("a", "b"), ("b", "c"), ("c", "a"), ("c", "d"), ("d", "e"), ("f", "g"), ("g", "f")}
    assert circles(arrows) == [["a", "b", "c"], ["f", "g"]]
    assert circles({("a", "b"), ("a", "c"), ("b", "c")}) == []


def test_the_house_has_no_circle_of_rooms() -> None:
    files = modules()
    pairs = {(room(name), room(other)) for name, path in files.items() for other in imports(path, files)}
    assert ("legocryst.cli", "legocryst.ui") in pairs
    assert circles({(here, there) for here, there in pairs if here != there}) == []


def test_functions_are_measured() -> None:
    assert functions(ROOT / "scripts" / "house.py")["room"] == 4

from pydantic import BaseModel

from legocryst.settings import RunSettings
from scripts.make_docs import PAGE, page


def test_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "the settings or columns changed: run `make docs`"


def test_page_has_every_setting_with_its_bounds() -> None:
    text = page()
    for field in RunSettings.model_fields.values():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            for name, entry in field.annotation.model_fields.items():
                assert f"| `{name}` |" in text
                assert str(entry.description) in text
    assert "| `max_step` | 0.25 | > 0, ≤ 2 | angstrom |" in text
    assert "| `wp0` … `wp7` | Position |" in text
    assert "`wp3`" not in text

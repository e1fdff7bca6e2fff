"""Target: the environment that every atom of new crystals shall have, of an atom in a crystal."""

import pandas as pd
import streamlit as st

from legocryst.crystal.crystals import Crystals
from legocryst.environment.target import Target, shipped_names
from legocryst.environment.target_library import save
from legocryst.ui.shell import shell
from legocryst.ui.target import editor as ui
from legocryst.ui.widgets.scene import scene
from legocryst.ui.widgets.viewer import view

FROM = ("A target", "A shipped crystal", "Your own file")


def crystal_of_file() -> tuple[Crystals, str] | None:
    file = st.file_uploader(
        "Crystal", type=["cif", "vasp", "poscar", "contcar", "extxyz", "xyz"], help="CIF, POSCAR or extended XYZ."
    )
    if file is None:
        st.info("Give a file with a crystal: CIF, POSCAR (.vasp) or extended XYZ.")
        return None
    uploaded = ui.uploaded(file.name, file.getvalue())
    places = [place for place, _, _ in uploaded]
    number = 0
    if len(uploaded) > 1:
        number = st.selectbox("Crystal of the file", range(len(uploaded)), format_func=lambda k: places[k])
    place, crystal, reason = uploaded[number]
    if crystal is None:
        st.error(reason)
        return None
    return crystal, place.rpartition("/")[2].rpartition(".")[0] or place


def shipped_crystal() -> tuple[Crystals, str]:
    table = ui.shipped_crystals()
    names = [f"{title} ({of})" for title, of in zip(table["title"], table["of"], strict=True)]
    number = st.selectbox("Crystal", range(len(table)), format_func=lambda k: names[k], key="target.crystal")
    return ui.shipped_crystal(number), str(table["title"].iloc[number])


def atom_of(crystal: Crystals, name: str) -> Target | None:
    """Return the target that an atom of the crystal gives, or None where it gives none, which the page then says."""
    from legocryst.environment.derive import derive, sites

    atoms = sites(crystal)
    rows = [
        (site.number, site.element, site.wyckoff, site.coordination, ui.nearest_distances(site.distances))
        for site in atoms
    ]
    columns = ["Atom", "Element", "Wyckoff position", "Bonds", "Neighbours (number at Å)"]
    st.dataframe(
        pd.DataFrame(rows, columns=columns), hide_index=True, height=min(250, 38 + 35 * len(rows)), alt="Atoms"
    )
    left, right = st.columns(2)
    atom = left.selectbox(
        "Atom", [site.number for site in atoms], key=f"target.atom.{name}", help="Number in the table."
    )
    bonds = right.number_input(
        "Bonds",
        0,
        12,
        atoms[atom - 1].coordination,
        key=f"target.bonds.{name}.{atom}",
        help="How many of the nearest atoms are bonded; at first as many as stand before the clearest gap.",
    )
    try:
        return derive(crystal, atom, name="new", coordination=int(bonds), reference=name)
    except ValueError as error:
        st.error(shell.sentence(error))
        return None


def chosen() -> Target | None:
    """Return the target to start from."""
    kind = st.segmented_control("Start from", FROM, default=FROM[0], key="target.from", required=True)
    if kind == FROM[0]:
        return shell.target(st.selectbox("Target", shell.target_names(), key="target.base"))
    result = crystal_of_file() if kind == FROM[2] else shipped_crystal()
    return atom_of(*result) if result else None


def numbers(start: Target) -> Target | None:
    """Show the form, and return the target that it makes; None where that makes no sense, which the page then says."""
    from legocryst.environment.derive import edited

    st.header("Its numbers")
    reference = start.reference
    key = f"target.{start.name}.{reference.name}.{reference.sites[0].letter}.{start.coordination}.{start.bond}"
    values = ui.edit(start, key=key)
    old = start.model_dump()
    changed = {name: value for name, value in values.items() if value != old[name]}
    try:
        return edited(start, changed)
    except ValueError as error:
        st.error(shell.sentence(error))
        return None


def drawn(target: Target) -> None:
    from legocryst.environment.validity import judge

    crystal = target.reference.crystals()
    verdict = judge(crystal, target)
    view(scene(crystal, cutoff=target.bond_window[1]), name=f"target {target.reference.name}", height=300, key="target")
    reason = verdict.reason[0]
    every = f"Not every atom of it is so: {reason}." if reason else "Every atom of it has this environment."
    group = target.reference.space_group
    st.caption(
        f"{target.reference.name}, space group {group}; the environment is that of the chosen atom, which is written "
        f"as its first site. {every}"
    )


def save_target(target: Target) -> None:
    """Name and save."""
    left, middle, right = st.columns([1, 2, 1], vertical_alignment="bottom")
    name = left.text_input("Name", ui.free_name(target), max_chars=60, help="Small letters, digits and hyphens.")
    title = middle.text_input("Title", target.title, max_chars=200, help="A line that tells what it is.")
    if right.button("Save target", type="primary", width="stretch"):
        try:
            save(target.model_copy(update={"name": name.strip(), "title": title.strip()}), shell.workspace())
        except ValueError as error:
            st.error(shell.sentence(error))
            return
        ui.use(name.strip())
        st.session_state["target.saved"] = name.strip()
        st.rerun()
    if done := st.session_state.pop("target.saved", ""):
        st.success(f"{done} is saved, and the next run goes to it: check your crystals on Data, or go on to Generate.")
        shell.link("generate", "Use it in a run")


def listed() -> None:
    """Show the saved targets."""
    saved = ui.saved()
    st.header("Saved targets")
    if not saved:
        st.caption(f"None yet. Shipped: {', '.join(shipped_names())}.")
    for name, saved_target, reason in saved:
        text, use, gone = st.columns([6, 1, 1], vertical_alignment="center")
        text.markdown(f"**{name}**: {saved_target.title if saved_target else reason}")
        if use.button("Use", key=f"target.use.{name}", disabled=saved_target is None, help="The next run goes to it."):
            ui.use(name)
            st.toast(f"The next run goes to {name}.")
        if gone.button("Delete", key=f"target.delete.{name}", help="Jobs that were made with it keep it."):
            ui.forget(name)
            st.rerun()


def page() -> None:
    left, right = st.columns([3, 2], gap="medium")
    with left:
        start = chosen()
        values = numbers(start) if start else None
    if values:
        with right:
            drawn(values)
            st.write(ui.in_words(values))
        st.header("Beside the shipped ones")
        ui.figures_of(values, {name: shell.target(name) for name in shipped_names()})
        st.header("Save")
        save_target(values)
    listed()


shell.begin("target")
page()
shell.end("target")

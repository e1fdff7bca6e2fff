"""The files that stand behind a path: of a folder and its subfolders, of a zip archive, or the file itself."""

import re
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from legocryst.crystal.io.structures import FileError

MAX_BYTES, MAX_FILES = 1_000_000_000, 100_000
"""An archive that unpacks to more is refused."""
MAX_RATIO, RATIO_FROM = 200, 10_000_000
"""A file in an archive of more than `RATIO_FROM` bytes that shrank by more than `MAX_RATIO` is refused."""
_NOT_OURS = "__MACOSX"


def files(path: Path, room: Path) -> Iterator[tuple[str, Path | FileError]]:
    """Yield each file behind a path, in order of name: its place, and where it is or why it cannot be had.

    Archives are unpacked into the folder `room`. Hidden files are passed over. Raises FileError where there is nothing
    at `path`, or nothing in it.
    """
    if not path.exists():
        raise FileError(f"there is no file {path}: check its name")
    if path.is_dir():
        listed = [(place, file) for place, file in _of_folder(path) if not _hidden(place)]
        if not listed:
            raise FileError(f"the folder {path} is empty: put crystals into it")
    else:
        listed = [(path.name, path)]
    for place, file in listed:
        if isinstance(file, Path) and file.suffix.lower() == ".zip":
            yield from _of_archive(place, file, room)
        else:
            yield place, file


def _of_folder(folder: Path) -> list[tuple[str, Path | FileError]]:
    """Return files below a folder; a link that leads out of it is refused."""
    home, listed = folder.resolve(), list[tuple[str, Path | FileError]]()
    for path in sorted(folder.rglob("*")):
        place = path.relative_to(folder).as_posix()
        if not path.resolve().is_relative_to(home):
            listed.append((place, FileError(f"{place} leads out of its folder: copy the file itself into it")))
        elif not path.exists():
            listed.append((place, FileError(f"{place} is a link to nothing: remove it")))
        elif path.is_file():
            listed.append((place, path))
    return listed


def _of_archive(place: str, path: Path, room: Path) -> Iterator[tuple[str, Path | FileError]]:
    """Yield files of an archive; archives in it and files that unpack to too much or elsewhere are refused."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir() and not _hidden(member.filename)]
            _refuse_bomb(place, members)
            if not members:
                raise FileError(f"{place} holds no files: put crystals into it")
            inside = room / f"{len(list(room.iterdir()))}"
            for number, member in enumerate(sorted(members, key=lambda member: member.filename)):
                inner = f"{place}/{member.filename}"
                try:
                    yield inner, _extracted(archive, member, inside / str(number), inner)
                except FileError as reason:
                    yield inner, reason
    except zipfile.BadZipFile:
        yield place, FileError(f"{place} cannot be read as a zip archive: pack it anew")
    except FileError as reason:
        yield place, reason


def _refuse_bomb(place: str, members: list[zipfile.ZipInfo]) -> None:
    total = sum(member.file_size for member in members)
    if total > MAX_BYTES or len(members) > MAX_FILES:
        raise FileError(
            f"{place} unpacks to {len(members)} files of {total / 1e6:.0f} MB in all, more than {MAX_FILES} files or "
            f"{MAX_BYTES / 1e6:.0f} MB: give it in parts"
        )
    for member in members:
        if member.file_size > RATIO_FROM and member.file_size > MAX_RATIO * member.compress_size:
            raise FileError(
                f"{place} is refused: {member.filename} in it unpacks to {member.file_size / 1e6:.0f} MB, more than "
                f"{MAX_RATIO} times its packed size"
            )


def _extracted(archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path, place: str) -> Path:
    """Return the member as a file in a folder of its own; of its name only the last part is used."""
    name = PurePosixPath(member.filename.replace("\\", "/"))
    if name.is_absolute() or ".." in name.parts or ":" in name.parts[0]:
        raise FileError(f"{place} has a path that leads out of the archive: pack it anew")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise FileError(f"{place} is a link: pack the file itself")
    if name.suffix.lower() == ".zip":
        raise FileError(f"{place} is an archive inside an archive: unpack it first")
    folder.mkdir(parents=True)
    path = folder / name.name
    try:
        with archive.open(member) as packed, path.open("wb") as file:
            shutil.copyfileobj(packed, file)  # never more than the size that was looked at above
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        # damaged; with a password; packed in a way that Python cannot undo
        raise FileError(f"{place} cannot be unpacked ({error}): pack it anew, without a password") from error
    return path


def _hidden(place: str) -> bool:
    """Say whether systems hide a file or folder, or only a packing program made it."""
    return any(part == _NOT_OURS or (part.startswith(".") and part != "..") for part in re.split(r"[/\\]", place))

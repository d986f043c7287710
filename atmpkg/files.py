"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO

from atmpkg.errors import StoreError


class Out:
    """A place to write to: one file, or a folder of several; standard output where there is no path.

    Everything is written beside its place under another name and takes its own name when the block ends without an
    error; otherwise nothing is left.

    >>> folder = Path(tempfile.mkdtemp())
    >>> with Out(folder / "a.txt") as out, out.file() as file:
    ...     _ = file.write(b"whole")
    >>> (folder / "a.txt").read_text()
    'whole'
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path or Path("-")
        self._stdout = path is None
        self._written: list[tuple[Path, Path]] = []
        self._made: list[Path] = []

    @contextlib.contextmanager
    def file(self, name: str = "") -> Iterator[IO[bytes]]:
        """Open the file itself, or the file of that name in the folder, for writing."""
        if self._stdout:
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
            return
        place = self.path / name if name else self.path
        if place.is_relative_to("/dev") or (place.exists() and not place.is_file() and not place.is_dir()):
            with place.open("wb") as device:  # a device or pipe has no other name
                yield device
            return
        place = place.resolve()
        if name:
            self._make(place.parent)
        handle, temporary = tempfile.mkstemp(prefix=f".{place.name}.", dir=place.parent)
        self._written.append((Path(temporary), place))
        with os.fdopen(handle, "wb", buffering=1 << 20) as file:
            yield file

    def _make(self, folder: Path) -> None:
        if not folder.exists():
            if folder != self.path.resolve():
                self._make(folder.parent)
            folder.mkdir()
            self._made.insert(0, folder)

    def __enter__(self) -> Out:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                for temporary, place in self._written:
                    temporary.chmod(0o666 & ~_umask())
                    temporary.replace(place)
        except OSError as fault:
            error = fault
        finally:
            for temporary, _ in self._written:
                temporary.unlink(missing_ok=True)
            for folder in self._made if error else ():
                with contextlib.suppress(OSError):  # not empty: not ours alone
                    folder.rmdir()
        if isinstance(error, OSError) and not self._stdout:
            raise StoreError(f"cannot write {self.path}: {error.strerror or error}. {_advice(error)}") from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _advice(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "Make its folder first."
    return "Choose another place with --out."

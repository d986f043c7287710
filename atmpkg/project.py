"""Where things are: the project's folders, the package's own, and the cache."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import atmpkg
from atmpkg.errors import UsageError, quoted

FORMAT = 2  # of a built store; raise it when the meaning of its quads changes


def home() -> Path:
    """Return the folder with the ontology, tables and queries that belong to this code."""
    package = Path(__file__).resolve().parent
    carried = package / "home"
    return carried if carried.is_dir() else package.parent


@dataclass(frozen=True)
class Project:
    """A data root: its tables, and its ontology and queries on top of the package's own."""

    root: Path
    home: Path

    @classmethod
    def find(cls, data: Path | str | None = None) -> Project:
        """Return the project at ``data``, else the checkout at or above the working directory, else the package's."""
        own = home()
        if data is not None:
            try:
                root = Path(data).expanduser().resolve()
                usable = (root / "data" / "tables").is_dir()
            except (OSError, RuntimeError, ValueError) as error:
                raise UsageError(f"cannot use the data in {quoted(str(data))}: {error}.") from None
            if not usable:
                raise UsageError(f"cannot use the data in {data}: it has no folder data/tables.")
            return cls(root, own)
        try:
            here = Path.cwd()
        except OSError:  # it was removed meanwhile
            here = own
        for folder in (here, *here.parents):
            if (folder / "data" / "tables").is_dir() and (folder / "ontology" / "prefixes.yaml").is_file():
                return cls(folder, own)
        return cls(own, own)

    def folders(self, *parts: str) -> list[Path]:
        """Return the folders of that name, the package's first and the project's last."""
        return list(dict.fromkeys(base.joinpath(*parts) for base in (self.home, self.root)))

    @property
    def tables(self) -> list[Path]:
        """Folders of the table descriptions; the rows are in the last."""
        return self.folders("data", "tables")

    @property
    def ontology(self) -> Path:
        """The project's ontology folder, or the package's where it has none."""
        own = self.root / "ontology"
        return own if any(own.glob("*.ttl")) else self.home / "ontology"

    @property
    def mappings(self) -> Path:
        """Folder of the mapping sets; they belong to the rows, so never the package's beside other data."""
        return self.root / "ontology" / "mappings"

    def fingerprint(self) -> str:
        """Hash everything that a built store depends on."""
        digest = hashlib.sha256(f"format {FORMAT} version {atmpkg.__version__}".encode())
        for path in self._inputs():
            content = path.read_bytes()
            digest.update(f"\0{path.name}\0{len(content)}\0".encode())
            digest.update(content)
        return digest.hexdigest()[:24]

    def _inputs(self) -> Iterator[Path]:
        yield from (path for folder in self.tables for path in sorted(folder.glob("*.yaml")))
        yield from sorted(self.tables[-1].glob("*.tsv"))
        yield from sorted(self.ontology.glob("*.ttl"))
        yield self.prefixes
        yield from sorted(self.mappings.glob("*.sssom.tsv"))
        yield from (path for folder in self.folders("queries", "rules") for path in sorted(folder.rglob("*.rq")))

    @property
    def prefixes(self) -> Path:
        """The prefix map."""
        own = self.root / "ontology" / "prefixes.yaml"
        return own if own.is_file() else self.home / "ontology" / "prefixes.yaml"

    @property
    def cache(self) -> Path:
        """Folder of the built stores of this data root, below the user's cache directory."""
        key = hashlib.sha256(str(self.root).encode()).hexdigest()[:12]
        return cache_folder() / f"{self.root.name or 'root'}-{key}"


def cache_folder() -> Path:
    """Return the user's cache directory for atmpkg; ``ATMPKG_CACHE`` overrides it."""
    if chosen := os.environ.get("ATMPKG_CACHE"):
        return Path(chosen).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "atmpkg"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", str(Path.home()))) / "atmpkg" / "cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "atmpkg"

"""Files of the record: pictures, tensors, heat maps and transcripts, named by the SHA-256 of their bytes.

Knows how a file gets onto the disk so that it is there whole or not at all; knows nothing about what is in it.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from sqlalchemy.orm import Session

from store.access import Access
from store.errors import UserError
from store.failures import told
from store.schema import ArtifactRow


class Artifacts:
    """A folder of files. The same bytes are kept once, under the media type that they were first put with."""

    def __init__(self, folder: Path, access: Access) -> None:
        self.folder = folder
        self._access = access

    def put(self, data: bytes, media_type: str) -> str:
        """Keeps the bytes and returns their SHA-256 (64 hexadecimal digits), once they are on the disk."""
        sha = hashlib.sha256(data).hexdigest()
        path = self._place(sha)
        with told(str(self.folder)):
            if not path.exists() or path.stat().st_size != len(data):
                write_whole(path, data)

        def work(session: Session) -> None:
            if session.get(ArtifactRow, sha) is None:
                session.add(ArtifactRow(sha256=sha, media_type=media_type, size=len(data)))

        self._access.write(work)
        return sha

    def get(self, sha: str) -> bytes:
        """The bytes of a file. Raises UserError when it is missing, or is no longer what was put there."""
        with told(str(self.folder)):
            data = self.path(sha).read_bytes()
        if hashlib.sha256(data).hexdigest() != sha:
            raise UserError(
                f"the artifact `{sha}` is damaged",
                kind="artifact",
                hint=f"restore `{self._place(sha)}` from a copy, or delete it and measure again",
            )
        return data

    def path(self, sha: str) -> Path:
        """Where the file lies. Raises UserError when it is not there."""
        path = self._place(sha)
        if not path.is_file():
            raise UserError(
                f"the artifact `{sha}` is not in `{self.folder}`",
                kind="artifact",
                hint="copy the folder beside the store, or name it in MAIEUTIC_ARTIFACTS",
            )
        return path

    def media_type(self, sha: str) -> str:
        """What the bytes are, such as `image/png`. Raises UserError for a hash that the record does not know."""
        row = self._access.read(lambda session: session.get(ArtifactRow, sha))
        if row is None:
            raise UserError(
                f"the record knows no artifact `{sha}`", kind="artifact", hint="name its whole hash"
            )
        return row.media_type

    def _place(self, sha: str) -> Path:
        """Refuses what is no hash, so that no name leads out of the folder."""
        if len(sha) != 64 or not set(sha) <= set("0123456789abcdef"):
            raise UserError(
                f"`{sha}` is no artifact's hash", kind="artifact", hint="it has 64 hexadecimal digits"
            )
        return self.folder / sha[:2] / sha


def write_whole(path: Path, data: bytes) -> None:
    """The bytes as a file: under a temporary name first; then file and folder's entry are forced to the disk."""
    new = [folder for folder in (path.parent, path.parent.parent) if not folder.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    for folder in (path.parent, *(folder.parent for folder in new)):
        _force(folder)


def _force(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

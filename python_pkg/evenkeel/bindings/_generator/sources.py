"""What ABIs leave out and sources say: members of enums, and the comments on structs and enums."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from evenkeel.bindings._generator.errors import GeneratorError

_DECLARATION = re.compile(
    r"(?P<doc>(?:^[ \t]*///[^\n]*\n)*)^[ \t]*(?P<kind>enum|struct)\s+(?P<name>\w+)\s*\{(?P<body>[^}]*)\}",
    re.MULTILINE,
)
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_TAG = re.compile(r"@(\w+)\s+(.*?)(?=\s@\w+\s|$)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Doc:
    """A comment: what the whole is, and what each field and return value is."""

    text: str = ""
    params: tuple[tuple[str, str], ...] = ()
    returns: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Sources:
    """Declarations by name, over all sources read."""

    enums: dict[str, tuple[str, ...]]
    docs: dict[str, Doc]
    comments: str = ""

    def wrote(self, text: str) -> bool:
        """Whether `text` is a comment of these sources, not one that came along with an imported contract."""
        return "".join(text.split()) in self.comments


def read_sources(folders: Iterable[Path]) -> Sources:
    """Enums and structs declared below `folders`. One name with two sets of members is refused."""
    enums: dict[str, tuple[str, ...]] = {}
    docs: dict[str, Doc] = {}
    comments: list[str] = []
    for path in sorted(path for folder in folders for path in folder.rglob("*.sol")):
        text = path.read_text(encoding="utf-8")
        comments += (
            line.strip().removeprefix("///") for line in text.splitlines() if line.strip().startswith("///")
        )
        for found in _DECLARATION.finditer(text):
            name = found["name"]
            docs.setdefault(name, _doc(found["doc"]))
            if found["kind"] == "struct":
                continue
            members = tuple(
                part.strip() for part in _COMMENT.sub("", found["body"]).split(",") if part.strip()
            )
            if enums.setdefault(name, members) != members:
                raise GeneratorError(f"{path}: enum {name} is declared elsewhere with other members")
    return Sources(enums, docs, "".join("".join(comments).split()))


def _doc(comment: str) -> Doc:
    text = " ".join(line.strip().removeprefix("///").strip() for line in comment.splitlines()).strip()
    if text and not text.startswith("@"):
        text = f"@notice {text}"
    said, params = [], []
    for tag, words in _TAG.findall(text):
        if tag in ("notice", "dev", "title"):
            said.append(words.strip())
        elif tag == "param":
            name, _, what = words.strip().partition(" ")
            params.append((name, what.strip()))
    return Doc(" ".join(said), tuple(params))

"""A block named so that it cannot be mistaken for another one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class BlockRef:
    """One block: number, 0x-prefixed lower-case hash and parent hash, unix seconds."""

    number: int
    hash: str
    parent_hash: str
    timestamp: int

    @classmethod
    def from_json(cls, block: Mapping[str, Any]) -> Self:
        """Read the header fields of an `eth_getBlockBy...` answer."""
        return cls(
            number=int(block["number"], 16),
            hash=str(block["hash"]).lower(),
            parent_hash=str(block["parentHash"]).lower(),
            timestamp=int(block["timestamp"], 16),
        )

    @property
    def pin(self) -> dict[str, Any]:
        """The block parameter of EIP-1898 that names this block and no other, even after a reorganisation."""
        return {"blockHash": self.hash, "requireCanonical": True}

    def __str__(self) -> str:
        return f"{self.number} ({self.hash[:10]})"

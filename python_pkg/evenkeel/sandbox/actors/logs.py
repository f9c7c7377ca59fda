"""Reading a contract's events as they come, on a chain that may be reverted underneath."""

from collections.abc import Sequence
from typing import Any

from evenkeel.sandbox.actors.blocks import LocalChain


class EventLog:
    """The events of one topic from some contracts. Reads only blocks it has not seen."""

    def __init__(self, chain: LocalChain, addresses: Sequence[str], topic: str) -> None:
        self._chain = chain
        self._addresses = list(addresses)
        self._topic = topic
        self._number = -1
        self._hash = ""

    def news(self) -> tuple[bool, list[Any]]:
        """Return the entries since the last call, and whether they start from the beginning.

        They do the first time, and whenever the last block seen is no longer part of the chain.
        """
        head = self._chain.rpc("eth_getBlockByNumber", "latest", False)
        if head["hash"] == self._hash:
            return False, []
        anew = self._number < 0 or self._gone()
        query = {
            "fromBlock": hex(0 if anew else self._number + 1),
            "toBlock": head["number"],
            "address": self._addresses,
            "topics": [self._topic],
        }
        entries = self._chain.rpc("eth_getLogs", query)
        self._number, self._hash = int(head["number"], 16), head["hash"]
        return anew, entries

    def _gone(self) -> bool:
        block = self._chain.rpc("eth_getBlockByNumber", hex(self._number), False)
        return block is None or block["hash"] != self._hash

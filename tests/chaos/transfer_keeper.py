"""A process that decides one transfer and carries it through, as the keeper carries a rebalance: `... URL JOURNAL SINK`."""

import sys
from pathlib import Path

from evenkeel.chain import Heads, Intent, Journal, Rpc, TxManager
from plain_anvil import SIGNER


def main(url: str, path: str, sink: str) -> None:
    rpc = Rpc(url)
    with Journal.open(Path(path), identity={"chain_id": "31337"}) as journal:
        lane = TxManager(rpc, journal, SIGNER, 31337)
        heads = Heads(rpc)
        block = heads.poll().block
        lane.advance(block)
        if not journal.decisions():
            intent = lane.preflight(Intent(sink, b"", "transfer", value=1), block)
            _, (row,) = journal.record(block, "transfer", intents=[intent], sender=lane.address)
            lane.send(row, block)
        while not journal.settled(journal.decisions()[0].block.hash):
            if head := heads.poll():
                lane.advance(head.block, reorg=head.reorg is not None)


main(*sys.argv[1:])

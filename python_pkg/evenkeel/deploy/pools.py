"""Which of the Uniswap pools that a protocols file names are there: their addresses follow from the file, their code does not."""

from web3 import Web3

from evenkeel.deploy.protocols import Protocols


def existing_pools(w3: Web3, protocols: Protocols) -> tuple[Protocols, list[str]]:
    """Return `protocols` without the pools that are not there, and a line for each of those."""
    uniswap = protocols.uniswap
    if uniswap is None:
        return protocols, []
    there, missing = {}, []
    for pair, pool in uniswap.pools.items():
        if w3.eth.get_code(Web3.to_checksum_address(pool.address)):
            there[pair] = pool
        else:
            missing.append(
                f"price of {pair} by its average: no Uniswap pool with fee {pool.fee} at {pool.address}"
            )
    found = uniswap.model_copy(update={"pools": there})
    return protocols.model_copy(update={"uniswap": found}), missing

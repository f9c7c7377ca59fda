"""A trader's own money in the real pools: it takes, it provides liquidity, and it counts what it has at a price."""

from math import log

from vault_desk import USDC, WAD

from evenkeel.sandbox.protocols import curie, uniswap

GAS = 8_000_000
SCALE = 10**12
FOREVER = 2**63
MOST = 2**128 - 1
TICK = log(1.0001)


def act(desk, role, to, artifact, function, *args):
    """As `Desk.act` without its ways to go on after a stop; a campaign waits for thousands of these."""
    data = artifact.encode(function, *args)
    sent = desk.chain.signers[role].send(
        desk.w3, {"to": desk.w3.to_checksum_address(to), "data": data, "gas": GAS}
    )
    receipt = desk.w3.eth.wait_for_transaction_receipt(sent, poll_latency=0.005)
    assert receipt["status"] == 1, f"{artifact.name}.{function} reverted"


def ask(desk, to, artifact, function, *args):
    """As `Desk.ask`."""
    call = {"to": desk.w3.to_checksum_address(to), "data": artifact.encode(function, *args)}
    return artifact.decode(function, bytes(desk.w3.eth.call(call)))


class SpotMoney:
    """USDC and WETH of `role`, in the account and in the Uniswap pool of the two."""

    def __init__(self, desk, role, dollars, ether):
        self.desk, self.role = desk, role
        self.account = desk.chain.accounts[role]
        self.exchange = desk.protocols.uniswap
        self.pool = self.exchange.pools["WETH/USDC"]
        for symbol, amount in (("USDC", dollars * USDC), ("WETH", ether * WAD)):
            desk.give(symbol, self.account, amount)
            for spender in (self.exchange.router, self.exchange.position_manager):
                desk.token(symbol).approve(spender, 2**256 - 1).send(desk.chain.signers[role])
        self.first = sorted(("USDC", "WETH"), key=lambda symbol: int(self._at(symbol), 16))
        self.provided = None

    def _at(self, symbol):
        return self.desk.protocols.tokens[symbol].address

    def _manager(self, function, *args):
        source = uniswap.periphery("NonfungiblePositionManager.sol")
        act(self.desk, self.role, self.exchange.position_manager, source, function, *args)

    def slot0(self):
        return ask(self.desk, self.pool.address, uniswap.core("UniswapV3Pool"), "slot0")

    def push(self, price):
        """Trade until the pool stands at `price`, dollars an ether."""
        tokens = self.desk.protocols.tokens
        target = uniswap.sqrt_price_x96(tokens["WETH"], tokens["USDC"], round(price * 10**6) * 10**12)
        now = self.slot0()[0]
        if abs(target - now) <= now // 10**9:
            return
        paid, bought = self.first if target < now else reversed(self.first)
        most = self.desk.balance(paid, self.account)
        swap = (self._at(paid), self._at(bought), self.pool.fee, self.account, most, 0, target)
        act(self.desk, self.role, self.exchange.router, uniswap.router(), "exactInputSingle", swap)

    def provide(self, width, dollars):
        """Put `dollars` and as much worth of ether within `width` of the pool's price."""
        self.withdraw()
        tick, spacing = self.slot0()[1], uniswap.TICK_SPACING[self.pool.fee]
        low, high = ((tick + reach) // spacing * spacing for reach in (-width / TICK, width / TICK))
        amounts = {"USDC": dollars * USDC, "WETH": self.desk.balance("WETH", self.account)}
        terms = (*map(self._at, self.first), self.pool.fee, int(low), int(high))
        held = [amounts[symbol] for symbol in self.first]
        self._manager("mint", (*terms, *held, 0, 0, self.account, FOREVER))
        source = uniswap.periphery("NonfungiblePositionManager.sol")
        self.provided = ask(
            self.desk, self.exchange.position_manager, source, "tokenOfOwnerByIndex", self.account, 0
        )

    def withdraw(self):
        """Take all liquidity and what it earned back."""
        if self.provided is None:
            return
        source = uniswap.periphery("NonfungiblePositionManager.sol")
        liquidity = ask(self.desk, self.exchange.position_manager, source, "positions", self.provided)[7]
        self._manager("decreaseLiquidity", (self.provided, liquidity, 0, 0, FOREVER))
        self._manager("collect", (self.provided, self.account, MOST, MOST))
        self._manager("burn", self.provided)
        self.provided = None

    def worth(self, price):
        """What the account has, the pool left aside, asset units at 1e18 with an ether at `price` dollars."""
        return (
            self.desk.balance("USDC", self.account) * SCALE + self.desk.balance("WETH", self.account) * price
        )


class PerpMoney:
    """Margin and positions of `role` in one Curie market."""

    def __init__(self, desk, market, role, dollars):
        self.desk, self.market, self.role, self.provided = desk, market, role, None
        self.account = desk.chain.accounts[role]
        usdc = desk.protocols.tokens["USDC"].address
        desk.give("USDC", self.account, dollars * USDC)
        desk.token("USDC").approve(market.vault, dollars * USDC).send(desk.chain.signers[role])
        act(desk, role, market.vault, curie.contract("Vault"), "deposit", usdc, dollars * USDC)

    def _house(self, function, *args):
        act(
            self.desk, self.role, self.market.clearing_house, curie.contract("ClearingHouse"), function, *args
        )

    def slot0(self):
        return ask(self.desk, self.market.pool, curie.uniswap("UniswapV3Pool"), "slot0")

    def push(self, price):
        """Trade until the market stands at `price`, dollars an ether."""
        target, now = curie.sqrt_price_x96(round(price * 10**9) * 10**9), self.slot0()[0]
        if abs(target - now) <= now // 10**9:
            return
        sells = target < now
        bound = 10**7 * WAD if sells else 10**11 * WAD
        self._house(
            "openPosition", (self.market.base_token, sells, True, bound, 0, FOREVER, target, bytes(32))
        )

    def provide(self, width, ether):
        """Put `ether` and as much worth of dollars, virtual both, within `width` of the market's price."""
        tick, spacing = self.slot0()[1], curie.TICK_SPACING
        low, high = (int((tick + reach / TICK) // spacing * spacing) for reach in (-width, width))
        base, quote = ether * WAD, ether * 10**4 * WAD
        self._house("addLiquidity", (self.market.base_token, base, quote, low, high, 0, 0, False, FOREVER))
        self.provided = (low, high)

    def withdraw(self):
        """Take all liquidity and what it earned back."""
        if self.provided is None:
            return
        terms, base = self.provided, self.market.base_token
        order = ask(
            self.desk,
            self.market.order_book,
            curie.contract("OrderBook"),
            "getOpenOrder",
            self.account,
            base,
            *terms,
        )
        self._house("removeLiquidity", (base, *terms, order[0], 0, 0, FOREVER))
        self.provided = None

    def worth(self, price):
        """See `curie_worth`."""
        return curie_worth(self.desk, self.market, self.account, price)


def curie_worth(desk, market, account, price):
    """What `account` has at Curie, liquidity and its fees included, at 1e18 with an ether at `price` dollars."""

    def read(name, at, function, *args):
        return ask(desk, at, curie.contract(name), function, *args)

    balances, base = market.account_balance, market.base_token
    realised, _, earned = read("AccountBalance", balances, "getPnlAndPendingFee", account)
    funding = read("Exchange", market.exchange, "getAllPendingFundingPayment", account)
    size = read("AccountBalance", balances, "getTotalPositionSize", account, base)
    notional = read("AccountBalance", balances, "getTotalOpenNotional", account, base)
    cash = read("Vault", market.vault, "getBalance", account) * SCALE
    return cash + realised + earned - funding + size * price + notional

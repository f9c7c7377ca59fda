// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IRiskGuard} from "../../../contracts/guard/IRiskGuard.sol";
import {Instruction, VaultParts, VenueConfig} from "../../../contracts/IVault.sol";
import {ChainlinkSource} from "../../../contracts/oracle/ChainlinkSource.sol";
import {IPriceOracle} from "../../../contracts/oracle/IPriceOracle.sol";
import {IPriceSource} from "../../../contracts/oracle/IPriceSource.sol";
import {OracleAdapter} from "../../../contracts/oracle/OracleAdapter.sol";
import {UniswapV3TwapSource} from "../../../contracts/oracle/UniswapV3TwapSource.sol";
import {Vault} from "../../../contracts/Vault.sol";
import {Exposure} from "../../../contracts/venues/IVenue.sol";
import {DoubleToken} from "../doubles/DoubleToken.sol";
import {DoubleVenue} from "../doubles/DoubleVenue.sol";
import {VaultCase} from "../doubles/VaultCase.sol";
import {TestFeed, TestPool} from "../OracleFeeds.sol";

/// @notice A pool that stood at one tick until it was pushed to another in this block.
contract PushedPool {
    address public immutable token0;
    address public immutable token1;
    uint128 private immutable _liquidity;
    int24 private immutable _before;
    int24 private _now;
    uint256 private _pushedAt;

    constructor(address zero, address one, int24 tick, uint128 liquidity) {
        (token0, token1, _before, _liquidity) = (zero, one, tick, liquidity);
        push(tick);
    }

    function push(int24 tick) public {
        (_now, _pushedAt) = (tick, block.timestamp);
    }

    function observe(uint32[] calldata ago)
        external
        view
        returns (int56[] memory ticks, uint160[] memory perLiquidity)
    {
        ticks = new int56[](ago.length);
        perLiquidity = new uint160[](ago.length);
        for (uint256 i = 0; i < ago.length; i++) {
            int56 time = int56(uint56(block.timestamp - ago[i]));
            int56 pushed = int56(uint56(_pushedAt));
            ticks[i] = time <= pushed ? _before * time : _before * pushed + _now * (time - pushed);
            perLiquidity[i] = uint160(uint256(int256(time)) * ((1 << 128) / _liquidity));
        }
    }
}

/// @notice Deaths by price, on our own oracle and sources: a feed that is stale, absurd or of other decimals, a sequencer that is
/// down, a pool that is pushed or thin. Whatever happens to the price, entry closes and exit does not.
contract PricesAttackTest is VaultCase {
    uint256 private constant HELD = 10e18;
    uint128 private constant DEEP = 1e22;
    /// @dev log_1.0001(3,000e6 / 1e18): 3,000 dollars of 6 decimals for 1e18 wei.
    int24 private constant TICK = -196_256;

    DoubleToken private weth;
    OracleAdapter private adapter;
    TestFeed private feed;
    TestFeed private sequencer;
    TestPool private pool;
    address private chainlink;
    address private twap;

    /// @dev The vault of these tests reads ETH from a feed and from a pool's average, and holds ten of it.
    function setUp() public override {
        vm.warp(1_800_000_000);
        super.setUp();
        weth = new DoubleToken("WETH", 18);
        feed = new TestFeed(8, 3_000e8);
        sequencer = new TestFeed(0, 0);
        sequencer.set(0, block.timestamp - 2 hours);
        pool = new TestPool(address(weth), address(usdc), TICK, DEEP);
        adapter = new OracleAdapter(address(usdc), address(manager));
        chainlink = _chainlink(feed);
        twap = address(new UniswapV3TwapSource(address(weth), address(usdc), address(pool), 600, DEEP / 10, 0.005e18));
        _configure(2, chainlink, twap);

        VaultParts memory parts = _parts();
        parts.oracle = address(adapter);
        vault = new Vault(parts);
        venue = new DoubleVenue(address(vault));
        vault.addVenue(address(venue), VenueConfig(0.5e18, 1.2e18, 1.5e18, 1.1e18));
        bytes4[] memory selectors = new bytes4[](2);
        (selectors[0], selectors[1]) = (vault.rebalance.selector, vault.topUp.selector);
        manager.setTargetFunctionRole(address(vault), selectors, KEEPER);
        guard.setLimits(address(weth), _limits());
        _deposit(alice, 1_000_000e6);
        _rebalance(address(venue), _trade(30_000e6, 30_000e18, _held()));
    }

    function test_TheVaultIsPricedToBeginWith() public view {
        (bool priced, int256 low, int256 mid, int256 high) = vault.nav();
        assertTrue(priced);
        assertEq(mid, 1_000_000e18);
        assertTrue(low < mid && mid < high);
        assertGt(vault.maxDeposit(bob), 0);
    }

    /// @notice Ribbon (2025): an upgraded oracle answered some assets in 18 decimals where the vault read 8. A source scales by its
    /// own feed's decimals, so that another feed of any decimals says the same price.
    function testFuzz_Ribbon_AFeedOfOtherDecimalsSaysTheSame(uint8 decimals) public {
        decimals = uint8(bound(decimals, 0, 36));
        (uint256 low, uint256 mid, uint256 high,) = adapter.quote(address(weth));
        TestFeed other = new TestFeed(decimals, int256(3_000 * 10 ** decimals));
        _configure(2, _chainlink(other), twap);
        (uint256 lowNow, uint256 midNow, uint256 highNow,) = adapter.quote(address(weth));
        assertEq(midNow, mid);
        assertEq(lowNow, low);
        assertEq(highNow, high);
    }

    /// @notice What Ribbon's mistake would look like here: a feed that answers a 10^10th of the price. Both sources must agree, so
    /// the vault has no price instead of a wrong one, and nobody enters or trades on it.
    function test_Ribbon_APriceOfTheWrongScaleIsNoPrice() public {
        feed.set(3_000e18, block.timestamp);
        _assertClosed();
        feed.set(0.3e8, block.timestamp);
        _assertClosed();
    }

    /// @notice Makina (2026) and Harvest: a share priced by a pool's spot is whatever the attacker's trade of the same block says.
    /// A push that has lasted no time is not in a time-weighted price.
    function test_MakinaHarvest_APoolPushedInThisBlockPricesNothing() public {
        (, int256 low, int256 mid, int256 high) = vault.nav();
        PushedPool pushed = new PushedPool(address(weth), address(usdc), TICK, DEEP);
        _configure(
            2,
            chainlink,
            address(new UniswapV3TwapSource(address(weth), address(usdc), address(pushed), 600, DEEP / 10, 0.005e18))
        );
        pushed.push(TICK + 20_000);
        (, int256 lowNow, int256 midNow, int256 highNow) = vault.nav();
        assertEq(lowNow, low);
        assertEq(midNow, mid);
        assertEq(highNow, high);
    }

    /// @notice The same, held for a minute of a ten minute window: the sources part, and the vault closes before it is wrong.
    function test_MakinaHarvest_APoolHeldWrongClosesTheVault() public {
        pool.set(TICK + 2_000, DEEP);
        _assertClosed();
    }

    /// @notice Polter: the price of a pool that holds almost nothing. Under the floor of liquidity it is no source.
    function test_Polter_AThinPoolIsNoSource() public {
        pool.set(TICK, DEEP / 11);
        _assertClosed();
        vm.expectRevert(abi.encodeWithSelector(IPriceOracle.TooFewSources.selector, address(weth), 1, 2));
        adapter.quote(address(weth));
    }

    function test_AnAbsurdPriceClosesEntryAndTrading() public {
        int256[5] memory absurd = [int256(0), -1, type(int256).max, 1, 1e30];
        for (uint256 i; i < absurd.length; ++i) {
            feed.set(absurd[i], block.timestamp);
            _assertClosed();
        }
    }

    function test_AStalePriceClosesEntryAndTrading() public {
        vm.warp(block.timestamp + 1 hours + 1);
        _assertClosed();
        vm.warp(block.timestamp + 7 days);
        _assertClosed();
    }

    function test_ASequencerThatIsDownOrJustBackClosesEntryAndTrading() public {
        sequencer.set(1, block.timestamp);
        _assertClosed();
        sequencer.set(0, block.timestamp - 10 minutes);
        _assertClosed();
    }

    /// @dev Nobody enters and the keeper does nothing; alice leaves with her part of idle, which is all the low can stand behind.
    function _assertClosed() private {
        uint256 state = vm.snapshotState();
        assertEq(vault.maxDeposit(bob), 0);
        assertEq(vault.maxMint(bob), 0);
        vm.expectRevert(IRiskGuard.Unpriced.selector);
        vault.previewDeposit(1e6);
        Instruction[] memory calls = _calls(address(venue), _trade(1e6, 30_001e18, _held()));
        vm.expectRevert(IRiskGuard.Unpriced.selector);
        vm.prank(keeper);
        vault.rebalance(calls, block.timestamp, "while unpriced");
        uint256 shares = vault.maxRedeem(alice);
        vm.prank(alice);
        assertApproxEqAbs(vault.redeem(shares, alice, alice), 970_000e6, 1);
        vm.revertToState(state);
    }

    function _held() private view returns (Exposure[] memory) {
        return _one(address(weth), 0, int256(HELD), 0, 0, 0);
    }

    function _configure(uint8 quorum, address one, address two) private {
        address[] memory sources = new address[](2);
        (sources[0], sources[1]) = (one, two);
        adapter.configure(address(weth), sources, quorum, 0.05e18);
    }

    function _chainlink(TestFeed priced) private returns (address) {
        return address(
            new ChainlinkSource(
                address(weth), address(usdc), address(priced), 1 hours, 100e18, 100_000e18, 0.005e18, address(sequencer)
            )
        );
    }
}

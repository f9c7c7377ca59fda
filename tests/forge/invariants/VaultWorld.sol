// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Test} from "forge-std/Test.sol";
import {IRiskGuard} from "../../../contracts/guard/IRiskGuard.sol";
import {IValuer, Valuation} from "../../../contracts/guard/IValuer.sol";
import {Instruction, IVault, VenueConfig} from "../../../contracts/IVault.sol";
import {Vault} from "../../../contracts/Vault.sol";
import {IVenue} from "../../../contracts/venues/IVenue.sol";
import {DoubleOracle, DoubleVol} from "../doubles/DoublePrices.sol";
import {DoubleToken} from "../doubles/DoubleToken.sol";
import {DoubleVenue, Mode} from "../doubles/DoubleVenue.sol";
import {MarketVenue, Package} from "./MarketVenue.sol";

/// @notice What the campaign may do to a vault, in any order: depositors, the keeper with legal orders at any price, the market,
/// donors, venues that break, and strangers. What must hold after a single action is checked here and the first failure kept; what
/// must always hold is in VaultInvariants.t.sol. Every action counts its successes, so that a campaign of refusals is seen.
abstract contract VaultWorld is Test {
    struct Parts {
        Vault vault;
        DoubleToken usdc;
        DoubleOracle oracle;
        DoubleVol vols;
        address eth;
        address keeper;
        MarketVenue[2] markets;
        DoubleVenue frail;
    }

    uint256 private constant SCALE = 1e12;

    Vault internal immutable vault;
    DoubleToken internal immutable usdc;
    DoubleOracle internal immutable oracle;
    DoubleVol internal immutable vols;
    address internal immutable eth;
    address internal immutable keeper;
    DoubleVenue internal immutable frail;
    MarketVenue[2] private _markets;
    address[3] internal _depositors = [makeAddr("alice"), makeAddr("bob"), makeAddr("carol")];

    uint256 public price = 3_000e18;
    uint256 public priceHalf = 15e18;
    uint256 public vol = 0.75e18;
    uint256 private constant VOL_HALF = 0.02e18;
    uint256 private _plans = 1e6;

    /// @notice Ghosts: what came into the vault and what went out, in the asset's decimals.
    uint256 public entered;
    uint256 public exited;
    uint256 public donated;
    /// @notice The first thing that did not hold after an action, "" while all did.
    string public broken;
    mapping(string action => uint256) public done;

    constructor(Parts memory p) {
        (vault, usdc, oracle, vols) = (p.vault, p.usdc, p.oracle, p.vols);
        (eth, keeper, frail) = (p.eth, p.keeper, p.frail);
        _markets = p.markets;
        for (uint256 i; i < 3; ++i) {
            vm.prank(_depositors[i]);
            usdc.approve(address(vault), type(uint256).max);
        }
        entered = usdc.balanceOf(address(vault));
    }

    // Depositors.

    function deposit(uint256 who, uint256 assets) external {
        assets = bound(assets, 1, 1_000_000e6);
        if (assets > vault.maxDeposit(_one(who))) return;
        usdc.mint(_one(who), assets);
        uint256 shown = vault.previewDeposit(assets);
        uint256 low = _low();
        vm.prank(_one(who));
        try vault.deposit(assets, _one(who)) returns (uint256 shares) {
            _holds(shares == shown, "S3: deposit is not its preview");
            _entry(assets, low, "deposit");
        } catch {}
    }

    function mint(uint256 who, uint256 shares) external {
        shares = bound(shares, 1, 1_000_000e12);
        if (shares > vault.maxMint(_one(who))) return;
        uint256 shown = vault.previewMint(shares);
        if (shown > 10_000_000e6) return;
        usdc.mint(_one(who), shown);
        uint256 low = _low();
        vm.prank(_one(who));
        try vault.mint(shares, _one(who)) returns (uint256 assets) {
            _holds(assets == shown, "S3: mint is not its preview");
            _entry(assets, low, "mint");
        } catch {}
    }

    function withdraw(uint256 who, uint256 assets) external {
        uint256 most = vault.maxWithdraw(_one(who));
        if (most == 0) return;
        assets = bound(assets, 1, most);
        uint256 shown = vault.previewWithdraw(assets);
        uint256 low = _low();
        vm.prank(_one(who));
        try vault.withdraw(assets, _one(who), _one(who)) returns (uint256 shares) {
            _holds(shares == shown, "S3: withdraw is not its preview");
            _exit(assets, low, "withdraw");
        } catch {
            _holds(false, "S4: maxWithdraw cannot be withdrawn");
        }
    }

    function redeem(uint256 who, uint256 shares) external {
        uint256 most = vault.maxRedeem(_one(who));
        if (most == 0) return;
        shares = bound(shares, 1, most);
        uint256 shown = vault.previewRedeem(shares);
        uint256 low = _low();
        vm.prank(_one(who));
        try vault.redeem(shares, _one(who), _one(who)) returns (uint256 assets) {
            _holds(assets == shown, "S3: redeem is not its preview");
            _exit(assets, low, "redeem");
        } catch {
            _holds(false, "S4: maxRedeem cannot be redeemed");
        }
    }

    /// @notice Enters and leaves in one block: the truth cannot have changed.
    function roundTrip(uint256 who, uint256 assets) external {
        address actor = _one(who);
        assets = bound(assets, 1, 1_000_000e6);
        if (assets > vault.maxDeposit(actor)) return;
        usdc.mint(actor, assets);
        vm.startPrank(actor);
        try vault.deposit(assets, actor) returns (uint256 shares) {
            entered += assets;
            uint256 most = vault.maxRedeem(actor);
            if (most > 0) {
                uint256 paid = vault.redeem(shares < most ? shares : most, actor, actor);
                exited += paid;
                _holds(paid <= assets, "S2: entry and exit at one truth earned something");
            }
            ++done["roundTrip"];
        } catch {}
        vm.stopPrank();
    }

    // The market.

    function move(uint256 to, uint256 half) external {
        price = bound(to, price * 97 / 100, price * 103 / 100);
        if (price < 1_000e18 || price > 9_000e18) price = 3_000e18;
        priceHalf = bound(half, price / 1_000, price / 100);
        oracle.set(eth, price - priceHalf, price, price + priceHalf);
        ++done["move"];
    }

    function moveVol(uint256 to) external {
        vol = bound(to, 0.3e18, 1.5e18);
        vols.set(vol, VOL_HALF);
        ++done["moveVol"];
    }

    function warp(uint256 time) external {
        vm.warp(block.timestamp + bound(time, 1, time % 4 == 0 ? 1 days : 2 hours));
        ++done["warp"];
    }

    function mark() external {
        try vault.mark() {
            ++done["mark"];
        } catch {}
    }

    // Donors and venues that break.

    function donate(uint256 assets, uint256 to) external {
        assets = bound(assets, 1, 10_000e6);
        if (to % 3 == 0) {
            usdc.mint(address(vault), assets);
            donated += assets;
        } else {
            usdc.mint(address(_markets[to % 2]), assets);
        }
        ++done["donate"];
    }

    function breakVenue(uint256 which, uint256 how) external {
        Mode mode = Mode(bound(how, 1, uint256(type(Mode).max)));
        (which % 3 == 2 ? frail : DoubleVenue(_markets[which % 2])).setMode(mode);
        _readable();
        ++done["breakVenue"];
    }

    function mendVenues() external {
        frail.setMode(Mode.Fine);
        _markets[0].setMode(Mode.Fine);
        _markets[1].setMode(Mode.Fine);
        ++done["mendVenues"];
    }

    // The keeper.

    /// @notice Trades a package near its value, or far off.
    function trade(uint256 at, int256 size, int256 squares, int256 units, int256 off) external {
        MarketVenue market = _markets[at % 2];
        Package memory p = Package(
            bound(size, -12e18, 12e18), bound(squares, -0.002e18, 0.002e18), bound(units, -80_000e18, 80_000e18)
        );
        // Most trades carry one kind of risk; a mixture would seldom be legal.
        if (off % 3 == 0) (p.squares, p.vols) = (0, 0);
        int256 pay = market.valueOf(p, int256(price), int256(vol)) + bound(off, -3_000e18, 3_000e18);
        _rebalance(market, abi.encodeCall(MarketVenue.exchange, (p, pay)), "trade");
    }

    function post(uint256 at, uint256 assets) external {
        assets = bound(assets, 1, 200_000e6);
        _rebalance(_markets[at % 2], abi.encodeCall(IVenue.post, (0, assets, 0)), "post");
    }

    /// @notice Takes out what the unit does not need for its least health, often all of it.
    function free(uint256 at, uint256 assets) external {
        MarketVenue market = _markets[at % 2];
        int256 spare = market.worth(int256(price), int256(vol)) - int256(market.requirement() * 121 / 100);
        if (spare < int256(SCALE)) return;
        uint256 most = uint256(spare) / SCALE;
        assets = assets % 2 == 0 ? most : bound(assets, 1, most);
        _rebalance(market, abi.encodeCall(IVenue.free, (0, assets, 0)), "free");
    }

    function topUp(uint256 at, uint256 assets) external {
        MarketVenue market = _markets[at % 2];
        VenueConfig memory config = vault.venueConfig(address(market));
        // A little more than brings the unit to its target, so that both answers come.
        int256 missing =
            int256(market.requirement() * config.targetHealth / 1e18) - market.worth(int256(price), int256(vol));
        if (missing < int256(SCALE)) return;
        assets = bound(assets, 1, uint256(missing) * 11 / 10 / SCALE);
        vm.prank(keeper);
        try vault.topUp(address(market), 0, assets, 0) {
            _holds(market.unitHealth(0) <= config.targetHealth, "T1: past the target");
            ++done["topUp"];
        } catch {}
    }

    // Strangers.

    function intrude(address who, uint256 how, uint256 assets) external {
        if (who == keeper || who == address(0) || who == address(vault)) return;
        VenueConfig memory config;
        bytes[7] memory tries = [
            abi.encodeCall(IVault.rebalance, (new Instruction[](0), block.timestamp, bytes32(_plans++))),
            abi.encodeCall(IVault.fund, (assets)),
            abi.encodeCall(IVault.processExit, (assets)),
            abi.encodeCall(vault.addVenue, (who, config)),
            abi.encodeCall(vault.configureVenue, (address(_markets[0]), config)),
            abi.encodeCall(vault.removeVenue, (address(frail))),
            abi.encodeCall(vault.setRedeemQueue, (who))
        ];
        vm.prank(who);
        (bool passed,) = address(vault).call(tries[how % tries.length]);
        _holds(!passed, "R1: a stranger was let in");
        vm.prank(who);
        (passed,) = address(_markets[how % 2]).call(abi.encodeCall(IVenue.free, (0, assets, 0)));
        _holds(!passed, "R1: a stranger commanded a venue");
        ++done["intrude"];
    }

    /// @notice The sum of what the venues drew and gave back.
    function flows() external view returns (uint256 drawn, uint256 returned) {
        for (uint256 i; i < 2; ++i) {
            drawn += _markets[i].drawn();
            returned += _markets[i].returned();
        }
    }

    // What must hold after one rebalance, read without the guard's own answers.

    struct Before {
        bool priced;
        int256 low;
        uint256 supply;
        int256[4] worst;
        int256[9] truths;
        uint256[2] healths;
        int256[2] mids;
    }

    function _rebalance(MarketVenue market, bytes memory data, string memory action) private {
        Instruction[] memory calls = new Instruction[](1);
        calls[0] = Instruction(address(market), data);
        Before memory was = _before();
        vm.prank(keeper);
        try vault.rebalance(calls, block.timestamp, bytes32(_plans++)) {
            ++done[action];
            _check(was, market);
        } catch {}
    }

    function _before() private view returns (Before memory b) {
        Valuation memory v = _value();
        (b.priced, b.low, b.supply) = (v.priced, v.low, vault.totalSupply());
        for (uint256 m; m < 4; ++m) {
            b.worst[m] = int256(_breach(v, m));
        }
        b.truths = _truths();
        for (uint256 i; i < 2; ++i) {
            b.healths[i] = _markets[i].unitHealth(0);
            b.mids[i] = _markets[i].worth(int256(price), int256(vol));
        }
    }

    function _check(Before memory was, MarketVenue touched) private {
        Valuation memory v = _value();
        _holds(was.priced && v.priced, "G1: traded unpriced");
        _holds(vault.totalSupply() == was.supply, "G2: the supply changed");
        uint256 most = was.low > 0 ? uint256(was.low) * IRiskGuard(vault.guard()).maxLossPerCall() / 1e18 : 0;
        int256[9] memory truths = _truths();
        for (uint256 i; i < 9; ++i) {
            _holds(was.truths[i] - truths[i] <= int256(most) + 1e6, "G3: a call lost more than it may");
        }
        uint256 largest;
        for (uint256 m; m < 4; ++m) {
            if (uint256(was.worst[m]) > largest) largest = uint256(was.worst[m]);
        }
        for (uint256 m; m < 4; ++m) {
            uint256 now_ = _breach(v, m);
            // Delta is a fraction of NAV, and what the call cost moves it a little.
            if (now_ > 1e12 + uint256(was.worst[m]) * 1001 / 1000) {
                _holds(now_ * 10 <= largest * 9, "G4: a limit was left or left further");
            }
        }
        for (uint256 i; i < 2; ++i) {
            VenueConfig memory c = vault.venueConfig(address(_markets[i]));
            int256 mid = _markets[i].worth(int256(price), int256(vol));
            if (mid > was.mids[i] && mid > 0) {
                _holds(v.low > 0 && uint256(mid) <= uint256(v.low) * c.cap / 1e18, "G5: a venue grew past its cap");
            }
            if (_markets[i] == touched) {
                uint256 health = touched.unitHealth(0);
                _holds(health >= c.minHealth || health >= was.healths[i], "G6: a unit was left unhealthy");
            }
        }
    }

    /// @dev The breach of one measure of ETH over its limit, at 1e18, worked out here from the netted Greeks.
    function _breach(Valuation memory v, uint256 m) private view returns (uint256) {
        int256 at;
        for (uint256 i; i < v.exposures.length; ++i) {
            if (v.exposures[i].underlying != eth) continue;
            if (m == 0) at += v.exposures[i].greeks.delta;
            if (m == 1) at += v.exposures[i].greeks.gamma;
            if (m == 2) at += v.exposures[i].greeks.vega;
            if (m == 3) at += v.exposures[i].greeks.theta;
        }
        if (m == 0) at = v.low > 0 ? at * int256(price) / v.low : (at == 0 ? int256(0) : type(int128).max);
        if (m == 1) at = at * int256(price) / 1e18 * int256(price) / 100e18;
        if (m == 2) at = at / 100;
        if (m == 3) at = at / 365;
        (int256 least, int256 most) =
            m == 0 ? (-0.05e18, int256(0.05e18)) : (m == 1 ? -10_000e18 : m == 2 ? -750e18 : -200e18, type(int256).max);
        if (at < least) return uint256(least - at) * 1e18 / uint256(-least);
        return at > most ? uint256(at - most) * 1e18 / uint256(most) : 0;
    }

    /// @dev What the vault is worth if the truth is the low, the mid or the high of either interval.
    function _truths() private view returns (int256[9] memory sums) {
        for (uint256 i; i < 9; ++i) {
            int256 p = int256(price) + (int256(i % 3) - 1) * int256(priceHalf);
            int256 s = int256(vol) + (int256(i / 3) - 1) * int256(VOL_HALF);
            sums[i] = int256(usdc.balanceOf(address(vault)) * SCALE) + _markets[0].worth(p, s) + _markets[1].worth(p, s);
        }
    }

    function _entry(uint256 assets, uint256 low, string memory action) private {
        entered += assets;
        ++done[action];
        _holds(_low() + 1 >= low, "S5: an entry took from those who were in");
    }

    function _exit(uint256 assets, uint256 low, string memory action) private {
        exited += assets;
        ++done[action];
        _holds(_low() + 1 >= low, "S5: an exit took from those who stay");
    }

    /// @dev What a whole share (10^12 wei of share) is worth at the low.
    function _low() internal view returns (uint256) {
        return vault.previewRedeem(1e12);
    }

    function _value() private view returns (Valuation memory) {
        return IValuer(vault.valuer()).value(address(vault));
    }

    /// @dev A broken venue is no reason for any view of the vault to revert, but for the previews of an entry that is closed.
    function _readable() private {
        (bool priced,,,) = vault.nav();
        uint256 open = vault.maxDeposit(address(this));
        _holds(!priced && open == 0, "V1: entry is open while a venue cannot be read");
        vault.totalAssets();
        vault.maxWithdraw(_depositors[0]);
        vault.maxRedeem(_depositors[0]);
        vault.previewRedeem(1e12);
        vault.convertToAssets(1e12);
    }

    function _one(uint256 who) internal view returns (address) {
        return _depositors[who % 3];
    }

    function _holds(bool held, string memory what) internal {
        if (!held && bytes(broken).length == 0) broken = what;
    }
}


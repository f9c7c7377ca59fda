// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {RiskGuard} from "../../../contracts/guard/RiskGuard.sol";
import {Instruction, VaultParts, VenueConfig} from "../../../contracts/IVault.sol";
import {Vault} from "../../../contracts/Vault.sol";
import {IVenue} from "../../../contracts/venues/IVenue.sol";
import {MarketVenue, Package} from "../invariants/MarketVenue.sol";
import {VaultCase} from "../doubles/VaultCase.sol";
import {Missing, MutantGuard} from "./MutantGuard.sol";

/// @notice A thief with the keeper's key and money of its own, for a day. It takes the other side of every trade at whatever price the
/// guard lets pass, moves collateral, tops up, waits, and enters and leaves as a depositor.
/// @dev The truth stands still; the oracle errs as the thief likes, but never by more than its half-width. The thief's profit is
/// counted at the truth: what the vault paid for each package less what the package is worth, and what its shares are worth
/// at the end less what it paid for them. With a truth that moves, profit would be luck in part; the bound on each call holds for
/// any truth inside the interval at the time.
abstract contract ThiefCase is VaultCase {
    int256 private constant WAD = 1e18;
    uint256 private constant HALF = 15e18;
    uint256 private constant VOL_HALF = 0.02e18;
    int256 private constant TRUTH = 3_000e18;
    int256 private constant TRUE_VOL = 0.75e18;
    uint256 internal constant PER_CALL = 0.0025e18;
    uint256 internal constant PER_DAY = 0.0075e18;

    address private immutable thief = makeAddr("thief");
    MarketVenue[2] private markets;
    uint256 private plans;
    uint256 private random;
    int256 private mid;
    int256 private volMid;
    int256 private stolen;
    uint256 private paidIn;
    uint256 private takenOut;
    uint256 private highest;
    /// @dev Successes by action.
    uint256[8] internal done;

    /// @notice A vault of a million behind a guard that lacks a check, with two markets in which the thief is the other side.
    function _build(Missing missing) internal {
        RiskGuard[] memory guards = new RiskGuard[](missing == Missing.Bucket ? 64 : 1);
        for (uint256 i; i < guards.length; ++i) {
            guards[i] = new RiskGuard(address(manager));
            guards[i].setLimits(eth, _limits());
            guards[i].setMaxLossPerCall(missing == Missing.PerCall ? guards[i].MAX_LOSS_CEILING() : PER_CALL);
            guards[i].setMaxLossPerDay(PER_DAY);
        }
        guard = guards[0];
        VaultParts memory parts = _parts();
        MutantGuard mutant = new MutantGuard(missing, guards);
        if (missing != Missing.Nothing) parts.guard = address(mutant);
        vault = new Vault(parts);
        mutant.watch(address(vault));
        bytes4[] memory selectors = new bytes4[](4);
        (selectors[0], selectors[1]) = (vault.rebalance.selector, vault.topUp.selector);
        (selectors[2], selectors[3]) = (vault.keeperFree.selector, vault.keeperReduce.selector);
        manager.setTargetFunctionRole(address(vault), selectors, KEEPER);
        manager.grantRole(KEEPER, thief, 0);
        for (uint256 i; i < 2; ++i) {
            markets[i] = new MarketVenue(address(vault), eth, usdc);
            vault.addVenue(address(markets[i]), VenueConfig(0.5e18, 1.2e18, 1.5e18, 1.1e18));
        }
        vm.prank(thief);
        usdc.approve(address(vault), type(uint256).max);
        _deposit(alice, 1_000_000e6);
        (mid, volMid) = (TRUTH, TRUE_VOL);
        _see();
        for (uint256 i; i < 2; ++i) {
            assertTrue(_rebalanceAs(i, abi.encodeCall(IVenue.post, (0, 150_000e6, 0))));
        }
    }

    /// @notice One day from `seed`; what the thief made, and what it may make at most, asset units at 1e18.
    function _day(uint256 seed) internal returns (int256 profit, uint256 bound_) {
        random = seed;
        (stolen, paidIn, takenOut) = (0, 0, 0);
        (, int256 low,,) = vault.nav();
        highest = uint256(low);
        uint256 end = block.timestamp + 1 days;
        // One day in three lives on the oracle's errors alone, one takes whatever there is to take, the others do anything.
        uint256 pace = 10 minutes + _draw(2 hours);
        while (block.timestamp < end) {
            if (seed % 3 == 2) _play();
            else if (seed % 3 == 1) _take();
            else _act(_draw(14));
            (, low,,) = vault.nav();
            if (low > int256(highest)) highest = uint256(low);
            if (_draw(3) == 0) vm.warp(block.timestamp + 1 + _draw(2 * pace));
        }
        (mid, volMid) = (TRUTH, TRUE_VOL);
        uint256 shares = vault.balanceOf(thief);
        profit = stolen + int256(takenOut * 1e12) - int256(paidIn * 1e12);
        profit += _truth() * int256(shares) / int256(vault.totalSupply());
        bound_ = highest * (PER_CALL + PER_DAY) / 1e18;
    }

    function _act(uint256 action) private {
        if (action < 3) _err();
        else if (action < 5) _move();
        else if (action < 7) _topUp();
        else if (action == 7) _enterOrLeave();
        else _trade();
    }

    /// @dev The oracle errs from one end to the other, and each time the vault trades what it now takes for too cheap or too dear.
    function _play() private {
        int256 side = mid > TRUTH ? -WAD : WAD;
        (mid, volMid) = (TRUTH + side * int256(HALF) / WAD, TRUE_VOL + side * int256(VOL_HALF) / WAD);
        _see();
        ++done[0];
        _exchange(_draw(2), _package(5), 0);
        _exchange(_draw(2), _package(5), 0);
    }

    /// @dev Gifts of all that the bucket leaves, and what is kept for top-ups besides.
    function _take() private {
        Package memory p;
        _exchange(_draw(2), p, _left());
        if (_draw(4) > 0) return;
        p.size = _within(4e18);
        _exchange(_draw(2), p, 0);
        _topUp();
    }

    /// @dev The oracle errs anew, often by all it may.
    function _err() private {
        mid = TRUTH + _within(int256(HALF));
        volMid = TRUE_VOL + _within(int256(VOL_HALF));
        _see();
        ++done[0];
    }

    /// @dev A package at the price that takes all that the guard should still leave, or less, or more: a guard that lacks a check
    /// shows itself there.
    function _trade() private {
        Package memory p = _package(_draw(6));
        int256 most = _left() - _corner(p);
        uint256 greed = _draw(8);
        int256 extra = most - 1e9;
        if (greed < 2) extra = most + int256(_draw(20_000e18));
        else if (greed == 2) extra = most * int256(_draw(1_001)) / 1_000;
        else if (greed < 5) extra = 0;
        _exchange(_draw(2), p, extra);
    }

    /// @dev The vault pays `extra` beside what `p` is worth by the oracle.
    function _exchange(uint256 at, Package memory p, int256 extra) private {
        int256 pay = markets[at].valueOf(p, mid, volMid) + extra;
        if (_rebalanceAs(at, abi.encodeCall(MarketVenue.exchange, (p, pay)))) {
            stolen += pay - markets[at].valueOf(p, TRUTH, TRUE_VOL);
            ++done[1];
        }
    }

    /// @dev Nothing at all (a gift), one kind of risk or all, or what the oracle prices too high now.
    function _package(uint256 kind) private returns (Package memory p) {
        if (kind == 0) return p;
        if (kind == 1 || kind == 4) p.size = _within(15e18);
        if (kind == 2 || kind == 4) p.squares = _within(0.0015e18);
        if (kind == 3 || kind == 4) p.vols = _within(20_000e18);
        if (kind == 5) {
            if (mid != TRUTH) p.size = (mid > TRUTH ? int256(1) : -1) * int256(_draw(32e18));
            if (volMid != TRUE_VOL) p.vols = (volMid > TRUE_VOL ? int256(1) : -1) * int256(_draw(120_000e18));
        }
    }

    function _move() private {
        uint256 at = _draw(2);
        if (_draw(3) > 0) _free(at);
        else if (_rebalanceAs(at, abi.encodeCall(IVenue.post, (0, 1 + _draw(100_000e6), 0)))) ++done[2];
    }

    /// @dev Takes out all that a unit does not need for its least health.
    function _free(uint256 at) private {
        int256 spare = markets[at].worth(mid, volMid) - int256(markets[at].requirement() * 121 / 100);
        if (spare < 1e12) return;
        if (_draw(2) == 0) {
            if (_rebalanceAs(at, abi.encodeCall(IVenue.free, (0, uint256(spare) / 1e12, 0)))) ++done[2];
            return;
        }
        vm.prank(thief);
        try vault.keeperFree(address(markets[at]), 0, uint256(spare) / 1e12, 0) {
            ++done[6];
        } catch {}
    }

    /// @dev Tops up through a market that keeps a part of what is posted, as much as the guard should leave.
    function _topUp() private {
        uint256 at = _draw(2);
        if (_draw(2) == 0) _free(at);
        MarketVenue market = markets[at];
        int256 missing = int256(market.requirement() * 15 / 10) - market.worth(mid, volMid);
        if (missing < 1e12) return;
        (, int256 low,,) = vault.nav();
        (, uint256 left) = guard.budget(address(vault));
        (, uint256 kept) = guard.reserve(address(vault));
        uint256 most = uint256(low) * (left + kept) / 1e18 / 1e12;
        // No top-up may lose more than a hundredth on the way.
        uint256 slip = uint256(missing) / 1e12 / 99;
        if (most > slip || _draw(4) == 0) most = slip;
        uint256 assets = uint256(missing) / 1e12 + most;
        market.keep(most);
        vm.prank(thief);
        try vault.topUp(address(market), 0, assets, 0) {
            stolen += int256(most * 1e12);
            ++done[3];
        } catch {}
        market.keep(0);
    }

    function _enterOrLeave() private {
        vm.startPrank(thief);
        uint256 most = vault.maxRedeem(thief);
        if (_draw(2) == 0 || most == 0) {
            uint256 assets = 1 + _draw(2_000_000e6);
            if (assets <= vault.maxDeposit(thief)) {
                usdc.mint(thief, assets);
                vault.deposit(assets, thief);
                paidIn += assets;
                ++done[4];
            }
        } else {
            takenOut += vault.redeem(_draw(2) == 0 ? most : 1 + _draw(most), thief, thief);
            ++done[5];
        }
        vm.stopPrank();
    }

    function _rebalanceAs(uint256 at, bytes memory data) private returns (bool passed) {
        Instruction[] memory calls = _calls(address(markets[at]), data);
        vm.prank(thief);
        try vault.rebalance(calls, block.timestamp, keccak256(abi.encode(address(vault), ++plans))) {
            passed = true;
        } catch {}
    }

    /// @dev What the guard says that a call may still lose.
    function _left() private view returns (int256) {
        (, int256 low,,) = vault.nav();
        (, uint256 left) = guard.budget(address(vault));
        return low * int256(left) / WAD;
    }

    function _see() private {
        oracle.set(eth, uint256(mid) - HALF, uint256(mid), uint256(mid) + HALF);
        vols.set(uint256(volMid), VOL_HALF);
    }

    /// @dev At least what the guard charges for the exposure of `p` alone.
    function _corner(Package memory p) private view returns (int256) {
        int256 delta = p.size + p.squares * (mid - TRUTH) / WAD;
        return (_abs(delta)
                * int256(HALF)
                + _abs(p.squares)
                * int256(HALF)
                / WAD
                * int256(HALF)
                / 2
                + _abs(p.vols)
                * int256(VOL_HALF)) / WAD + 10;
    }

    /// @dev What the vault is worth at the truth.
    function _truth() private view returns (int256) {
        return int256(usdc.balanceOf(address(vault)) * 1e12) + markets[0].worth(TRUTH, TRUE_VOL)
            + markets[1].worth(TRUTH, TRUE_VOL);
    }

    function _draw(uint256 below) private returns (uint256) {
        random = uint256(keccak256(abi.encode(random)));
        return random % below;
    }

    /// @dev Within +-`most`, one time in two at an end.
    function _within(int256 most) private returns (int256) {
        uint256 how = _draw(4);
        if (how == 0) return most;
        if (how == 1) return -most;
        return int256(_draw(uint256(2 * most + 1))) - most;
    }

    function _abs(int256 a) private pure returns (int256) {
        return a < 0 ? -a : a;
    }
}

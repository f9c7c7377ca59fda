// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Instruction, IVault, VenueConfig} from "../../../contracts/IVault.sol";
import {IVenue} from "../../../contracts/venues/IVenue.sol";
import {DoubleVenue, Mode} from "../doubles/DoubleVenue.sol";
import {GuardRules} from "./GuardRules.sol";
import {MarketVenue, Package} from "./MarketVenue.sol";

/// @notice What the campaign may do to a vault, in any order: depositors, the keeper with legal orders at any price, the market,
/// donors, venues that break, and strangers. What must hold after a single action is checked here and in GuardRules.sol; what
/// must always hold is in VaultInvariants.t.sol. Every action counts its successes, so that a campaign of refusals is seen.
abstract contract VaultWorld is GuardRules {
    address[3] internal _depositors = [makeAddr("alice"), makeAddr("bob"), makeAddr("carol")];

    /// @notice Ghosts: what came into the vault and what went out, in the asset's decimals.
    uint256 public entered;
    uint256 public exited;
    uint256 public donated;

    modifier watched() {
        _begin();
        _;
        _end();
    }

    constructor(Parts memory p) GuardRules(p) {
        for (uint256 i; i < 3; ++i) {
            vm.prank(_depositors[i]);
            usdc.approve(address(vault), type(uint256).max);
        }
        entered = usdc.balanceOf(address(vault));
    }

    // Depositors.

    function deposit(uint256 who, uint256 assets) external watched {
        _deposit(who, bound(assets, 1, 1_000_000e6));
    }

    function mint(uint256 who, uint256 shares) external watched {
        _mint(who, bound(shares, 1, 1_000_000e12));
    }

    function withdraw(uint256 who, uint256 assets) external watched {
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

    function redeem(uint256 who, uint256 shares) external watched {
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
    function roundTrip(uint256 who, uint256 assets) external watched {
        _roundTrip(_one(who), bound(assets, 1, 1_000_000e6));
    }

    // The market.

    function move(uint256 to, uint256 half) external watched {
        price = bound(to, price * 97 / 100, price * 103 / 100);
        if (price < 1_000e18 || price > 9_000e18) price = 3_000e18;
        priceHalf = bound(half, price / 1_000, price / 100);
        oracle.set(eth, price - priceHalf, price, price + priceHalf);
        ++done["move"];
    }

    function moveVol(uint256 to) external watched {
        vol = bound(to, 0.3e18, 1.5e18);
        vols.set(vol, VOL_HALF);
        ++done["moveVol"];
    }

    function warp(uint256 time) external watched {
        vm.warp(block.timestamp + bound(time, 1, time % 4 == 0 ? 1 days : 2 hours));
        ++done["warp"];
    }

    function mark() external watched {
        try vault.mark() {
            ++done["mark"];
        } catch {}
    }

    // Donors and venues that break.

    function donate(uint256 assets, uint256 to) external watched {
        assets = bound(assets, 1, 10_000e6);
        if (to % 3 == 0) {
            usdc.mint(address(vault), assets);
            donated += assets;
        } else {
            usdc.mint(address(_markets[to % 2]), assets);
        }
        ++done["donate"];
    }

    function breakVenue(uint256 which, uint256 how) external watched {
        Mode mode = Mode(bound(how, 1, uint256(type(Mode).max)));
        (which % 3 == 2 ? frail : DoubleVenue(_markets[which % 2])).setMode(mode);
        _readable();
        ++done["breakVenue"];
    }

    function mendVenues() external watched {
        frail.setMode(Mode.Fine);
        _markets[0].setMode(Mode.Fine);
        _markets[1].setMode(Mode.Fine);
        ++done["mendVenues"];
    }

    // The keeper.

    /// @notice Trades a package near its value, or far off.
    function trade(uint256 at, int256 size, int256 squares, int256 units, int256 off) external watched {
        MarketVenue market = _markets[at % 2];
        Package memory p = Package(
            bound(size, -12e18, 12e18), bound(squares, -0.002e18, 0.002e18), bound(units, -80_000e18, 80_000e18)
        );
        // Most trades carry one kind of risk; a mixture would seldom be legal.
        if (off % 3 == 0 || _plain(off)) (p.squares, p.vols) = (0, 0);
        int256 pay = market.valueOf(p, int256(price), int256(vol)) + bound(off, -3_000e18, 3_000e18);
        _rebalance(address(market), abi.encodeCall(MarketVenue.exchange, (p, pay)), "trade");
    }

    function post(uint256 at, uint256 assets) external watched {
        assets = bound(assets, 1, 200_000e6);
        _rebalance(address(_markets[at % 2]), abi.encodeCall(IVenue.post, (0, assets, 0)), "post");
    }

    /// @notice Takes out what the unit does not need for its least health, often all of it.
    function free(uint256 at, uint256 assets) external watched {
        MarketVenue market = _markets[at % 2];
        int256 spare = market.worth(int256(price), int256(vol)) - int256(market.requirement() * 121 / 100);
        if (spare < int256(SCALE)) return;
        uint256 most = uint256(spare) / SCALE;
        assets = assets % 2 == 0 ? most : bound(assets, 1, most);
        _rebalance(address(market), abi.encodeCall(IVenue.free, (0, assets, 0)), "free");
    }

    function topUp(uint256 at, uint256 assets) external watched {
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

    function intrude(address who, uint256 how, uint256 assets) external watched {
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
    function flows() public view virtual returns (uint256 drawn, uint256 returned) {
        for (uint256 i; i < 2; ++i) {
            drawn += _markets[i].drawn();
            returned += _markets[i].returned();
        }
    }

    function _deposit(uint256 who, uint256 assets) internal {
        if (assets > vault.maxDeposit(_one(who))) return;
        usdc.mint(_one(who), assets);
        uint256 shown = vault.previewDeposit(assets);
        uint256 low = _low();
        vm.prank(_one(who));
        try vault.deposit(assets, _one(who)) returns (uint256 shares) {
            _holds(shares == shown, "S3: deposit is not its preview");
            _entry(assets, shares, low, "deposit");
        } catch {}
    }

    function _mint(uint256 who, uint256 shares) internal {
        if (shares > vault.maxMint(_one(who))) return;
        uint256 shown = vault.previewMint(shares);
        if (shown > 10_000_000e6) return;
        usdc.mint(_one(who), shown);
        uint256 low = _low();
        vm.prank(_one(who));
        try vault.mint(shares, _one(who)) returns (uint256 assets) {
            _holds(assets == shown, "S3: mint is not its preview");
            _entry(assets, shares, low, "mint");
        } catch {}
    }

    function _roundTrip(address actor, uint256 assets) internal {
        if (assets > vault.maxDeposit(actor)) return;
        usdc.mint(actor, assets);
        vm.startPrank(actor);
        try vault.deposit(assets, actor) returns (uint256 shares) {
            _entered(assets, shares, "roundTrip");
            uint256 gain = _explained() * shares / vault.totalSupply();
            uint256 most = vault.maxRedeem(actor);
            if (most > 0) {
                uint256 paid = vault.redeem(shares < most ? shares : most, actor, actor);
                exited += paid;
                _left(paid);
                _holds(paid <= assets + gain, "S2: entry and exit at one truth earned something");
            }
            ++done["roundTrip"];
        } catch {}
        vm.stopPrank();
    }

    // What a world with more in it adds to.

    /// @dev Around every action.
    function _begin() internal virtual {}

    function _end() internal virtual {}

    /// @dev Whether a trade is to carry the underlying alone.
    function _plain(int256) internal pure virtual returns (bool) {}

    /// @dev Someone has just entered.
    function _entered(uint256 assets, uint256, string memory) internal virtual {
        entered += assets;
    }

    /// @dev Someone has just left, or the queue was paid.
    function _left(uint256 assets) internal virtual {}

    /// @dev What venues gained by themselves that the last entry was not priced by, in the asset's decimals.
    function _explained() internal view virtual returns (uint256) {}

    function _entry(uint256 assets, uint256 shares, uint256 low, string memory action) internal {
        _entered(assets, shares, action);
        ++done[action];
        // Whoever was in gives of what a venue gained unseen what the new shares are of all.
        uint256 supply = vault.totalSupply();
        uint256 given = _explained();
        if (given > 0 && supply > shares) given = given * shares / supply * 1e12 / (supply - shares) + 1;
        _holds(_low() + 1 + given >= low, "S5: an entry took from those who were in");
    }

    function _exit(uint256 assets, uint256 low, string memory action) internal {
        exited += assets;
        ++done[action];
        _left(assets);
        _holds(_low() + 1 >= low, "S5: an exit took from those who stay");
    }

    /// @dev What a whole share (10^12 wei of share) is worth at the low.
    function _low() internal view returns (uint256) {
        return vault.previewRedeem(1e12);
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
}

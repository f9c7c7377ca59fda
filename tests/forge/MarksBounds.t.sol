// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {VenueConfig} from "../../contracts/IVault.sol";
import {Marks} from "../../contracts/nav/Marks.sol";
import {Greeks, Kind} from "../../contracts/venues/IVenue.sol";
import {OptionPosition} from "../../contracts/venues/option/IOptionVenue.sol";
import {DoubleVenue} from "./doubles/DoubleVenue.sol";
import {VaultCase} from "./doubles/VaultCase.sol";

/// @notice Lists one position with any numbers.
contract WildBook is DoubleVenue {
    OptionPosition private _position;
    address private immutable _asset;

    constructor(address vault_, address asset_) DoubleVenue(vault_) {
        _asset = asset_;
    }

    function list(OptionPosition calldata position) external {
        _position = position;
    }

    function carried() external view returns (address, OptionPosition[] memory all) {
        all = new OptionPosition[](1);
        all[0] = _position;
        return (_asset, all);
    }

    function kind() external pure override returns (Kind) {
        return Kind.Option;
    }
}

/// @notice Whatever a venue or a price within the valuer's bounds shows, a mark is carried or is not: nothing that a mark stores or that it is
/// carried by overflows, which would close entry and exit for good.
contract MarksBoundsTest is VaultCase {
    WildBook private wild;

    function setUp() public override {
        vm.warp(1_700_000_000);
        super.setUp();
        vols.set(0.75e18, 0.02e18);
        vm.warp(block.timestamp + 1);
        wild = new WildBook(address(vault), address(usdc));
        vault.addVenue(address(wild), VenueConfig(0.5e18, 1.2e18, 1.5e18, 1.1e18));
        _deposit(alice, 1_000_000e6);
    }

    function _marks() internal override returns (Marks) {
        return new Marks(600, 0.05e18, 0.02e18);
    }

    /// @dev Numbers that belong together up to their size, so that most marks are stored: strike, vol and life are those of an option.
    function testFuzz_NoSizeStopsEntryAndExit(uint256 price, uint256 size, uint256 moved, uint256 time, bool long)
        public
    {
        size = uint256(keccak256(abi.encode(size)));
        price = _sized(size, size >> 64, 99) + 1e6 + price % 1e18;
        _quote(price, moved % 0.1e18);
        OptionPosition memory p;
        (p.underlying, p.expiry) = (eth, uint64(block.timestamp + 2 hours + size % 365 days));
        p.strike = price * (0.5e18 + moved % 1.5e18) / 1e18 + 1;
        p.vol = 0.1e18 + moved % 3e18;
        p.size = int256(_sized(size, size, 108)) * (long ? int256(1) : -1);
        p.greeks = Greeks(p.size / 2, p.size / 3, p.size / 5, 0);
        wild.list(p);
        wild.setBook(p.size / 2, time % 1e24, _one(eth, p.expiry, p.size / 2, p.size / 3, p.size / 5, 0));
        _liveOn(price, moved, time);
    }

    function testFuzz_NoNumberStopsEntryAndExit(
        int256[6] memory numbers,
        uint256[6] memory sizes,
        uint256 price,
        uint256 moved,
        uint256 time
    ) public {
        price = _sized(price, sizes[0] >> 128, 99) + 1;
        _quote(price, moved % 0.1e18);
        OptionPosition memory p;
        (p.underlying, p.expiry) =
        (eth, uint64(block.timestamp + 1 hours + 601 + _sized(sizes[5], sizes[5] >> 128, 30)));
        (p.size, p.strike) = (_signed(numbers[0], sizes[0], 108), _sized(sizes[1], sizes[1] >> 128, 120));
        p.vol = _sized(sizes[2], sizes[2] >> 128, 100);
        p.greeks = Greeks(
            _signed(numbers[1], sizes[1], 108),
            _signed(numbers[2], sizes[2], 108),
            _signed(numbers[3], sizes[3], 108),
            _signed(numbers[4], sizes[4], 108)
        );
        wild.list(p);
        wild.setBook(
            _signed(numbers[5], sizes[5], 107),
            _sized(sizes[4], sizes[4] >> 128, 107),
            _one(eth, p.expiry, p.greeks.delta, p.greeks.gamma, p.greeks.vega, p.greeks.theta)
        );
        _liveOn(price, moved, time);
    }

    /// @dev Marks, prices past the age and the move at which a mark ends, marks again, leaves and enters.
    function _liveOn(uint256 price, uint256 moved, uint256 time) private {
        vault.mark();
        vm.warp(block.timestamp + time % 900);
        _quote(price * (0.945e18 + moved % 0.11e18) / 1e18 + 1, moved % 0.1e18);
        vault.navView();
        vault.mark();
        vm.warp(block.timestamp + time % 2 days);
        _quote(price * (0.5e18 + time % 2e18) / 1e18 + 1, moved % 0.1e18);
        vault.navView();
        uint256 most = vault.maxRedeem(alice);
        vm.prank(alice);
        vault.redeem(most / 2, alice, alice);
        if (vault.maxDeposit(bob) > 0) _deposit(bob, 1e6);
    }

    function _quote(uint256 mid, uint256 width) private {
        oracle.set(eth, mid - mid * width / 1e18, mid, mid + mid * width / 1e18);
    }

    function _signed(int256 number, uint256 size, uint256 most) private pure returns (int256) {
        int256 sized = int256(_sized(uint256(number), size, most));
        return number < 0 ? -sized : sized;
    }

    /// @dev Of any number of bits up to `most`.
    function _sized(uint256 number, uint256 seed, uint256 most) private pure returns (uint256) {
        return number >> (256 - seed % (most + 1));
    }
}

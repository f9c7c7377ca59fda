// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {IVault} from "../IVault.sol";
import {IPriceOracle} from "../oracle/IPriceOracle.sol";
import {Book, Exposure, IVenue, Margin, UnitHealth} from "./IVenue.sol";

/// @title VenueBase: what every adapter shares
/// @notice Who may call, how cash is drawn and given back, how amounts are scaled, and health as the worst unit's.
/// ASSUMPTION: NO TOKEN HAS MORE THAN 18 DECIMALS.
abstract contract VenueBase is IVenue {
    using SafeERC20 for IERC20;

    uint256 internal constant WAD = 1e18;

    /// @inheritdoc IVenue
    address public immutable vault;
    IERC20 internal immutable ASSET;
    /// @dev Multiplies an asset amount to 1e18.
    uint256 internal immutable ASSET_SCALE;

    constructor(address vault_) {
        vault = vault_;
        address asset = IERC4626(vault_).asset();
        ASSET = IERC20(asset);
        ASSET_SCALE = _scaleOf(asset);
    }

    modifier onlyVault() {
        if (msg.sender != vault) revert OnlyVault(msg.sender);
        _;
    }

    /// @dev What anyone may do, but not in the middle of what the vault does elsewhere.
    modifier whileQuiet() {
        if (msg.sender != vault && IVault(vault).acting()) revert VaultActing();
        _;
    }

    /// @inheritdoc IVenue
    function pending() external view virtual returns (Exposure[] memory) {
        return new Exposure[](0);
    }

    /// @inheritdoc IVenue
    function standing() external view virtual returns (Book memory, UnitHealth[] memory healths) {
        uint256[] memory units = marginUnits();
        healths = new UnitHealth[](units.length);
        for (uint256 i; i < units.length; ++i) {
            healths[i] = UnitHealth(units[i], unitHealth(units[i]));
        }
        return (book(), healths);
    }

    /// @inheritdoc IVenue
    function health() external view returns (uint256 worst) {
        worst = type(uint256).max;
        uint256[] memory units = marginUnits();
        for (uint256 i; i < units.length; ++i) {
            worst = Math.min(worst, unitHealth(units[i]));
        }
    }

    /// @inheritdoc IVenue
    function unitHealth(uint256 unit) public view virtual returns (uint256) {
        Margin memory m = margin(unit);
        return _healthOf(m.equity, m.maintenance);
    }

    /// @inheritdoc IVenue
    function book() public view virtual returns (Book memory);

    /// @inheritdoc IVenue
    function marginUnits() public view virtual returns (uint256[] memory);

    /// @inheritdoc IVenue
    function margin(uint256 unit) public view virtual returns (Margin memory);

    function _healthOf(int256 equity, uint256 maintenance) internal pure returns (uint256) {
        if (maintenance == 0) return type(uint256).max;
        if (equity <= 0) return 0;
        return Math.mulDiv(uint256(equity), WAD, maintenance);
    }

    /// @dev Draws `assets` of the vault's idle.
    function _draw(uint256 assets) internal {
        if (assets != 0) IVault(vault).fund(assets);
    }

    /// @dev Draws `assets`, or all that is idle where that is less.
    function _drawUpTo(uint256 assets) internal returns (uint256 drawn) {
        drawn = Math.min(assets, ASSET.balanceOf(vault));
        _draw(drawn);
    }

    /// @dev Sends all of the asset that this adapter holds to the vault, or to those whom the vault names instead.
    function _giveBack() internal returns (uint256 assets) {
        assets = ASSET.balanceOf(address(this));
        if (assets != 0) ASSET.safeTransfer(IVault(vault).payee(address(this)), assets);
    }

    /// @dev Asset that rests here against the rule (sent by a stranger or by the protocol), at 1e18.
    function _strayAsset() internal view returns (int256) {
        return int256(ASSET.balanceOf(address(this)) * ASSET_SCALE);
    }

    /// @dev Our mid price of one whole `token`, asset units at 1e18.
    function _mid(address token) internal view returns (uint256 mid) {
        (, mid,) = _price(token);
    }

    /// @dev Our interval of the price of one whole `token`, asset units at 1e18.
    function _price(address token) internal view returns (uint256 low, uint256 mid, uint256 high) {
        (low, mid, high,) = IPriceOracle(IVault(vault).oracle()).quote(token);
    }

    /// @dev `a * b / 1e18` rounded toward minus infinity; `b` is not negative.
    function _mulDown(int256 a, uint256 b) internal pure returns (int256) {
        return a < 0 ? -int256(_mulUp(uint256(-a), b)) : int256(_mul(uint256(a), b));
    }

    /// @dev `a * b / 1e18` rounded down.
    function _mul(uint256 a, uint256 b) internal pure returns (uint256) {
        return Math.mulDiv(a, b, WAD);
    }

    /// @dev `a * b / 1e18` rounded up.
    function _mulUp(uint256 a, uint256 b) internal pure returns (uint256) {
        return Math.mulDiv(a, b, WAD, Math.Rounding.Ceil);
    }

    function _abs(int256 a) internal pure returns (uint256) {
        return a < 0 ? uint256(-a) : uint256(a);
    }

    function _scaleOf(address token) internal view returns (uint256) {
        return 10 ** (18 - IERC20Metadata(token).decimals());
    }

    function _requireUnit(uint256 unit) internal view {
        uint256[] memory units = marginUnits();
        for (uint256 i; i < units.length; ++i) {
            if (units[i] == unit) return;
        }
        revert UnknownUnit(unit);
    }

    function _checkFraction(uint256 fraction) internal pure {
        if (fraction == 0 || fraction > WAD) revert BadFraction(fraction);
    }

    function _requireVenue(address venue) internal view {
        if (venue == address(this) || !IVault(vault).isVenue(venue)) revert IVault.UnknownVenue(venue);
    }
}

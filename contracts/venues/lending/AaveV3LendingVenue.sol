// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {IVault} from "../../IVault.sol";
import {IAaveAddressesProvider} from "../../interfaces/aave/IAaveAddressesProvider.sol";
import {IAaveOracle} from "../../interfaces/aave/IAaveOracle.sol";
import {AaveReserve, IAavePool} from "../../interfaces/aave/IAavePool.sol";
import {VenueBase} from "../VenueBase.sol";
import {Book, Exposure, IVenue, Kind, Margin, Status} from "../IVenue.sol";
import {ILendingVenue, LendingAccount, LendingCarry} from "./ILendingVenue.sol";

/// @title AaveV3LendingVenue: tokens lent to and borrowed from Aave v3 at the variable rate
/// @notice VALUE. What is lent less what is owed, interest included, plus tokens waiting here, at our oracle's mid. The asset
/// itself adds to the value and is no exposure; every other token is one. Nothing is lost on the way out, so the half-width is 0.
///
/// MARGIN. Unit 0 by Aave's own rule and price, turned into asset units by Aave's price of the asset: equity is the collateral
/// times its liquidation threshold, maintenance the debt, initial the debt that equity would have to cover for Aave to lend
/// more (debt x threshold / loan-to-value). Health is Aave's own health factor.
///
/// MARGIN ACTIONS. `post` supplies the asset, `free` withdraws it. `reduce` repays a fraction of every debt: the asset from the
/// vault's idle and then from what is lent, another token from what waits here and then from what is lent. Where that is too
/// little it reverts with `Unsupported`, since this adapter cannot buy the token. Where nothing is owed it withdraws that
/// fraction of the asset that is lent.
///
/// ASSUMPTIONS. AAVE'S ORACLE DOES NOT CHECK THE AGE OF ITS PRICES AND NEITHER DOES THIS ADAPTER; THE VAULT'S GUARD REQUIRES
/// OUR OWN ORACLE TO BE FRESH. NO EFFICIENCY MODE AND NO ISOLATION MODE IS ENTERED.
contract AaveV3LendingVenue is VenueBase, ILendingVenue {
    using SafeERC20 for IERC20;

    /// @notice More tokens than the adapter carries.
    error TooManyTokens(uint256 count, uint256 maximum);

    uint256 public constant MAX_TOKENS = 8;
    uint256 private constant VARIABLE = 2;
    /// @dev Aave's rates are at 1e27.
    uint256 private constant RAY_TO_WAD = 1e9;
    /// @dev Aave's thresholds are in basis points.
    uint256 private constant BPS_TO_WAD = 1e14;

    struct Reserve {
        address aToken;
        address debtToken;
        uint256 scale;
    }

    IAavePool public immutable pool;
    address[] private _tokens;
    mapping(address token => Reserve) private _reserves;

    /// @param tokens Reserves to use, at most `MAX_TOKENS`.
    constructor(address vault_, address pool_, address[] memory tokens) VenueBase(vault_) {
        if (tokens.length > MAX_TOKENS) revert TooManyTokens(tokens.length, MAX_TOKENS);
        pool = IAavePool(pool_);
        for (uint256 i; i < tokens.length; ++i) {
            AaveReserve memory r = pool.getReserveData(tokens[i]);
            bool repeated = _reserves[tokens[i]].aToken != address(0);
            if (r.aToken == address(0) || repeated) revert UnknownMarket(tokens[i]);
            _reserves[tokens[i]] =
                Reserve({aToken: r.aToken, debtToken: r.variableDebtToken, scale: _scaleOf(tokens[i])});
            _tokens.push(tokens[i]);
        }
    }

    /// @inheritdoc IVenue
    function kind() external pure returns (Kind) {
        return Kind.Lending;
    }

    /// @inheritdoc IVenue
    function protocol() external pure returns (bytes32) {
        return "aave-v3";
    }

    /// @inheritdoc VenueBase
    function book() public view override(IVenue, VenueBase) returns (Book memory b) {
        b.mid = _strayAsset();
        uint256 count = _tokens.length;
        Exposure[] memory exposures = new Exposure[](count);
        uint256 used;
        for (uint256 i; i < count; ++i) {
            address token = _tokens[i];
            Reserve memory r = _reserves[token];
            int256 net = int256(_balance(r.aToken) * r.scale) - int256(_balance(r.debtToken) * r.scale);
            if (token == address(ASSET)) {
                b.mid += net;
                continue;
            }
            net += int256(_balance(token) * r.scale);
            if (net == 0) continue;
            b.mid += _mulDown(net, _mid(token));
            exposures[used].underlying = token;
            exposures[used++].greeks.delta = net;
        }
        assembly ("memory-safe") {
            mstore(exposures, used)
        }
        b.exposures = exposures;
    }

    /// @inheritdoc VenueBase
    function marginUnits() public pure override(IVenue, VenueBase) returns (uint256[] memory) {
        return new uint256[](1);
    }

    /// @inheritdoc VenueBase
    function margin(uint256 unit) public view override(IVenue, VenueBase) returns (Margin memory m) {
        _requireUnit(unit);
        (uint256 collateral, uint256 debt,, uint256 threshold, uint256 ltv,) = pool.getUserAccountData(address(this));
        address provider = pool.ADDRESSES_PROVIDER();
        uint256 assetPrice =
            IAaveOracle(IAaveAddressesProvider(provider).getPriceOracle()).getAssetPrice(address(ASSET));
        m.equity = int256(Math.mulDiv(collateral * threshold, BPS_TO_WAD, assetPrice));
        m.maintenance = Math.mulDiv(debt, WAD, assetPrice, Math.Rounding.Ceil);
        m.initial = ltv == 0 ? m.maintenance : Math.mulDiv(m.maintenance, threshold, ltv, Math.Rounding.Ceil);
    }

    /// @inheritdoc VenueBase
    function unitHealth(uint256 unit) public view override(IVenue, VenueBase) returns (uint256 factor) {
        _requireUnit(unit);
        (,,,,, factor) = pool.getUserAccountData(address(this));
    }

    /// @inheritdoc IVenue
    function post(uint256 unit, uint256 assets, uint256 minPosted) external onlyVault returns (uint256) {
        _requireUnit(unit);
        if (assets < minPosted) revert BelowMinimum(assets, minPosted);
        _supply(address(ASSET), assets);
        emit Posted(unit, assets, assets);
        return assets;
    }

    /// @inheritdoc IVenue
    function free(uint256 unit, uint256 assets, uint256 minFreed) external onlyVault returns (uint256 freed) {
        _requireUnit(unit);
        if (assets == 0) revert ZeroAmount();
        freed = _withdraw(address(ASSET), assets, vault);
        if (freed < minFreed) revert BelowMinimum(freed, minFreed);
        emit Freed(unit, assets, freed);
    }

    /// @inheritdoc IVenue
    function reduce(uint256 unit, uint256 fraction, uint256) external onlyVault returns (Status) {
        _requireUnit(unit);
        _checkFraction(fraction);
        bool owed;
        for (uint256 i; i < _tokens.length; ++i) {
            address token = _tokens[i];
            uint256 debt = _balance(_reserves[token].debtToken);
            if (debt == 0) continue;
            owed = true;
            uint256 due = Math.mulDiv(debt, fraction, WAD, Math.Rounding.Ceil);
            uint256 paid = _repayHeld(token, due);
            if (paid >= due) continue;
            uint256 lent = _balance(_reserves[token].aToken);
            if (lent < due - paid) revert Unsupported();
            pool.repayWithATokens(token, due - paid, VARIABLE);
            emit Repaid(token, due - paid);
        }
        if (!owed) {
            uint256 lent = Math.mulDiv(_balance(_reserves[address(ASSET)].aToken), fraction, WAD);
            if (lent != 0) _withdraw(address(ASSET), lent, vault);
        }
        emit Reduced(unit, fraction, Status.Filled);
        return Status.Filled;
    }

    /// @inheritdoc ILendingVenue
    function supply(address token, uint256 amount) external onlyVault {
        _supply(token, amount);
    }

    /// @inheritdoc ILendingVenue
    /// @dev The asset goes to the vault, so `recipient` must then be the vault.
    function withdraw(address token, uint256 amount, address recipient) external onlyVault returns (uint256) {
        if (amount == 0) revert ZeroAmount();
        _checkRecipient(token, recipient);
        return _withdraw(token, amount, recipient);
    }

    /// @inheritdoc ILendingVenue
    /// @dev The asset goes to the vault, so `recipient` must then be the vault.
    function borrow(address token, uint256 amount, address recipient) external onlyVault {
        _reserve(token);
        if (amount == 0) revert ZeroAmount();
        _checkRecipient(token, recipient);
        pool.borrow(token, amount, VARIABLE, 0, address(this));
        if (recipient != address(this)) IERC20(token).safeTransfer(recipient, amount);
        emit Borrowed(token, amount);
    }

    /// @inheritdoc ILendingVenue
    function repay(address token, uint256 amount) external onlyVault returns (uint256 repaid) {
        _reserve(token);
        repaid = _repayHeld(token, amount);
        if (repaid == 0) revert ZeroAmount();
    }

    /// @inheritdoc ILendingVenue
    function accounts() external view returns (LendingAccount[] memory list) {
        list = new LendingAccount[](_tokens.length);
        for (uint256 i; i < list.length; ++i) {
            address token = _tokens[i];
            Reserve memory r = _reserves[token];
            AaveReserve memory state = pool.getReserveData(token);
            list[i] = LendingAccount({
                token: token,
                supplied: _balance(r.aToken) * r.scale,
                borrowed: _balance(r.debtToken) * r.scale,
                supplyRate: state.currentLiquidityRate / RAY_TO_WAD,
                borrowRate: state.currentVariableBorrowRate / RAY_TO_WAD,
                ltv: (state.configuration & 0xffff) * BPS_TO_WAD,
                liquidationThreshold: ((state.configuration >> 16) & 0xffff) * BPS_TO_WAD,
                available: IERC20(token).balanceOf(r.aToken) * r.scale
            });
        }
    }

    /// @inheritdoc ILendingVenue
    function carried() external view returns (LendingCarry[] memory list) {
        uint256 count = _tokens.length;
        list = new LendingCarry[](count);
        uint256 used;
        for (uint256 i; i < count; ++i) {
            address token = _tokens[i];
            Reserve memory r = _reserves[token];
            uint256 supplied = _balance(r.aToken) * r.scale;
            uint256 borrowed = _balance(r.debtToken) * r.scale;
            if (supplied == 0 && borrowed == 0) continue;
            AaveReserve memory state = pool.getReserveData(token);
            int256 yearly = int256(_mul(supplied, state.currentLiquidityRate / RAY_TO_WAD))
                - int256(_mul(borrowed, state.currentVariableBorrowRate / RAY_TO_WAD));
            list[used++] = LendingCarry(token, yearly);
        }
        assembly ("memory-safe") {
            mstore(list, used)
        }
    }

    function _supply(address token, uint256 amount) private {
        _reserve(token);
        if (amount == 0) revert ZeroAmount();
        if (token == address(ASSET)) _draw(amount);
        IERC20(token).forceApprove(address(pool), amount);
        pool.supply(token, amount, address(this), 0);
        emit Supplied(token, amount);
    }

    function _withdraw(address token, uint256 amount, address recipient) private returns (uint256 withdrawn) {
        _reserve(token);
        withdrawn = pool.withdraw(token, amount, recipient);
        emit Withdrawn(token, withdrawn);
    }

    /// @dev Repays at most `amount`, at most what is owed, from idle (the asset) or from what waits here (other tokens).
    function _repayHeld(address token, uint256 amount) private returns (uint256 repaid) {
        amount = Math.min(amount, _balance(_reserves[token].debtToken));
        if (token == address(ASSET)) _drawUpTo(amount);
        amount = Math.min(amount, _balance(token));
        if (amount == 0) return 0;
        IERC20(token).forceApprove(address(pool), amount);
        repaid = pool.repay(token, amount, VARIABLE, address(this));
        IERC20(token).forceApprove(address(pool), 0);
        if (token == address(ASSET)) _giveBack();
        emit Repaid(token, repaid);
    }

    function _checkRecipient(address token, address recipient) private view {
        bool allowed = token == address(ASSET)
            ? recipient == vault
            : recipient == address(this) || IVault(vault).isVenue(recipient);
        if (!allowed) revert BadRecipient(recipient);
    }

    function _reserve(address token) private view returns (Reserve memory r) {
        r = _reserves[token];
        if (r.aToken == address(0)) revert UnknownMarket(token);
    }

    function _balance(address token) private view returns (uint256) {
        return IERC20(token).balanceOf(address(this));
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IRedeemQueue} from "./IRedeemQueue.sol";
import {IVault} from "./IVault.sol";

/// @title QueueFront: what the vault answers through its redeem queue
/// @notice ERC-7540 asks an asynchronous vault to be a whole ERC-7575 one. The share is the vault itself. Entry is not asynchronous:
/// `deposit` and `mint` pass through to the vault, as do their previews and limits, conversions and `totalAssets`.
/// Previews of a redemption revert, as ERC-7540 asks.
abstract contract QueueFront is IRedeemQueue, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    bytes4 private constant _ERC7540_OPERATOR = 0xe3bc4e65;
    bytes4 private constant _ERC7540_REDEEM = 0x620ee8e4;
    bytes4 private constant _ERC7575 = 0x2f0a18c5;
    bytes4 private constant _ERC7575_MINIMAL = 0x50a526d6;
    bytes4 private constant _ERC7575_DEPOSIT = 0xc1f329ef;
    bytes4 private constant _ERC7575_MINT = 0xe1550342;
    bytes4 private constant _ERC7575_REDEEM = 0x2fd7d42a;
    bytes4 private constant _ERC7575_WITHDRAW = 0x70dec094;
    bytes4 private constant _ERC7887_REDEEM = 0xe76cffc7;

    IVault internal immutable _vault;
    IERC20 internal immutable _asset;

    constructor(address vault_) {
        _vault = IVault(vault_);
        _asset = IERC20(_vault.asset());
    }

    /// @notice ERC-7575. Passes a deposit of the caller through to the vault.
    function deposit(uint256 assets, address receiver) external nonReentrant returns (uint256 shares) {
        _draw(assets);
        shares = _vault.deposit(assets, receiver);
        emit Deposit(msg.sender, receiver, assets, shares);
    }

    /// @notice ERC-7575. Passes a mint of the caller through to the vault.
    function mint(uint256 shares, address receiver) external nonReentrant returns (uint256 assets) {
        assets = _vault.previewMint(shares);
        _draw(assets);
        uint256 taken = _vault.mint(shares, receiver);
        if (taken != assets) revert PaidShort(taken, assets);
        emit Deposit(msg.sender, receiver, assets, shares);
    }

    /// @notice ERC-7575. What the vault lets `receiver` deposit.
    function maxDeposit(address receiver) external view returns (uint256) {
        return _reentrancyGuardEntered() ? 0 : _vault.maxDeposit(receiver);
    }

    /// @notice ERC-7575. What the vault lets `receiver` mint.
    function maxMint(address receiver) external view returns (uint256) {
        return _reentrancyGuardEntered() ? 0 : _vault.maxMint(receiver);
    }

    /// @inheritdoc IRedeemQueue
    function vault() external view returns (address) {
        return address(_vault);
    }

    /// @inheritdoc IRedeemQueue
    function share() external view returns (address) {
        return address(_vault);
    }

    /// @inheritdoc IRedeemQueue
    function asset() external view returns (address) {
        return address(_asset);
    }

    /// @notice ERC-7575. The vault's.
    function totalAssets() external view returns (uint256) {
        return _vault.totalAssets();
    }

    /// @notice ERC-7575. The vault's.
    function convertToShares(uint256 assets) external view returns (uint256) {
        return _vault.convertToShares(assets);
    }

    /// @notice ERC-7575. The vault's.
    function convertToAssets(uint256 shares) external view returns (uint256) {
        return _vault.convertToAssets(shares);
    }

    /// @notice ERC-7575. The vault's.
    function previewDeposit(uint256 assets) external view nonReentrantView returns (uint256) {
        return _vault.previewDeposit(assets);
    }

    /// @notice ERC-7575. The vault's.
    function previewMint(uint256 shares) external view nonReentrantView returns (uint256) {
        return _vault.previewMint(shares);
    }

    /// @notice ERC-7540. Reverts with `NoPreview`.
    function previewRedeem(uint256) external pure returns (uint256) {
        revert NoPreview();
    }

    /// @notice ERC-7540. Reverts with `NoPreview`.
    function previewWithdraw(uint256) external pure returns (uint256) {
        revert NoPreview();
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 id) external pure returns (bool) {
        return id == type(IERC165).interfaceId || id == _ERC7540_OPERATOR || id == _ERC7540_REDEEM || id == _ERC7575
            || id == _ERC7575_MINIMAL || id == _ERC7575_DEPOSIT || id == _ERC7575_MINT || id == _ERC7575_REDEEM
            || id == _ERC7575_WITHDRAW || id == _ERC7887_REDEEM;
    }

    /// @dev Takes `assets` of the caller and lets the vault have them.
    function _draw(uint256 assets) private {
        _asset.safeTransferFrom(msg.sender, address(this), assets);
        _asset.forceApprove(address(_vault), assets);
    }
}

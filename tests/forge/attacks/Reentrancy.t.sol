// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Instruction, IVault} from "../../../contracts/IVault.sol";
import {DoubleVenue} from "../doubles/DoubleVenue.sol";
import {VaultCase} from "../doubles/VaultCase.sol";

/// @notice A protocol that hands control to a stranger in the middle of a trade, as a pool's callback or a token's hook does.
contract CallbackVenue is DoubleVenue {
    constructor(address vault_) DoubleVenue(vault_) {}

    /// @notice Draws `assets`, asks `target` for `data` as a stranger would, returns the money and the answer.
    function tradeAround(uint256 assets, address target, bytes calldata data)
        external
        onlyVault
        returns (bool done, bytes memory answer)
    {
        IVault(vault).fund(assets);
        (done, answer) = target.call(data);
        IERC20(IVault(vault).asset()).transfer(vault, assets);
    }

    /// @notice Has `other` draw while only this venue is being called.
    function lend(CallbackVenue other, uint256 assets) external onlyVault {
        other.draw(assets);
    }

    function draw(uint256 assets) external {
        IVault(vault).fund(assets);
    }
}

/// @notice Deaths by reentry: what a stranger sees and can do while the vault's money is on its way.
contract ReentrancyTest is VaultCase {
    CallbackVenue private hostile;

    function setUp() public override {
        super.setUp();
        _deposit(alice, 1_000_000e6);
        hostile = new CallbackVenue(address(vault));
        _addVenue(address(hostile));
    }

    /// @notice Curve's read-only reentrancy: lenders that read a share price in the middle of an exit saw one that never was.
    function test_Curve_NothingPricesAShareInTheMiddleOfACall() public {
        bytes[7] memory reads = [
            abi.encodeCall(vault.nav, ()),
            abi.encodeCall(vault.navView, ()),
            abi.encodeCall(vault.previewDeposit, (1e6)),
            abi.encodeCall(vault.previewMint, (1e12)),
            abi.encodeCall(vault.previewWithdraw, (1e6)),
            abi.encodeCall(vault.previewRedeem, (1e12)),
            abi.encodeCall(vault.mark, ())
        ];
        for (uint256 i; i < reads.length; ++i) {
            (bool done, bytes memory answer) = _inTheMiddle(reads[i]);
            assertFalse(done);
            assertEq(answer, abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector));
        }
        bytes[4] memory limits = [
            abi.encodeCall(vault.maxDeposit, (alice)),
            abi.encodeCall(vault.maxMint, (alice)),
            abi.encodeCall(vault.maxWithdraw, (alice)),
            abi.encodeCall(vault.maxRedeem, (alice))
        ];
        for (uint256 i; i < limits.length; ++i) {
            (bool done, bytes memory answer) = _inTheMiddle(limits[i]);
            assertTrue(done);
            assertEq(abi.decode(answer, (uint256)), 0);
        }
    }

    /// @notice The same for what the standard forbids to revert: it must show what it showed before the call.
    function test_Curve_TotalAssetsDoesNotDipWhileMoneyIsOnItsWay() public {
        uint256 total = vault.totalAssets();
        uint256 share = vault.convertToAssets(1e12);
        (, bytes memory answer) = _inTheMiddle(abi.encodeCall(vault.totalAssets, ()));
        assertEq(abi.decode(answer, (uint256)), total);
        (, answer) = _inTheMiddle(abi.encodeCall(vault.convertToAssets, (1e12)));
        assertEq(abi.decode(answer, (uint256)), share);
    }

    /// @notice GMX v1 (2025): a reentry between a position's change and its tracker's. Here even a keeper that is a venue cannot.
    function test_GmxV1_NothingThatWritesCanBeEnteredFromACall() public {
        manager.grantRole(KEEPER, address(hostile), 0);
        manager.grantRole(0, address(hostile), 0);
        bytes[8] memory writes = [
            abi.encodeCall(vault.rebalance, (new Instruction[](0), block.timestamp, bytes32("inner"))),
            abi.encodeCall(vault.topUp, (address(venue), 0, 0, 0)),
            abi.encodeCall(vault.addVenue, (address(venue), vault.venueConfig(address(venue)))),
            abi.encodeCall(vault.removeVenue, (address(venue))),
            abi.encodeCall(vault.deposit, (0, bob)),
            abi.encodeCall(vault.mint, (0, bob)),
            abi.encodeCall(vault.withdraw, (0, bob, bob)),
            abi.encodeCall(vault.redeem, (0, bob, bob))
        ];
        for (uint256 i; i < writes.length; ++i) {
            (bool done, bytes memory answer) = _inTheMiddle(writes[i]);
            assertFalse(done);
            assertEq(answer, abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector));
        }
    }

    /// @notice The other half of it: only the venue being called draws, not one that it calls.
    function test_GmxV1_AVenueThatIsNotBeingCalledDrawsNothing() public {
        CallbackVenue other = new CallbackVenue(address(vault));
        _addVenue(address(other));
        bytes memory refusal = abi.encodeWithSelector(IVault.NotCalling.selector, address(other));
        vm.expectRevert(abi.encodeWithSelector(IVault.VenueCallFailed.selector, address(hostile), 0, refusal));
        _rebalance(address(hostile), abi.encodeCall(CallbackVenue.lend, (other, 1e6)));
    }

    function _inTheMiddle(bytes memory data) private returns (bool done, bytes memory answer) {
        bytes[] memory results =
            _rebalance(address(hostile), abi.encodeCall(CallbackVenue.tradeAround, (400_000e6, address(vault), data)));
        return abi.decode(results[0], (bool, bytes));
    }

    function _addVenue(address added) private {
        vault.addVenue(added, vault.venueConfig(address(venue)));
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IRiskGuard} from "../../contracts/guard/IRiskGuard.sol";
import {IRedeemQueue, QueuedRedeem} from "../../contracts/IRedeemQueue.sol";
import {RedeemQueue} from "../../contracts/RedeemQueue.sol";
import {Vault} from "../../contracts/Vault.sol";
import {VaultShares} from "../../contracts/VaultShares.sol";
import {DoubleOracle} from "./doubles/DoublePrices.sol";
import {DoubleToken} from "./doubles/DoubleToken.sol";
import {Mode} from "./doubles/DoubleVenue.sol";
import {QueueCase} from "./doubles/QueueCase.sol";

/// @notice The functions of each standard, to compute its id from.
interface IERC7540Operators {
    function setOperator(address operator, bool approved) external returns (bool);
    function isOperator(address controller, address operator) external view returns (bool);
}

interface IERC7540Redeem {
    function requestRedeem(uint256 shares, address controller, address owner) external returns (uint256);
    function pendingRedeemRequest(uint256 requestId, address controller) external view returns (uint256);
    function claimableRedeemRequest(uint256 requestId, address controller) external view returns (uint256);
}

interface IERC7887Redeem {
    function cancelRedeemRequest(uint256 requestId, address controller) external;
    function pendingCancelRedeemRequest(uint256 requestId, address controller) external view returns (bool);
    function claimableCancelRedeemRequest(uint256 requestId, address controller) external view returns (uint256);
    function claimCancelRedeemRequest(uint256 requestId, address receiver, address controller) external;
}

interface IERC7575Minimal {
    function asset() external view returns (address);
    function share() external view returns (address);
    function convertToAssets(uint256) external view returns (uint256);
    function convertToShares(uint256) external view returns (uint256);
    function totalAssets() external view returns (uint256);
}

interface IERC7575Deposit {
    function deposit(uint256, address) external returns (uint256);
    function previewDeposit(uint256) external view returns (uint256);
    function maxDeposit(address) external view returns (uint256);
}

interface IERC7575Mint {
    function mint(uint256, address) external returns (uint256);
    function previewMint(uint256) external view returns (uint256);
    function maxMint(address) external view returns (uint256);
}

interface IERC7575Redeem {
    function redeem(uint256, address, address) external returns (uint256);
    function previewRedeem(uint256) external view returns (uint256);
    function maxRedeem(address) external view returns (uint256);
}

interface IERC7575Withdraw {
    function withdraw(uint256, address, address) external returns (uint256);
    function previewWithdraw(uint256) external view returns (uint256);
    function maxWithdraw(address) external view returns (uint256);
}

/// @notice Requests, processing, claims and setters; cancelling is in RedeemQueueCancel.t.sol.
contract RedeemQueueTest is QueueCase {
    function test_InterfaceIdsAreThoseOfTheStandards() public view {
        bytes4[6] memory whole = [
            type(IERC7540Operators).interfaceId,
            type(IERC7540Redeem).interfaceId,
            type(IERC7887Redeem).interfaceId,
            type(IERC7575Minimal).interfaceId,
            type(IERC7575Deposit).interfaceId ^ type(IERC7575Mint).interfaceId ^ type(IERC7575Redeem).interfaceId
                ^ type(IERC7575Withdraw).interfaceId ^ type(IERC7575Minimal).interfaceId,
            bytes4(0x01ffc9a7)
        ];
        bytes4[6] memory published = [bytes4(0xe3bc4e65), 0x620ee8e4, 0xe76cffc7, 0x50a526d6, 0x2f0a18c5, 0x01ffc9a7];
        for (uint256 i; i < whole.length; ++i) {
            assertEq(whole[i], published[i]);
            assertTrue(queue.supportsInterface(published[i]));
        }
        bytes4[4] memory parts = [
            type(IERC7575Deposit).interfaceId,
            type(IERC7575Mint).interfaceId,
            type(IERC7575Redeem).interfaceId,
            type(IERC7575Withdraw).interfaceId
        ];
        for (uint256 i; i < parts.length; ++i) {
            assertTrue(queue.supportsInterface(parts[i]));
        }
        assertFalse(queue.supportsInterface(0xffffffff));
        assertFalse(queue.supportsInterface(0xce3bbe50), "asynchronous deposit");
    }

    function test_StandsBesideTheVault() public {
        assertEq(queue.vault(), address(vault));
        assertEq(queue.share(), address(vault));
        assertEq(queue.asset(), address(usdc));
        assertEq(queue.authority(), address(manager));
        vm.expectRevert(IRedeemQueue.NoPreview.selector);
        queue.previewRedeem(1);
        vm.expectRevert(IRedeemQueue.NoPreview.selector);
        queue.previewWithdraw(1);
    }

    function test_EntryPassesThroughToTheVault() public {
        uint256 expected = vault.previewDeposit(1_000e6);
        assertEq(queue.previewDeposit(1_000e6), expected);
        assertEq(queue.maxDeposit(alice), vault.maxDeposit(alice));
        assertEq(queue.maxMint(alice), vault.maxMint(alice));
        usdc.mint(alice, 3_000e6);
        vm.startPrank(alice);
        usdc.approve(address(queue), type(uint256).max);
        assertEq(queue.deposit(1_000e6, bob), expected);
        assertEq(vault.balanceOf(bob), expected);
        uint256 cost = queue.previewMint(expected);
        assertEq(queue.mint(expected, alice), cost);
        assertEq(vault.balanceOf(alice), expected);
        assertEq(usdc.balanceOf(alice), 2_000e6 - cost);
        assertEq(usdc.balanceOf(address(queue)), 0);
        assertEq(queue.totalAssets(), vault.totalAssets());
        assertEq(queue.convertToAssets(expected), vault.convertToAssets(expected));
        assertEq(queue.convertToShares(1e6), vault.convertToShares(1e6));
    }

    function test_ARequestTakesTheSharesAndTheNextId() public {
        uint256 shares = _deposit(alice, 1_000e6);
        _approve(alice);
        vm.expectEmit(address(queue));
        emit IRedeemQueue.RedeemRequest(bob, alice, 1, alice, shares / 4);
        vm.prank(alice);
        assertEq(queue.requestRedeem(shares / 4, bob, alice), 1);
        assertEq(_request(alice, shares / 4), 2);
        assertEq(vault.balanceOf(address(queue)), shares / 2);
        assertEq(queue.waiting(), shares / 2);
        assertEq(queue.pendingRedeemRequest(1, bob), shares / 4);
        assertEq(queue.pendingRedeemRequest(1, alice), 0);
        assertEq(queue.claimableRedeemRequest(1, bob), 0);
        assertEq(queue.pendingRedeemRequest(3, alice), 0);
        (uint256 head, uint256 tail) = queue.line();
        assertEq(head, 1);
        assertEq(tail, 3);
        QueuedRedeem memory r = queue.request(2);
        assertEq(r.controller, alice);
        assertEq(r.shares, shares / 4);
    }

    function test_RequestsThatAreRefused() public {
        uint256 shares = _deposit(alice, 1_000e6);
        _approve(alice);
        vm.startPrank(alice);
        vm.expectRevert(IRedeemQueue.ZeroShares.selector);
        queue.requestRedeem(0, alice, alice);
        vm.expectRevert(IRedeemQueue.ZeroController.selector);
        queue.requestRedeem(1, address(0), alice);
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, alice, shares, shares + 1)
        );
        queue.requestRedeem(shares + 1, alice, alice);
        vm.stopPrank();
        _deposit(bob, 1e6);
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(queue), 0, 1));
        vm.prank(bob);
        queue.requestRedeem(1, bob, bob);
    }

    /// @notice Neither the owner's approval of the queue nor an allowance on the share lets another request for him.
    function test_OnlyTheOwnerOrItsOperatorRequests() public {
        uint256 shares = _deposit(alice, 1_000e6);
        _approve(alice);
        vm.prank(alice);
        vault.approve(stranger, type(uint256).max);
        vm.expectRevert(abi.encodeWithSelector(IRedeemQueue.NotOperator.selector, alice, stranger));
        vm.prank(stranger);
        queue.requestRedeem(shares, stranger, alice);
        vm.expectEmit(address(queue));
        emit IRedeemQueue.OperatorSet(alice, bob, true);
        vm.prank(alice);
        assertTrue(queue.setOperator(bob, true));
        assertTrue(queue.isOperator(alice, bob));
        vm.prank(bob);
        queue.requestRedeem(shares / 2, alice, alice);
        vm.prank(alice);
        queue.setOperator(bob, false);
        vm.expectRevert(abi.encodeWithSelector(IRedeemQueue.NotOperator.selector, alice, bob));
        vm.prank(bob);
        queue.requestRedeem(1, alice, alice);
    }

    function test_ProcessPaysTheLowNavAndTakesItOutOfTheVault() public {
        uint256 shares = _deposit(alice, 1_000_000e6);
        _invest(400_000e6);
        _revalue(400_000e6, 5_000e18); // 995,000 to 1,005,000
        uint256 id = _request(alice, shares / 2);
        vm.prank(stranger);
        (uint256 paidFor, uint256 paid) = queue.process(1);
        assertEq(paidFor, shares / 2);
        assertEq(paid, 497_500e6);
        assertEq(queue.pendingRedeemRequest(id, alice), 0);
        assertEq(queue.claimableRedeemRequest(id, alice), shares / 2);
        assertEq(queue.maxRedeem(alice), shares / 2);
        assertEq(queue.maxWithdraw(alice), 497_500e6);
        assertEq(queue.claimableAssets(), 497_500e6);
        assertEq(queue.waiting(), 0);
        assertEq(vault.totalSupply(), shares / 2 + vault.SEED());
        assertEq(vault.balanceOf(address(queue)), 0);
        assertEq(usdc.balanceOf(address(queue)), 497_500e6);
        assertEq(_idle(), 102_500e6);
        // What is claimable no longer moves with the vault.
        _revalue(1, 0);
        assertEq(_claim(alice), 497_500e6);
        assertEq(usdc.balanceOf(alice), 497_500e6);
        assertEq(queue.claimableRedeemRequest(id, alice), 0);
    }

    function test_FillsInPartAsFarAsIdleReaches() public {
        uint256 a = _deposit(alice, 600e6);
        uint256 b = _deposit(bob, 400e6);
        _invest(900e6);
        uint256 first = _request(alice, a);
        uint256 second = _request(bob, b);
        (uint256 paidFor, uint256 paid) = queue.process(10);
        assertApproxEqAbs(paid, 100e6, 2);
        assertApproxEqAbs(paidFor, a / 6, 4e6);
        assertEq(queue.pendingRedeemRequest(first, alice), a - paidFor);
        assertEq(queue.claimableRedeemRequest(first, alice), paidFor);
        assertEq(queue.maxRedeem(bob), 0);
        _unwind(550e6);
        queue.process(10);
        assertEq(queue.pendingRedeemRequest(first, alice), 0);
        assertApproxEqAbs(queue.maxWithdraw(alice), 600e6, 2);
        assertApproxEqAbs(queue.maxWithdraw(bob), 50e6, 4);
        _unwind(350e6);
        queue.process(10);
        assertApproxEqAbs(_claim(alice), 600e6, 2);
        assertApproxEqAbs(_claim(bob), 400e6, 4);
        assertEq(queue.pendingRedeemRequest(second, bob), 0);
    }

    /// @notice A gift of a wei of cash takes no shares for nothing.
    function test_APartThatIsWorthLessThanAWeiIsNotTaken() public {
        uint256 shares = _deposit(alice, 1_000e6);
        _invest(1_000e6);
        _revalue(1_500e6, 0);
        uint256 id = _request(alice, shares);
        usdc.mint(address(vault), 1);
        queue.process(1);
        assertEq(queue.pendingRedeemRequest(id, alice), shares);
        assertEq(queue.maxRedeem(alice), 0);
    }

    function test_EachProcessHasItsOwnPriceAndAClaimTheAverage() public {
        uint256 shares = _deposit(alice, 1_000e6);
        _invest(500e6);
        uint256 first = _request(alice, shares / 4);
        queue.process(1);
        assertApproxEqAbs(queue.maxWithdraw(alice), 250e6, 1);
        _revalue(1_250e6, 0); // doubles what remains
        uint256 second = _request(alice, shares / 8);
        queue.process(1);
        assertApproxEqAbs(queue.maxWithdraw(alice), 500e6, 2);
        uint256 claimable = queue.maxRedeem(alice);
        assertEq(claimable, shares / 4 + shares / 8);
        // Two of three parts, of the oldest first.
        vm.prank(alice);
        assertApproxEqAbs(queue.redeem(shares / 4, carol, alice), 333_333_333, 2);
        assertEq(queue.claimableRedeemRequest(first, alice), 0);
        assertEq(queue.claimableRedeemRequest(second, alice), shares / 8);
        uint256 rest = queue.maxWithdraw(alice);
        vm.prank(alice);
        assertEq(queue.withdraw(rest, carol, alice), shares / 8);
        assertEq(queue.claimableRedeemRequest(second, alice), 0);
        assertEq(usdc.balanceOf(address(queue)), 0);
    }

    function test_ProcessLooksAtNoMoreThanItIsTold() public {
        uint256 shares = _deposit(alice, 1_000e6);
        for (uint256 i; i < 5; ++i) {
            _request(alice, shares / 10);
        }
        queue.process(2);
        (uint256 head,) = queue.line();
        assertEq(head, 3);
        assertEq(queue.maxRedeem(alice), shares / 5);
        queue.process(0);
        assertEq(queue.maxRedeem(alice), shares / 5);
        queue.process(type(uint256).max);
        assertEq(queue.maxRedeem(alice), shares / 2);
        (uint256 paidFor, uint256 paid) = queue.process(1);
        assertEq(paidFor + paid, 0);
    }

    function test_ProcessRefusesWhileAVenueIsUnpriced() public {
        uint256 shares = _deposit(alice, 1_000e6);
        _invest(100e6);
        _request(alice, shares);
        for (uint256 mode = uint256(Mode.Reverts); mode <= uint256(Mode.Overlong); ++mode) {
            venue.setMode(Mode(mode));
            vm.expectRevert(IRiskGuard.Unpriced.selector);
            queue.process(1);
        }
        venue.setMode(Mode.Fine);
        queue.process(1);
        assertGt(queue.maxRedeem(alice), 0);
    }

    function test_ProcessRefusesAWideInterval() public {
        uint256 shares = _deposit(alice, 1_000e6);
        _invest(100e6);
        _request(alice, shares);
        _revalue(100e6, 10e18); // exactly 2%
        queue.process(0);
        _revalue(100e6, 10e18 + 1);
        vm.expectRevert(
            abi.encodeWithSelector(IRedeemQueue.IntervalTooWide.selector, 990e18 - 1, 1_000e18, 1_010e18 + 1, 0.02e18)
        );
        queue.process(1);
        // Worth nothing: no price.
        _revalue(0, 0);
        vm.prank(address(vault));
        usdc.transfer(stranger, 900e6);
        vm.expectRevert(abi.encodeWithSelector(IRedeemQueue.IntervalTooWide.selector, 0, 0, 0, 0.02e18));
        queue.process(1);
    }

    function test_AMinimumThatIsNotMetLeavesTheLineAndBlocksNobody() public {
        uint256 a = _deposit(alice, 500e6);
        uint256 b = _deposit(bob, 500e6);
        _approve(alice);
        vm.expectEmit(address(queue));
        emit IRedeemQueue.MinimumSet(1, 1e18 + 1e10);
        vm.prank(alice);
        uint256 first = queue.requestRedeemAt(a, alice, alice, 1e18 + 1e10);
        uint256 second = _requestAt(bob, b, 0.99e18);
        uint256 fee = a * 25 / 10_000;
        vm.expectEmit(address(queue));
        emit IRedeemQueue.RedeemReturned(alice, first, a - fee, fee);
        queue.process(2);
        assertEq(queue.pendingRedeemRequest(first, alice), 0);
        assertEq(queue.claimableRedeemRequest(first, alice), 0);
        assertEq(queue.claimableCancelRedeemRequest(first, alice), a - fee);
        assertEq(queue.claimableRedeemRequest(second, bob), b);
        vm.prank(alice);
        queue.claimCancelRedeemRequest(first, alice, alice);
        assertEq(vault.balanceOf(alice), a - fee);
        // The fee was burned and what it was worth is with those who remain.
        assertEq(vault.totalSupply(), a - fee + vault.SEED());
        assertApproxEqAbs(vault.previewRedeem(a - fee), 500e6, 2);
    }

    /// @notice While no cash is there nothing is decided: a low price alone sends nobody out of the line.
    function test_AMinimumIsLookedAtOnlyWithCashInHand() public {
        uint256 a = _deposit(alice, 500e6);
        _invest(500e6);
        uint256 id = _requestAt(alice, a, 2e18);
        queue.process(1);
        assertEq(queue.pendingRedeemRequest(id, alice), a);
    }

    function test_TheMinimumIsAPriceAtEighteenDecimalsAWholeShare() public {
        uint256 a = _deposit(alice, 500e6);
        usdc.mint(address(vault), 250e6);
        uint256 id = _requestAt(alice, a / 2, 1.499999e18);
        queue.process(1);
        assertEq(queue.claimableRedeemRequest(id, alice), a / 2);
        assertApproxEqAbs(queue.maxWithdraw(alice), 375e6, 2);
    }

    function test_APriceIsTheSameNumberForAnAssetOfEighteenDecimals() public {
        usdc = new DoubleToken("DAI", 18);
        oracle = new DoubleOracle(address(usdc));
        vault = new Vault(_parts());
        queue = new RedeemQueue(address(vault));
        vault.setRedeemQueue(address(queue));
        uint256 shares = _deposit(alice, 1_000e18);
        usdc.mint(address(vault), 500e18);
        // Virtual shares take a millionth of a millionth of the gain.
        uint256 dear = _requestAt(alice, shares / 2, 1.5e18);
        uint256 fair = _requestAt(alice, shares / 2, 1.4999999e18);
        queue.process(2);
        assertEq(queue.claimableRedeemRequest(dear, alice), 0);
        assertEq(queue.claimableRedeemRequest(fair, alice), shares / 2);
        assertApproxEqAbs(queue.maxWithdraw(alice), 750e18, 1e3);
    }

    function test_StrangersCanNeitherTakeNorGiveTheirOwnAway() public {
        uint256 shares = _deposit(alice, 1_000e6);
        uint256 id = _request(alice, shares);
        queue.process(1);
        bytes memory refusal = abi.encodeWithSelector(IRedeemQueue.NotOperator.selector, alice, stranger);
        vm.startPrank(stranger);
        vm.expectRevert(refusal);
        queue.redeem(1, stranger, alice);
        vm.expectRevert(refusal);
        queue.withdraw(1, stranger, alice);
        vm.expectRevert(refusal);
        queue.cancelRedeemRequest(id, alice);
        vm.expectRevert(refusal);
        queue.claimCancelRedeemRequest(id, stranger, alice);
        vm.expectRevert(abi.encodeWithSelector(IRedeemQueue.ExceedsClaimableShares.selector, stranger, 1, 0));
        queue.redeem(1, stranger, stranger);
        vm.expectRevert(abi.encodeWithSelector(IRedeemQueue.ExceedsClaimableAssets.selector, stranger, 1, 0));
        queue.withdraw(1, stranger, stranger);
        vm.expectRevert(abi.encodeWithSelector(IRedeemQueue.UnknownRequest.selector, id, stranger));
        queue.cancelRedeemRequest(id, stranger);
        vm.expectRevert(abi.encodeWithSelector(IRedeemQueue.UnknownRequest.selector, id, stranger));
        queue.claimCancelRedeemRequest(id, stranger, stranger);
    }

    function test_OperatorsClaimForTheirController() public {
        uint256 shares = _deposit(alice, 1_000e6);
        _request(alice, shares);
        queue.process(1);
        vm.prank(alice);
        queue.setOperator(bob, true);
        vm.prank(bob);
        assertEq(queue.redeem(shares / 2, carol, alice), 500e6);
        vm.prank(bob);
        assertEq(queue.withdraw(500e6, carol, alice), shares / 2);
        assertEq(usdc.balanceOf(carol), 1_000e6);
    }

    function test_WhoRequestsForAnotherLosesAllSayInIt() public {
        uint256 shares = _deposit(alice, 1_000e6);
        _approve(alice);
        vm.prank(alice);
        uint256 id = queue.requestRedeem(shares, bob, alice);
        vm.expectRevert(abi.encodeWithSelector(IRedeemQueue.UnknownRequest.selector, id, alice));
        vm.prank(alice);
        queue.cancelRedeemRequest(id, alice);
        queue.process(1);
        assertEq(queue.maxRedeem(alice), 0);
        assertEq(_claim(bob), 1_000e6);
    }

    function test_CriticalTopUpsComeBeforeTheLine() public {
        uint256 shares = _deposit(alice, 1_000e6);
        _request(alice, shares);
        // 1.1 x 1 - 0.3: what the unit lacks to its critical health.
        venue.setHealth(7, 0.3e18, 0);
        (, uint256 paid) = queue.process(1);
        assertApproxEqAbs(paid, 1_000e6 - 0.8e6, 2);
        venue.setHealth(7, 1.1e18, 0);
        (, paid) = queue.process(1);
        assertApproxEqAbs(paid, 0.8e6, 2);
    }

    function test_SharesAndAssetsSentHereGoToThoseWhoRemain() public {
        uint256 a = _deposit(alice, 1_000e6);
        uint256 b = _deposit(bob, 1_000e6);
        _deposit(carol, 1_000e6);
        vm.prank(bob);
        vault.transfer(address(queue), b);
        usdc.mint(address(queue), 50e6);
        assertEq(queue.waiting(), 0);
        _request(alice, a);
        queue.process(1);
        assertEq(queue.maxWithdraw(alice), 1_000e6);
        assertEq(usdc.balanceOf(address(queue)), 1_000e6);
        assertEq(vault.balanceOf(address(queue)), 0);
        assertApproxEqAbs(vault.previewRedeem(vault.balanceOf(carol)), 2_050e6, 2);
    }

    function test_SettersAreTheCuratorsAndBounded() public {
        vm.expectEmit(address(queue));
        emit IRedeemQueue.MaxProcessWidthSet(0.05e18);
        queue.setMaxProcessWidth(0.05e18);
        assertEq(queue.maxProcessWidth(), 0.05e18);
        vm.expectEmit(address(queue));
        emit IRedeemQueue.CancelFeeSet(0.01e18);
        queue.setCancelFee(0.01e18);
        assertEq(queue.cancelFee(), 0.01e18);
        vm.expectRevert(abi.encodeWithSelector(IRedeemQueue.NumberOutOfBounds.selector, 0.1e18 + 1, 0.01e18, 0.1e18));
        queue.setMaxProcessWidth(0.1e18 + 1);
        vm.expectRevert(abi.encodeWithSelector(IRedeemQueue.NumberOutOfBounds.selector, 0.01e18 - 1, 0.01e18, 0.1e18));
        queue.setMaxProcessWidth(0.01e18 - 1);
        vm.expectRevert(
            abi.encodeWithSelector(IRedeemQueue.NumberOutOfBounds.selector, 0.01e18 + 1, 0.0005e18, 0.01e18)
        );
        queue.setCancelFee(0.01e18 + 1);
        vm.expectRevert(abi.encodeWithSelector(IRedeemQueue.NumberOutOfBounds.selector, 0, 0.0005e18, 0.01e18));
        queue.setCancelFee(0);
        vm.startPrank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger));
        queue.setMaxProcessWidth(0.05e18);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, stranger));
        queue.setCancelFee(0.01e18);
        vm.expectRevert(abi.encodeWithSelector(VaultShares.OnlyQueue.selector, stranger));
        vault.processExit(1);
    }
}

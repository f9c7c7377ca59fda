// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {RedeemQueue} from "../../../contracts/RedeemQueue.sol";
import {VaultCase} from "./VaultCase.sol";

/// @notice A vault whose redeem queue is set, and the cash of which is moved to and from one venue at will.
abstract contract QueueCase is VaultCase {
    RedeemQueue internal queue;
    address internal immutable carol = makeAddr("carol");
    address internal immutable stranger = makeAddr("stranger");
    uint256 private _invested;
    uint256 private _halfWidth;

    function setUp() public virtual override {
        super.setUp();
        queue = new RedeemQueue(address(vault));
        vault.setRedeemQueue(address(queue));
    }

    /// @dev Moves idle into the venue, at cost.
    function _invest(uint256 assets) internal {
        vm.prank(address(vault));
        usdc.transfer(address(venue), assets);
        _invested += assets;
        _book();
    }

    /// @dev Brings cash back from the venue, at cost.
    function _unwind(uint256 assets) internal {
        vm.prank(address(venue));
        usdc.transfer(address(vault), assets);
        _invested -= assets;
        _book();
    }

    /// @dev What the venue holds is worth `value` wei of the asset +- `halfWidth` at 1e18 from here on.
    function _revalue(uint256 value, uint256 halfWidth) internal {
        (_invested, _halfWidth) = (value, halfWidth);
        uint256 held = usdc.balanceOf(address(venue));
        if (value > held) usdc.mint(address(venue), value - held);
        _book();
    }

    function _book() private {
        venue.setBook(int256(_invested * 1e12), _halfWidth, _delta(0));
    }

    function _idle() internal view returns (uint256) {
        return usdc.balanceOf(address(vault));
    }

    function _approve(address who) internal {
        vm.prank(who);
        vault.approve(address(queue), type(uint256).max);
    }

    function _request(address who, uint256 shares) internal returns (uint256) {
        return _requestAt(who, shares, 0);
    }

    function _requestAt(address who, uint256 shares, uint256 minimum) internal returns (uint256 id) {
        _approve(who);
        vm.prank(who);
        id = queue.requestRedeemAt(shares, who, who, minimum);
    }

    function _claim(address who) internal returns (uint256 assets) {
        uint256 shares = queue.maxRedeem(who);
        vm.prank(who);
        assets = queue.redeem(shares, who, who);
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {QueuedRedeem} from "../../../contracts/IRedeemQueue.sol";
import {RedeemQueue} from "../../../contracts/RedeemQueue.sol";
import {VaultWorld} from "./VaultWorld.sol";

/// @notice The same world with those who wait in line for their money.
contract QueueWorld is VaultWorld {
    RedeemQueue internal immutable queue;
    /// @notice Ghost: what was claimed from the queue, in the asset's decimals.
    uint256 public claimed;

    constructor(Parts memory p, RedeemQueue queue_) VaultWorld(p) {
        queue = queue_;
        for (uint256 i; i < 3; ++i) {
            vm.prank(_depositors[i]);
            vault.approve(address(queue), type(uint256).max);
        }
    }

    function request(uint256 who, uint256 shares, uint256 least) external watched {
        uint256 most = vault.balanceOf(_one(who));
        if (most == 0) return;
        shares = bound(shares, 1, most);
        vm.prank(_one(who));
        try queue.requestRedeemAt(shares, _one(who), _one(who), least % 4 == 0 ? least % 1.2e18 : 0) {
            ++done["request"];
        } catch {}
    }

    function process(uint256 requests) external watched {
        uint256 low = _low();
        (uint256 head,) = queue.line();
        uint256 idle = usdc.balanceOf(address(vault));
        try queue.process(bound(requests, 0, 2)) returns (uint256 shares, uint256) {
            if (shares > 0) ++done["process"];
            _left(idle - usdc.balanceOf(address(vault)));
            _holds(_low() + 1 >= low, "S5: a processing took from those who stay");
            (uint256 now_, uint256 tail) = queue.line();
            _holds(now_ >= head, "Q2: the head went back");
            for (uint256 id = now_ + 1; id < tail; ++id) {
                _holds(queue.request(id).filled == 0, "Q2: paid while someone was before him");
            }
            (bool priced,,,) = vault.nav();
            _holds(priced, "Q3: processed unpriced");
        } catch {}
    }

    function cancel(uint256 id) external watched {
        (uint256 head, uint256 tail) = queue.line();
        if (head == tail) return;
        id = bound(id, head, tail - 1);
        address controller = queue.request(id).controller;
        vm.prank(controller);
        try queue.cancelRedeemRequest(id, controller) {
            ++done["cancel"];
        } catch {}
    }

    function takeBack(uint256 id) external watched {
        // The first that can be, from anywhere in the line; most cannot.
        (, uint256 tail) = queue.line();
        QueuedRedeem memory r;
        for (uint256 looked; looked < tail; ++looked) {
            id = 1 + (id % tail);
            r = queue.request(id);
            if (queue.claimableCancelRedeemRequest(id, r.controller) > 0) break;
        }
        uint256 shown = queue.claimableCancelRedeemRequest(id, r.controller);
        uint256 had = vault.balanceOf(r.controller);
        vm.prank(r.controller);
        try queue.claimCancelRedeemRequest(id, r.controller, r.controller) {
            uint256 back = vault.balanceOf(r.controller) - had;
            _holds(back == shown, "Q4: taken back is not what was shown");
            // What left the line pays the fee once, when it leaves.
            _holds(r.returned ? back == r.shares : back < r.shares, "Q4: a cancelation was free");
            ++done["takeBack"];
        } catch {}
    }

    function claim(uint256 who, uint256 shares) external watched {
        uint256 most = queue.maxRedeem(_one(who));
        if (most == 0) return;
        vm.prank(_one(who));
        try queue.redeem(bound(shares, 1, most), _one(who), _one(who)) returns (uint256 assets) {
            claimed += assets;
            ++done["claim"];
        } catch {
            _holds(false, "Q1: a claim was not paid");
        }
    }

    /// @notice Shares of the depositors and of the queue, and those that the first entry burned.
    function holders() external view returns (uint256 shares) {
        shares = vault.balanceOf(address(queue)) + vault.balanceOf(vault.SEED_HOLDER());
        for (uint256 i; i < 3; ++i) {
            shares += vault.balanceOf(_depositors[i]);
        }
    }

    /// @notice What waits to be claimed and what waits to be paid, summed over the requests and controllers.
    function owed() external view returns (uint256 assets, uint256 waiting, uint256 returned) {
        for (uint256 i; i < 3; ++i) {
            assets += queue.maxWithdraw(_depositors[i]);
        }
        (, uint256 tail) = queue.line();
        for (uint256 id = 1; id < tail; ++id) {
            QueuedRedeem memory r = queue.request(id);
            if (r.returned) returned += r.shares;
            else waiting += r.shares;
        }
    }
}

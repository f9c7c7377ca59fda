// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title FlowWindow: what went one way, net of what came back, over a window of time
/// @notice Time is cut into epochs of the window's length, and `net` covers this one and the last: at least one window and less
/// than two. What comes back cancels the latest of what went, and nothing before the last epoch; what is left over cancels nothing
/// later. So over any span of one window's length, what went less what came back is at most the greatest `net` in it.
///
/// ASSUMPTION: AMOUNTS ARE ASSET UNITS AT 1e18; SUMS BEYOND 2^104 (20 TRILLION) STAY THERE.
library FlowWindow {
    struct Window {
        uint104 current;
        uint104 last;
        uint48 epoch;
    }

    /// @notice Adds `flow`, negative for what comes back, in windows of `length` seconds.
    function add(Window storage self, int256 flow, uint256 length) internal returns (uint256) {
        Window memory w = _rolled(self, length);
        if (flow >= 0) {
            uint256 sum = w.current + uint256(flow);
            w.current = sum > type(uint104).max ? type(uint104).max : uint104(sum);
        } else {
            uint256 back = uint256(-flow);
            if (back <= w.current) {
                w.current -= uint104(back);
            } else {
                back -= w.current;
                w.current = 0;
                w.last = back < w.last ? w.last - uint104(back) : 0;
            }
        }
        (self.current, self.last, self.epoch) = (w.current, w.last, w.epoch);
        return uint256(w.current) + w.last;
    }

    /// @notice What went less what came back.
    function net(Window storage self, uint256 length) internal view returns (uint256) {
        Window memory w = _rolled(self, length);
        return uint256(w.current) + w.last;
    }

    function _rolled(Window storage self, uint256 length) private view returns (Window memory w) {
        w = self;
        uint48 epoch = uint48(block.timestamp / length);
        if (epoch == w.epoch) return w;
        w.last = epoch == w.epoch + 1 ? w.current : 0;
        w.current = 0;
        w.epoch = epoch;
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title ILyraOptionMarketPricer: trading limits of Lyra v1
interface ILyraOptionMarketPricer {
    struct TradeLimitParameters {
        int256 minDelta;
        int256 minForceCloseDelta;
        uint256 tradingCutoff;
        uint256 minBaseIV;
        uint256 maxBaseIV;
        uint256 minSkew;
        uint256 maxSkew;
        uint256 minVol;
        uint256 maxVol;
        uint256 absMinSkew;
        uint256 absMaxSkew;
        bool capSkewsToAbs;
    }

    function getTradeLimitParams() external view returns (TradeLimitParameters memory);
}

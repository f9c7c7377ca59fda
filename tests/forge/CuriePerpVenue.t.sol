// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {CuriePerpVenue} from "../../contracts/venues/perp/CuriePerpVenue.sol";
import {VaultCase} from "./doubles/VaultCase.sol";

/// @notice Answers what the adapter asks a protocol while it is made, itself for every part of it.
contract AnyCurie {
    address public getSettlementToken;

    constructor(address settlement) {
        getSettlementToken = settlement;
    }

    function hasPool(address) external pure returns (bool) {
        return true;
    }

    fallback(bytes calldata) external returns (bytes memory) {
        return abi.encode(address(this));
    }
}

/// @notice Lists of markets that an adapter refuses. Everything else is tested on the real protocol.
contract CuriePerpVenueTest is VaultCase {
    AnyCurie internal curie;

    function setUp() public override {
        super.setUp();
        curie = new AnyCurie(address(usdc));
    }

    function _make(address[2] memory markets, address[2] memory underlyings) private returns (CuriePerpVenue) {
        address[] memory m = new address[](2);
        address[] memory u = new address[](2);
        (m[0], m[1], u[0], u[1]) = (markets[0], markets[1], underlyings[0], underlyings[1]);
        return new CuriePerpVenue(address(vault), address(curie), m, u, 1 hours);
    }

    function test_TwoMarketsOfTwoUnderlyings() public {
        assertEq(_make([address(1), address(2)], [address(3), address(4)]).vault(), address(vault));
    }

    function test_TwoMarketsOfOneUnderlyingTakeTwoAdapters() public {
        vm.expectRevert(abi.encodeWithSelector(CuriePerpVenue.RepeatedUnderlying.selector, address(3)));
        _make([address(1), address(2)], [address(3), address(3)]);
    }
}

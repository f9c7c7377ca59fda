// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";

import {SliceSigners} from "../../contracts/oracle/SliceSigners.sol";
import {VolOracle} from "../../contracts/oracle/VolOracle.sol";
import {Slice} from "../../contracts/oracle/VolSlice.sol";
import {VolOracleCase} from "./doubles/VolOracleCase.sol";

/// @notice Who may sign a slice, and what a signature is worth elsewhere.
contract SliceSignersTest is VolOracleCase {
    function _expectUnknown(address signer) private {
        vm.expectRevert(abi.encodeWithSelector(SliceSigners.UnknownSigner.selector, signer));
    }

    function test_theHashIsThatOfTheTypedDataInTheHeader() public view {
        Slice memory s = _smile(expiry, 0.75e18);
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Evenkeel VolOracle"),
                keccak256("1"),
                block.chainid,
                address(oracle)
            )
        );
        bytes32 body = keccak256(
            bytes.concat(
                keccak256(
                    "Slice(address underlying,uint64 expiry,uint64 timestamp,uint128 forward,int64 a,uint64 b,int64 rho,int64 m,uint64 sigma)"
                ),
                abi.encode(s.underlying, s.expiry, s.timestamp, s.forward, s.a, s.b),
                abi.encode(s.rho, s.m, s.sigma)
            )
        );
        assertEq(oracle.hash(s), keccak256(abi.encodePacked(hex"1901", domain, body)));
    }

    function test_moreSignaturesThanNeeded() public {
        Slice memory s = _smile(expiry, 0.75e18);
        oracle.post(s, _sign(oracle.hash(s), 3));
    }

    function test_tooFewSignatures() public {
        Slice memory s = _smile(expiry, 0.75e18);
        bytes[] memory one = _sign(oracle.hash(s), 1);
        vm.expectRevert(abi.encodeWithSelector(SliceSigners.TooFewSignatures.selector, 1, 2));
        oracle.post(s, one);
    }

    function test_nothingIsSignedBeforeThereAreSigners() public {
        VolOracle bare = _oracle();
        Slice memory s = _smile(expiry, 0.75e18);
        vm.expectRevert(abi.encodeWithSelector(SliceSigners.TooFewSignatures.selector, 0, 0));
        bare.post(s, new bytes[](0));
    }

    function test_aStrangersSignature() public {
        Slice memory s = _smile(expiry, 0.75e18);
        bytes[] memory signatures = _sign(s);
        (uint8 v, bytes32 r, bytes32 t) = vm.sign(99, oracle.hash(s));
        signatures[1] = abi.encodePacked(r, t, v);
        _expectUnknown(vm.addr(99));
        oracle.post(s, signatures);
    }

    function test_whatIsNoSignature() public {
        Slice memory s = _smile(expiry, 0.75e18);
        bytes[] memory signatures = _sign(s);
        signatures[0] = new bytes(65);
        _expectUnknown(address(0));
        oracle.post(s, signatures);
        signatures[0] = hex"00";
        _expectUnknown(address(0));
        oracle.post(s, signatures);
    }

    function testFuzz_noFieldCanBeChangedAfterSigning(uint256 field, uint64 other) public {
        Slice memory s = _smile(expiry, 0.75e18);
        bytes[] memory signatures = _sign(s);
        bytes32 before = oracle.hash(s);
        field = bound(field, 0, 8);
        other = uint64(bound(other, 1, type(uint64).max));
        if (field == 0) s.underlying = address(uint160(s.underlying) ^ other);
        else if (field == 1) s.expiry ^= other;
        else if (field == 2) s.timestamp ^= other;
        else if (field == 3) s.forward ^= other;
        else if (field == 4) s.a ^= int64(other);
        else if (field == 5) s.b ^= other;
        else if (field == 6) s.rho ^= int64(other);
        else if (field == 7) s.m ^= int64(other);
        else s.sigma ^= other;
        assertNotEq(oracle.hash(s), before);
        vm.expectPartialRevert(SliceSigners.UnknownSigner.selector);
        oracle.post(s, signatures);
    }

    function testFuzz_noSignerCountsTwice(uint256 first, uint256 second, bool thirdToo) public {
        Slice memory s = _smile(expiry, 0.75e18);
        bytes[] memory all = _sign(oracle.hash(s), 3);
        (first, second) = (bound(first, 0, 2), bound(second, 0, 2));
        bytes[] memory signatures = new bytes[](thirdToo ? 3 : 2);
        (signatures[0], signatures[1]) = (all[first], all[second]);
        if (thirdToo) signatures[2] = all[second];
        if (first >= second) {
            _expectNotAscending(vm.addr(keys[first]), vm.addr(keys[second]));
        } else if (thirdToo) {
            _expectNotAscending(vm.addr(keys[second]), vm.addr(keys[second]));
        }
        oracle.post(s, signatures);
    }

    function _expectNotAscending(address first, address second) private {
        vm.expectRevert(abi.encodeWithSelector(SliceSigners.NotAscending.selector, first, second));
    }

    function testFuzz_noReplayOnAnotherChain(uint64 chain) public {
        vm.assume(chain != block.chainid && chain != 0);
        Slice memory s = _smile(expiry, 0.75e18);
        bytes[] memory signatures = _sign(s);
        vm.chainId(chain);
        vm.expectPartialRevert(SliceSigners.UnknownSigner.selector);
        oracle.post(s, signatures);
        oracle.post(s, _sign(s));
    }

    function test_noReplayOnAnotherContract() public {
        VolOracle other = _oracle();
        other.setSigners(_addresses(keys), 2);
        Slice memory s = _smile(expiry, 0.75e18);
        bytes[] memory signatures = _sign(s);
        vm.expectPartialRevert(SliceSigners.UnknownSigner.selector);
        other.post(s, signatures);
    }

    function test_formerSignersSignNothing() public {
        Slice memory s = _smile(expiry, 0.75e18);
        bytes[] memory signatures = _sign(s);
        address[] memory left = new address[](1);
        left[0] = vm.addr(keys[1]);
        vm.expectEmit();
        emit SliceSigners.SignersSet(left, 1);
        oracle.setSigners(left, 1);
        assertEq(oracle.signers(), left);
        assertFalse(oracle.isSigner(vm.addr(keys[0])));
        _expectUnknown(vm.addr(keys[0]));
        oracle.post(s, signatures);
    }

    function test_onlyTheGovernorSetsSigners() public {
        address[] memory list = _addresses(keys);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, address(7)));
        vm.prank(address(7));
        oracle.setSigners(list, 2);
    }

    function test_tooManySigners() public {
        address[] memory list = _addresses(_keys(16));
        oracle.setSigners(list, 16);
        list = _addresses(_keys(17));
        vm.expectRevert(abi.encodeWithSelector(SliceSigners.TooManySigners.selector, 17, 16));
        oracle.setSigners(list, 2);
    }

    function test_badThreshold() public {
        address[] memory list = _addresses(keys);
        vm.expectRevert(abi.encodeWithSelector(SliceSigners.BadThreshold.selector, 0, 3));
        oracle.setSigners(list, 0);
        vm.expectRevert(abi.encodeWithSelector(SliceSigners.BadThreshold.selector, 4, 3));
        oracle.setSigners(list, 4);
    }

    function test_signersNotAscending() public {
        address[] memory list = _addresses(keys);
        (list[1], list[2]) = (list[2], list[1]);
        _expectNotAscending(list[1], list[2]);
        oracle.setSigners(list, 2);
        list[2] = list[1];
        _expectNotAscending(list[1], list[2]);
        oracle.setSigners(list, 2);
        list = new address[](1);
        _expectNotAscending(address(0), address(0));
        oracle.setSigners(list, 1);
    }
}

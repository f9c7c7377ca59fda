// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {Test} from "forge-std/Test.sol";
import {Authority} from "../../contracts/Authority.sol";
import {Fees} from "../../contracts/Fees.sol";
import {RebalanceJudge} from "../../contracts/guard/RebalanceJudge.sol";
import {RiskGuard} from "../../contracts/guard/RiskGuard.sol";
import {Valuer} from "../../contracts/guard/Valuer.sol";
import {IVault, VaultParts, VenueConfig} from "../../contracts/IVault.sol";
import {Marks} from "../../contracts/nav/Marks.sol";
import {VolOracle} from "../../contracts/oracle/VolOracle.sol";
import {OracleAdapter} from "../../contracts/oracle/OracleAdapter.sol";
import {RedeemQueue} from "../../contracts/RedeemQueue.sol";
import {Vault} from "../../contracts/Vault.sol";
import {VaultFactory} from "../../contracts/VaultFactory.sol";
import {DoubleToken} from "./doubles/DoubleToken.sol";
import {DoubleVenue} from "./doubles/DoubleVenue.sol";

contract VaultFactoryTest is Test {
    VaultFactory internal factory;
    DoubleToken internal usdc;
    Authority internal authority;
    OracleAdapter internal oracle;
    RiskGuard internal guard;
    Vault internal vault;
    RedeemQueue internal queue;
    address internal venue;
    address internal immutable dao = makeAddr("dao");

    function setUp() public {
        factory = new VaultFactory(address(new AccessManager(address(this))));
        usdc = new DoubleToken("USDC", 6);
        _register(factory.AUTHORITY(), type(Authority).creationCode);
        _register(factory.ORACLE(), type(OracleAdapter).creationCode);
        _register(factory.VOL_SOURCE(), type(VolOracle).creationCode);
        _register(factory.VALUER(), type(Valuer).creationCode);
        _register(factory.GUARD(), type(RiskGuard).creationCode);
        _register(factory.JUDGE(), type(RebalanceJudge).creationCode);
        _register(factory.QUEUE(), type(RedeemQueue).creationCode);
        _register(factory.VENUE(), type(DoubleVenue).creationCode);
        _register(factory.MARKS(), type(Marks).creationCode);
        VaultFactory.FunctionRole[] memory functions = new VaultFactory.FunctionRole[](2);
        functions[0] = VaultFactory.FunctionRole(IVault.rebalance.selector, 1, false);
        functions[1] = VaultFactory.FunctionRole(Fees.setManagementFee.selector, 2, true);
        factory.register(factory.VAULT(), keccak256(type(Vault).creationCode), functions);

        authority = Authority(_create(type(Authority).creationCode, abi.encode(address(this))));
        oracle = OracleAdapter(_create(type(OracleAdapter).creationCode, abi.encode(usdc, authority)));
        address vols = _create(
            type(VolOracle).creationCode,
            abi.encode(authority, uint256(0.02e18), uint256(0.12e18), 1 days, 1 hours, 10 minutes)
        );
        guard = RiskGuard(_create(type(RiskGuard).creationCode, abi.encode(authority)));
        address valuer = _create(type(Valuer).creationCode, "");
        VaultParts memory parts = VaultParts({
            asset: address(usdc),
            name: "Evenkeel",
            symbol: "EVEN",
            authority: address(authority),
            oracle: address(oracle),
            volSource: vols,
            valuer: valuer,
            guard: address(guard),
            judge: _create(type(RebalanceJudge).creationCode, ""),
            marks: _create(type(Marks).creationCode, abi.encode(0, uint256(0.01e18), 0))
        });
        vault = Vault(_create(type(Vault).creationCode, abi.encode(parts)));
        queue = RedeemQueue(_create(type(RedeemQueue).creationCode, abi.encode(vault)));
        venue = _create(type(DoubleVenue).creationCode, abi.encode(vault));
        vault.addVenue(venue, VenueConfig(0.5e18, 1.2e18, 1.5e18, 1.1e18));
        vault.setRedeemQueue(address(queue));
        _role(address(vault), IVault.rebalance.selector, 1);
        _role(vault.fees(), Fees.setManagementFee.selector, 2);
        authority.grantRole(0, dao, 0);
        authority.renounceRole(0, address(this));
    }

    function test_TheLargestCreationsFitATransaction() public {
        _fits(type(RiskGuard).creationCode, abi.encode(authority));
        VaultParts memory parts = VaultParts({
            asset: address(usdc),
            name: "Evenkeel",
            symbol: "EVEN",
            authority: address(authority),
            oracle: address(oracle),
            volSource: vault.volSource(),
            valuer: vault.valuer(),
            guard: address(guard),
            judge: vault.judge(),
            marks: vault.marks()
        });
        _fits(type(Vault).creationCode, abi.encode(parts));
    }

    function test_AWiredVaultIsSealed() public {
        factory.seal(address(vault), address(this), dao);
        assertEq(factory.sealedAt(address(vault)), block.timestamp);
    }

    function test_CodeThatIsNotRegisteredIsRefused() public {
        bytes memory code = type(AccessManager).creationCode;
        vm.expectRevert(abi.encodeWithSelector(VaultFactory.UnregisteredCode.selector, keccak256(code)));
        factory.create(code, abi.encode(address(this)), 0);
    }

    function test_TheAddressIsKnownBefore() public {
        bytes memory code = type(Valuer).creationCode;
        address predicted = factory.predict(address(this), keccak256(code), "salt");
        assertEq(factory.create(code, "", "salt"), predicted);
    }

    function test_AnotherCallerGetsAnotherAddress() public {
        bytes memory code = type(Valuer).creationCode;
        address predicted = factory.predict(address(this), keccak256(code), "salt");
        vm.prank(dao);
        assertNotEq(factory.create(code, "", "salt"), predicted);
    }

    function test_OnlyTheGovernorRegisters() public {
        vm.prank(dao);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, dao));
        factory.register("Vault", "code", new VaultFactory.FunctionRole[](0));
    }

    function test_WhatIsRegisteredStays() public {
        bytes32 hash = keccak256(type(Valuer).creationCode);
        vm.expectRevert(abi.encodeWithSelector(VaultFactory.AlreadyRegistered.selector, hash));
        factory.register("Vault", hash, new VaultFactory.FunctionRole[](0));
    }

    function test_ACreatorWhoStillGovernsIsNotSealed() public {
        vm.prank(dao);
        authority.grantRole(0, address(this), 0);
        vm.expectRevert(abi.encodeWithSelector(VaultFactory.WrongGovernor.selector, address(this)));
        factory.seal(address(vault), address(this), dao);
    }

    function test_AGovernorWhoDoesNotGovernIsNotSealed() public {
        vm.expectRevert(abi.encodeWithSelector(VaultFactory.WrongGovernor.selector, venue));
        factory.seal(address(vault), address(this), venue);
    }

    function test_TheCreatorCannotBeMisnamed() public {
        vm.expectRevert(abi.encodeWithSelector(VaultFactory.WrongCreator.selector, dao));
        factory.seal(address(vault), dao, dao);
    }

    function test_AFunctionOpenToAnotherRoleIsNotSealed() public {
        vm.startPrank(dao);
        _role(address(vault), IVault.rebalance.selector, 2);
        vm.stopPrank();
        vm.expectRevert(
            abi.encodeWithSelector(
                VaultFactory.WrongRole.selector, address(vault), IVault.rebalance.selector, uint64(2), uint64(1)
            )
        );
        factory.seal(address(vault), address(this), dao);
    }

    function test_AFunctionOfTheFeesOpenToAnotherRoleIsNotSealed() public {
        address fees = vault.fees();
        vm.startPrank(dao);
        _role(fees, Fees.setManagementFee.selector, 1);
        vm.stopPrank();
        vm.expectRevert(
            abi.encodeWithSelector(
                VaultFactory.WrongRole.selector, fees, Fees.setManagementFee.selector, uint64(1), uint64(2)
            )
        );
        factory.seal(address(vault), address(this), dao);
    }

    function test_ActsThatObeyAnotherAuthorityAreNotSealed() public {
        Authority other = Authority(_create(type(Authority).creationCode, abi.encode(dao)));
        address acts = guard.acts();
        vm.prank(dao);
        authority.updateAuthority(acts, address(other));
        vm.expectRevert(
            abi.encodeWithSelector(
                VaultFactory.WrongAuthority.selector, acts, address(other), address(authority)
            )
        );
        factory.seal(address(vault), address(this), dao);
    }

    function test_AClosedPartIsNotSealed() public {
        vm.prank(dao);
        authority.setTargetClosed(address(guard), true);
        vm.expectRevert(abi.encodeWithSelector(VaultFactory.TargetClosed.selector, address(guard)));
        factory.seal(address(vault), address(this), dao);
    }

    function test_APartThatObeysAnotherAuthorityIsNotSealed() public {
        Authority other = Authority(_create(type(Authority).creationCode, abi.encode(dao)));
        vm.prank(dao);
        authority.updateAuthority(address(guard), address(other));
        vm.expectRevert(
            abi.encodeWithSelector(
                VaultFactory.WrongAuthority.selector, address(guard), address(other), address(authority)
            )
        );
        factory.seal(address(vault), address(this), dao);
    }

    function test_AVenueFromElsewhereIsNotSealed() public {
        DoubleVenue stranger = new DoubleVenue(address(vault));
        vm.prank(dao);
        vault.addVenue(address(stranger), VenueConfig(0.5e18, 1.2e18, 1.5e18, 1.1e18));
        vm.expectRevert(
            abi.encodeWithSelector(VaultFactory.WrongKind.selector, address(stranger), bytes32(0), bytes32("Venue"))
        );
        factory.seal(address(vault), address(this), dao);
    }

    function test_AVaultFromElsewhereIsNotSealed() public {
        RedeemQueue impostor = new RedeemQueue(address(vault));
        vm.expectRevert(
            abi.encodeWithSelector(VaultFactory.WrongKind.selector, address(impostor), bytes32(0), bytes32("Vault"))
        );
        factory.seal(address(impostor), address(this), dao);
    }

    function _register(bytes32 kind, bytes memory code) private {
        factory.register(kind, keccak256(code), new VaultFactory.FunctionRole[](0));
    }

    function _create(bytes memory code, bytes memory arguments) private returns (address) {
        return factory.create(code, arguments, 0);
    }

    /// @dev Every byte of calldata at the price of one that is not zero, twice and a half that where the floor of EIP-7623 binds.
    function _fits(bytes memory code, bytes memory arguments) private {
        uint256 before = gasleft();
        factory.create(code, arguments, "again");
        uint256 used = before - gasleft() + 21_000 + 40 * (code.length + arguments.length + 256);
        assertLt(used, 2 ** 24);
    }

    function _role(address target, bytes4 selector, uint64 role) private {
        bytes4[] memory selectors = new bytes4[](1);
        selectors[0] = selector;
        authority.setTargetFunctionRole(target, selectors, role);
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IAccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";
import {Create2} from "@openzeppelin/contracts/utils/Create2.sol";
import {IRiskGuard} from "./guard/IRiskGuard.sol";
import {IRedeemQueue} from "./IRedeemQueue.sol";
import {IVault} from "./IVault.sol";
import {IVenue} from "./venues/IVenue.sol";

/// @title IMakesFees: a vault that made a contract of its fees
interface IMakesFees {
    function fees() external view returns (address);
}

/// @title VaultFactory: contracts of registered code, and a seal on those that belong together
/// @notice REGISTER. The governor registers the hash of a kind's creation code, arguments excluded, with the role that each of its
/// restricted functions must have. What is registered stays: a new version is a new hash of the same kind.
///
/// CREATE. Anyone creates one contract a transaction: the creation code comes as calldata, must hash to what is registered, and the
/// address follows from caller, salt, code and arguments (CREATE2), whatever was created before.
///
/// SEAL. Anyone has a vault's wiring checked once it is complete. Sealed means that in that block
/// - vault, authority, oracle, vol source, valuer, marks, guard, judge, queue and every venue were created here, each from code of its kind;
/// - all that obey an authority obey the vault's, which is closed for none of them, nor for the vault's fees and the guard's acts;
/// - the queue and every venue serve this vault;
/// - every restricted function has the role that its code was registered with;
/// - the account that the authority was created for no longer governs it, unless it is the governor named, and that one does.
/// The seal says nothing of later: the governor it names can change what the authority lets it change.
///
/// ASSUMPTIONS. THE FACTORY'S OWN GOVERNOR REGISTERS HONEST CODE. WHO ELSE WAS GIVEN A ROLE BEFORE THE SEAL IS IN THE AUTHORITY'S EVENTS,
/// WHICH NO CONTRACT CAN READ.
contract VaultFactory is AccessManaged {
    /// @notice A restricted function and who may call it. `ofChild`: it is the function of a contract that this one makes for itself,
    /// the vault its fees, the guard its acts.
    struct FunctionRole {
        bytes4 selector;
        uint64 role;
        bool ofChild;
    }

    bytes32 public constant VAULT = "Vault";
    bytes32 public constant AUTHORITY = "Authority";
    bytes32 public constant ORACLE = "Oracle";
    bytes32 public constant VOL_SOURCE = "VolSource";
    bytes32 public constant VALUER = "Valuer";
    bytes32 public constant MARKS = "Marks";
    bytes32 public constant GUARD = "Guard";
    bytes32 public constant JUDGE = "Judge";
    bytes32 public constant QUEUE = "Queue";
    bytes32 public constant VENUE = "Venue";
    /// @notice The most restricted functions that a kind is registered with.
    uint256 public constant MAX_FUNCTIONS = 48;

    /// @notice No kind has this creation code.
    error UnregisteredCode(bytes32 codeHash);
    error AlreadyRegistered(bytes32 codeHash);
    error TooManyFunctions(uint256 count, uint256 maximum);
    /// @notice A part was not created here, or from code of another kind.
    error WrongKind(address part, bytes32 kind, bytes32 wanted);
    /// @notice A part obeys another authority than the vault.
    error WrongAuthority(address part, address authority, address wanted);
    /// @notice A part serves another vault.
    error WrongVault(address part, address vault, address wanted);
    /// @notice A function is open to another role than the one it was registered with.
    error WrongRole(address part, bytes4 selector, uint64 role, uint64 wanted);
    /// @notice The authority lets nobody call this part.
    error TargetClosed(address part);
    /// @notice The authority was created for another account.
    error WrongCreator(address creator);
    /// @notice `account` governs, or the governor named does not.
    error WrongGovernor(address account);

    event Registered(bytes32 indexed kind, bytes32 indexed codeHash, FunctionRole[] functions);
    event Created(bytes32 indexed kind, address indexed made, address indexed creator, bytes32 codeHash, bytes arguments);
    event Sealed(address indexed vault, address indexed governor, address[] venues);

    /// @notice The kind that a creation code was registered as; zero for none.
    mapping(bytes32 codeHash => bytes32 kind) public kindOfCode;
    /// @notice The creation code that a contract was created from here; zero for others.
    mapping(address made => bytes32 codeHash) public codeOf;
    /// @notice When a vault was sealed, unix seconds; zero for never.
    mapping(address vault => uint256 timestamp) public sealedAt;

    mapping(bytes32 codeHash => FunctionRole[]) private _functions;
    mapping(address authority => bytes32 argumentsHash) private _argumentsOf;

    constructor(address authority_) AccessManaged(authority_) {}

    /// @notice GOVERNOR. Registers creation code of `kind` by its hash.
    /// @param functions Its restricted functions; those not named are the governor's and are not checked.
    function register(bytes32 kind, bytes32 codeHash, FunctionRole[] calldata functions) external restricted {
        if (kindOfCode[codeHash] != 0) revert AlreadyRegistered(codeHash);
        if (functions.length > MAX_FUNCTIONS) revert TooManyFunctions(functions.length, MAX_FUNCTIONS);
        kindOfCode[codeHash] = kind;
        for (uint256 i; i < functions.length; ++i) {
            _functions[codeHash].push(functions[i]);
        }
        emit Registered(kind, codeHash, functions);
    }

    /// @notice Anyone. Creates one contract.
    /// @param creationCode Registered code, without arguments.
    /// @param arguments    The constructor's, ABI-encoded.
    function create(bytes calldata creationCode, bytes calldata arguments, bytes32 salt)
        external
        returns (address made)
    {
        bytes32 codeHash = keccak256(creationCode);
        bytes32 kind = kindOfCode[codeHash];
        if (kind == 0) revert UnregisteredCode(codeHash);
        made = Create2.deploy(0, _salted(msg.sender, salt), bytes.concat(creationCode, arguments));
        codeOf[made] = codeHash;
        if (kind == AUTHORITY) _argumentsOf[made] = keccak256(arguments);
        emit Created(kind, made, msg.sender, codeHash, arguments);
    }

    /// @notice Anyone. Checks the wiring of `vault` and records the time; see SEAL.
    /// @param creator  The account that the vault's authority was created for.
    /// @param governor Who governs from now on.
    function seal(address vault, address creator, address governor) external {
        address authority = IAccessManaged(vault).authority();
        _kind(authority, AUTHORITY);
        if (_argumentsOf[authority] != keccak256(abi.encode(creator))) revert WrongCreator(creator);
        _governed(authority, creator, governor);

        // Of registered code first: what others say of their children is believed.
        _kind(vault, VAULT);
        _part(vault, VAULT, authority, IMakesFees(vault).fees());
        _part(IVault(vault).oracle(), ORACLE, authority, address(0));
        _part(IVault(vault).volSource(), VOL_SOURCE, authority, address(0));
        address guard = IVault(vault).guard();
        _kind(guard, GUARD);
        _part(guard, GUARD, authority, IRiskGuard(guard).acts());
        _kind(IVault(vault).valuer(), VALUER);
        _kind(IVault(vault).judge(), JUDGE);
        _kind(IVault(vault).marks(), MARKS);
        address queue = IVault(vault).redeemQueue();
        _part(queue, QUEUE, authority, address(0));
        _serves(queue, IRedeemQueue(queue).vault(), vault);
        // At most `VenueSet.MAX_VENUES`: the vault is of registered code.
        address[] memory venues = IVault(vault).venues();
        for (uint256 i; i < venues.length; ++i) {
            _kind(venues[i], VENUE);
            _serves(venues[i], IVenue(venues[i]).vault(), vault);
        }
        sealedAt[vault] = block.timestamp;
        emit Sealed(vault, governor, venues);
    }

    /// @notice Where `create` puts a contract for `creator`.
    function predict(address creator, bytes32 creationHash, bytes32 salt) external view returns (address) {
        return Create2.computeAddress(_salted(creator, salt), creationHash);
    }

    /// @notice The restricted functions that a code was registered with.
    function functionsOf(bytes32 codeHash) external view returns (FunctionRole[] memory) {
        return _functions[codeHash];
    }

    function _salted(address creator, bytes32 salt) private pure returns (bytes32) {
        return keccak256(abi.encode(creator, salt));
    }

    function _kind(address part, bytes32 wanted) private view {
        bytes32 kind = kindOfCode[codeOf[part]];
        if (kind != wanted) revert WrongKind(part, kind, wanted);
    }

    /// @dev `child` is what `part` made for itself, zero for nothing.
    function _part(address part, bytes32 kind, address authority, address child) private view {
        _kind(part, kind);
        _obeys(part, authority);
        if (child != address(0)) _obeys(child, authority);
        FunctionRole[] storage functions = _functions[codeOf[part]];
        for (uint256 i; i < functions.length; ++i) {
            FunctionRole memory f = functions[i];
            address target = f.ofChild ? child : part;
            uint64 role = IAccessManager(authority).getTargetFunctionRole(target, f.selector);
            if (role != f.role) revert WrongRole(target, f.selector, role, f.role);
        }
    }

    function _obeys(address part, address authority) private view {
        address obeyed = IAccessManaged(part).authority();
        if (obeyed != authority) revert WrongAuthority(part, obeyed, authority);
        if (IAccessManager(authority).isTargetClosed(part)) revert TargetClosed(part);
    }

    function _serves(address part, address served, address vault) private pure {
        if (served != vault) revert WrongVault(part, served, vault);
    }

    function _governed(address authority, address creator, address governor) private view {
        uint64 admin = 0;
        (bool governs,) = IAccessManager(authority).hasRole(admin, governor);
        if (!governs) revert WrongGovernor(governor);
        (governs,) = IAccessManager(authority).hasRole(admin, creator);
        if (governs && creator != governor) revert WrongGovernor(creator);
    }
}

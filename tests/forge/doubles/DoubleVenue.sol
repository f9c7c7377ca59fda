// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IVault} from "../../../contracts/IVault.sol";
import {SpotHolding} from "../../../contracts/venues/spot/ISpotVenue.sol";
import {Book, Exposure, IVenue, Kind, Margin, Status, UnitHealth} from "../../../contracts/venues/IVenue.sol";

/// @notice How `book()` behaves.
enum Mode {
    Fine,
    Reverts,
    Garbage,
    BurnsGas,
    Absurd,
    Overlong
}

/// @notice A venue that fills at once and is worth what it is told.
contract DoubleVenue is IVenue {
    error Broken(uint256 number);

    address public immutable vault;
    int256 internal _mid;
    uint256 internal _halfWidth;
    Exposure[] internal _exposures;
    uint256[] internal _units;
    mapping(uint256 unit => uint256) internal _healths;
    uint256 public healthPerAsset;
    Mode public mode;

    modifier onlyVault() {
        if (msg.sender != vault) revert OnlyVault(msg.sender);
        _;
    }

    constructor(address vault_) {
        vault = vault_;
    }

    function setMode(Mode mode_) external {
        mode = mode_;
    }

    function setBook(int256 mid, uint256 halfWidth, Exposure[] calldata exposures) public {
        (_mid, _halfWidth) = (mid, halfWidth);
        delete _exposures;
        for (uint256 i; i < exposures.length; ++i) {
            _exposures.push(exposures[i]);
        }
    }

    function setHealth(uint256 unit, uint256 health_, uint256 perAsset) external {
        if (_healths[unit] == 0) _units.push(unit);
        _healths[unit] = health_;
        healthPerAsset = perAsset;
    }

    /// @notice Draws `draw` from the vault, sends `give` back, and ends with the book given.
    function trade(uint256 draw, uint256 give, int256 mid, uint256 halfWidth, Exposure[] calldata exposures)
        external
        onlyVault
        returns (int256)
    {
        if (draw > 0) IVault(vault).fund(draw);
        if (give > 0) IERC20(IVault(vault).asset()).transfer(vault, give);
        setBook(mid, halfWidth, exposures);
        return int256(give) - int256(draw);
    }

    /// @notice Passes `data` to the vault, as a hostile adapter would.
    function intrude(bytes calldata data) external onlyVault {
        (bool done, bytes memory answer) = vault.call(data);
        if (!done) {
            assembly ("memory-safe") {
                revert(add(answer, 0x20), mload(answer))
            }
        }
    }

    function fail(uint256 number) external view onlyVault {
        revert Broken(number);
    }

    function book() public view virtual returns (Book memory b) {
        if (mode == Mode.Reverts) revert Broken(7);
        if (mode == Mode.Garbage) {
            assembly ("memory-safe") {
                mstore(0x00, not(0))
                mstore(0x20, not(0))
                return(0x00, 0x40)
            }
        }
        if (mode == Mode.BurnsGas) {
            assembly ("memory-safe") {
                invalid()
            }
        }
        b = Book(_mid, _halfWidth, _exposures);
        if (mode == Mode.Absurd) b.mid = type(int256).min;
        if (mode == Mode.Overlong) b.exposures = new Exposure[](33);
    }

    function standing() external view virtual returns (Book memory b, UnitHealth[] memory healths) {
        uint256[] memory units = this.marginUnits();
        healths = new UnitHealth[](units.length);
        for (uint256 i; i < units.length; ++i) {
            healths[i] = UnitHealth(units[i], unitHealth(units[i]));
        }
        return (book(), healths);
    }

    function pending() external view virtual returns (Exposure[] memory) {
        return new Exposure[](0);
    }

    function marginUnits() external view virtual returns (uint256[] memory) {
        return _units;
    }

    function margin(uint256 unit) external view virtual returns (Margin memory) {
        return Margin(int256(unitHealth(unit)), 1e18, 1e18);
    }

    function unitHealth(uint256 unit) public view virtual returns (uint256) {
        if (_healths[unit] == 0) revert UnknownUnit(unit);
        return _healths[unit];
    }

    function health() external view virtual returns (uint256 worst) {
        worst = type(uint256).max;
        for (uint256 i; i < _units.length; ++i) {
            if (_healths[_units[i]] < worst) worst = _healths[_units[i]];
        }
    }

    function kind() external pure virtual returns (Kind) {
        return Kind.Spot;
    }

    function protocol() external pure virtual returns (bytes32) {
        return "double";
    }

    /// @notice Every asset unit posted adds `healthPerAsset` to the unit's health.
    function post(uint256 unit, uint256 assets, uint256) external virtual onlyVault returns (uint256) {
        IVault(vault).fund(assets);
        _healths[unit] = unitHealth(unit) + assets * healthPerAsset;
        _mid += int256(assets * 1e12);
        return assets;
    }

    function free(uint256, uint256, uint256) external virtual onlyVault returns (uint256) {
        revert Unsupported();
    }

    function reduce(uint256, uint256, uint256) external virtual onlyVault returns (Status) {
        revert Unsupported();
    }

    /// @notice As a spot venue, it lists nothing.
    function holdings() external pure returns (SpotHolding[] memory) {
        return new SpotHolding[](0);
    }
}

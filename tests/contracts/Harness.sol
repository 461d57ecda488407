// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice The cheat codes that these tests use, and no more.
interface Vm {
    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    function warp(uint256 timestamp) external;
    function roll(uint256 number) external;
    function fee(uint256 basefee) external;
    function txGasPrice(uint256 price) external;
    function chainId(uint256 id) external;
    function deal(address account, uint256 amountWei) external;
    function prank(address sender) external;
    function startPrank(address sender) external;
    function stopPrank() external;
    function expectRevert() external;
    function expectRevert(bytes4 selector) external;
    function expectRevert(bytes calldata data) external;
    function expectEmit(bool topic1, bool topic2, bool topic3, bool data) external;
    function expectEmit(bool topic1, bool topic2, bool topic3, bool data, address emitter) external;
    function expectCall(address callee, bytes calldata data) external;
    function assume(bool condition) external pure;
    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function addr(uint256 key) external pure returns (address);
    function label(address account, string calldata name) external;
    function recordLogs() external;
    function getRecordedLogs() external returns (Log[] memory);
    function readFile(string calldata path) external view returns (string memory);
    function parseJsonBytes(string calldata json, string calldata key) external pure returns (bytes memory);
    function parseJsonBytes32(string calldata json, string calldata key) external pure returns (bytes32);
    function parseJsonBytes32Array(string calldata json, string calldata key) external pure returns (bytes32[] memory);
    function parseJsonBytesArray(string calldata json, string calldata key) external pure returns (bytes[] memory);
    function parseJsonUint(string calldata json, string calldata key) external pure returns (uint256);
    function parseJsonUintArray(string calldata json, string calldata key) external pure returns (uint256[] memory);
    function parseJsonInt(string calldata json, string calldata key) external pure returns (int256);
    function parseJsonString(string calldata json, string calldata key) external pure returns (string memory);
    function parseJsonBool(string calldata json, string calldata key) external pure returns (bool);
    function snapshotState() external returns (uint256 id);
    function revertToState(uint256 id) external returns (bool);
    function envOr(string calldata name, uint256 otherwise) external view returns (uint256);
    function toString(uint256 value) external pure returns (string memory);
    function load(address account, bytes32 slot) external view returns (bytes32);
    function store(address account, bytes32 slot, bytes32 value) external;
    function etch(address account, bytes calldata code) external;
    function cool(address account) external;
}

/// @notice Base of every test contract: assertions that say what they saw, and bounded fuzz values.
abstract contract Harness {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    bool public constant IS_TEST = true;

    error NotEqual(uint256 received, uint256 expected);
    error NotEqualBytes(bytes received, bytes expected);
    error NotTrue(string claim);
    error AboveLimit(uint256 received, uint256 limit);

    /// @notice Whose calls invariants are played by. Else forge may choose one of our contracts, the Vault too, and gives
    /// it wei to send from.
    function targetSenders() public pure returns (address[] memory senders) {
        senders = new address[](1);
        senders[0] = address(0x5E4DE5);
    }

    function assertEq(uint256 received, uint256 expected) internal pure {
        if (received != expected) revert NotEqual(received, expected);
    }

    function assertEq(bytes32 received, bytes32 expected) internal pure {
        if (received != expected) revert NotEqual(uint256(received), uint256(expected));
    }

    function assertEq(address received, address expected) internal pure {
        if (received != expected) revert NotEqual(uint160(received), uint160(expected));
    }

    function assertEq(bytes memory received, bytes memory expected) internal pure {
        if (keccak256(received) != keccak256(expected)) revert NotEqualBytes(received, expected);
    }

    function assertTrue(bool condition, string memory claim) internal pure {
        if (!condition) revert NotTrue(claim);
    }

    function assertLe(uint256 received, uint256 limit) internal pure {
        if (received > limit) revert AboveLimit(received, limit);
    }

    /// @notice Folds a fuzzed value into `least .. greatest`, inclusive.
    function bound(uint256 value, uint256 least, uint256 greatest) internal pure returns (uint256) {
        if (value >= least && value <= greatest) return value;
        uint256 span = greatest - least + 1;
        return span == 0 ? value : least + (value % span);
    }
}

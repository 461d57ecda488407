// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {LibRLP} from "solady/utils/LibRLP.sol";

import {ClaimChain} from "../../../contracts/ClaimChain.sol";
import {Inbox} from "../../../contracts/Inbox.sol";
import {Certainty, ClaimBatch, ClaimWitness, IClaimChain} from "../../../contracts/interfaces/IClaimChain.sol";
import {IConsumer} from "../../../contracts/interfaces/IConsumer.sol";
import {PostTerms, Request, RequestBatch, Signed, Wish} from "../../../contracts/interfaces/IInbox.sol";
import {CLAIM_LEAF_TAG} from "../../../contracts/libraries/ConstantsLib.sol";
import {ModelRegistry} from "../../../contracts/ModelRegistry.sol";
import {ClaimId, ModelId, RequestId} from "../../../contracts/types/Ids.sol";
import {BundleRoot, F32} from "../../../contracts/types/Roots.sol";
import {Duration, Instant} from "../../../contracts/types/Time.sol";
import {Vault} from "../../../contracts/Vault.sol";
import {Harness} from "../Harness.sol";
import {Models} from "../mocks/Models.sol";
import {SlowTree} from "../mocks/SlowTree.sol";

/// @notice The cheat code that says what the last call cost. In isolation a call from a test is a transaction of its
/// own, with its base cost, its calldata or their floor (EIP-7623), cold slots and refunds.
interface GasMeter {
    struct Gas {
        uint64 limit;
        uint64 totalUsed;
        uint64 memoryUsed;
        int64 refunded;
        uint64 remaining;
    }

    function lastCallGas() external view returns (Gas memory);
}

/// @notice Stores one word when it is called back.
contract OneWord is IConsumer {
    bytes32 public answer;

    function onResult(RequestId, ClaimId, Certainty, uint64, bytes calldata output) external {
        answer = bytes32(output);
    }
}

/// @title What ordering, claiming and calling back cost, in gas of whole transactions
/// @notice All contracts are real, outputs are as random as logits are. Whoever is paid was paid before, and other
/// requests and claims are under way, as in a system that has run for an hour.
/// forge-config: default.isolate = true
contract BatchBench is Harness {
    event log_named_uint(string name, uint256 value);

    uint32 internal constant CLAIMS = 500;
    uint32 internal constant WINDOW = 60;
    uint40 internal constant START = 1_800_000_000;
    uint96 internal constant FEE = 0.00123456789 ether;
    uint96 internal constant TIP = 0.000123456789 ether;
    uint96 internal constant BOND = 0.0123456789 ether;
    uint256 internal constant KEY = 0xA11CE;
    address internal constant EXECUTOR = 0x7878787878787878787878787878787878787878;
    address internal constant KEEPER = 0x8787878787878787878787878787878787878787;

    Vault internal vault;
    ModelRegistry internal models;
    Inbox internal inbox;
    ClaimChain internal chain;
    ModelId internal model;
    OneWord internal consumer;

    function setUp() external {
        vm.warp(START);
        vm.fee(1 gwei);
        address[] memory modules = new address[](2);
        for (uint256 i = 0; i < 2; ++i) {
            modules[i] = LibRLP.computeAddress(address(this), 3 + i);
        }
        vault = new Vault(modules);
        models = Models.registry(Models.windows(15), Models.windows(7 days), Models.MIN_BOND_GAS);
        inbox = new Inbox(vault, models, IClaimChain(modules[1]), address(this), 1);
        chain = new ClaimChain(vault, inbox, models, address(1), Duration.wrap(600), 0.000123 ether);
        model = models.register(Models.single(F32, 8, 0, int64(uint64(Models.ONE))));
        consumer = new OneWord();
        vm.deal(address(this), 1_000 ether);
        vault.deposit{value: 100 ether}(EXECUTOR);
        vault.deposit{value: 1 ether}(KEEPER);
        vault.deposit{value: 100 ether}(vm.addr(KEY));
        (RequestBatch memory underWay,) = _ask();
        _claimSingle(underWay);
        _ask();
    }

    function test_bench_claimOf500() external {
        RequestBatch memory batch = _post();
        vm.prank(EXECUTOR);
        chain.lease(batch, 0);
        bytes memory data;
        for (uint256 i = 0; i < CLAIMS; ++i) {
            data = bytes.concat(data, _output(i));
        }
        uint256[2] memory all = [type(uint256).max, (1 << (CLAIMS - 256)) - 1];
        vm.prank(EXECUTOR);
        chain.claim(batch, 0, CLAIMS, all, data, false, BOND);
        uint256 perClaim = _lastGas() / CLAIMS;
        uint256 length = abi.encodeCall(chain.claim, (batch, 0, CLAIMS, all, data, false, BOND)).length;
        emit log_named_uint("gas_per_claim_500", perClaim);
        emit log_named_uint("bytes_per_claim", length / CLAIMS);
        assertLe(perClaim, 1_900);
    }

    function test_bench_requestOf32Bytes() external {
        _ask();
        emit log_named_uint("gas_request_32B", _lastGas());
        assertLe(_lastGas(), 130_000);
    }

    function test_bench_finalCallback() external {
        ClaimWitness[] memory page = _claimedSingle();
        vm.prank(KEEPER);
        chain.settle(page);
        uint256 callbackGas = _lastGas();
        emit log_named_uint("gas_final_callback", callbackGas);
        assertLe(callbackGas, 110_000);
        assertEq(consumer.answer(), bytes32(page[0].entry));
    }

    function test_bench_finalCallbackInTwoTransactions() external {
        ClaimWitness[] memory page = _claimedSingle();
        vm.prank(KEEPER);
        chain.finalise(page[0].requests, page[0].claims);
        uint256 finaliseGas = _lastGas();
        vm.prank(KEEPER);
        chain.settle(page);
        emit log_named_uint("gas_finalise_alone", finaliseGas);
        emit log_named_uint("gas_settle_alone", _lastGas());
        assertEq(consumer.answer(), bytes32(page[0].entry));
    }

    function _lastGas() private view returns (uint256) {
        return GasMeter(address(vm)).lastCallGas().totalUsed;
    }

    /// @dev 500 signed requests in lane 1.
    function _post() private returns (RequestBatch memory batch) {
        PostTerms memory terms = PostTerms(model, FEE, TIP, BOND, Instant.wrap(START + 1 days), address(0), 0);
        Signed[] memory requests = new Signed[](CLAIMS);
        bytes32[] memory ids = new bytes32[](CLAIMS);
        for (uint64 i = 0; i < CLAIMS; ++i) {
            requests[i].requester = vm.addr(KEY);
            requests[i].nonce = i;
            requests[i].inputsRoot = BundleRoot.wrap(keccak256(abi.encode(i)));
            ids[i] = RequestId.unwrap(inbox.requestIdOf(_request(terms, requests[i])));
            (uint8 v, bytes32 r, bytes32 s) = vm.sign(KEY, ids[i]);
            requests[i].signature = abi.encodePacked(r, s, v);
        }
        inbox.post(terms, requests);
        batch = RequestBatch(1, 0, CLAIMS, SlowTree.root(ids), model, FEE, TIP, BOND, terms.deadline, false);
    }

    function _request(PostTerms memory terms, Signed memory signed) private pure returns (Request memory request) {
        (request.requester, request.nonce, request.inputsRoot) = (signed.requester, signed.nonce, signed.inputsRoot);
        (request.model, request.feeWei, request.tipWei) = (terms.model, terms.feeWei, terms.tipWei);
        (request.minBondWei, request.deadline) = (terms.minBondWei, terms.deadline);
        (request.callback, request.callbackGas) = (terms.callback, terms.callbackGas);
    }

    /// @dev One request in lane 0, with inline inputs and a callback.
    function _ask() private returns (RequestBatch memory batch, Request memory request) {
        bytes memory inputs;
        for (uint32 i = 1; i <= 8; ++i) {
            inputs = abi.encodePacked(inputs, 0x3f000000 + 77_777 * i);
        }
        Instant deadline = Instant.wrap(START + 1 days);
        Wish memory wish = Wish(model, inputs, BundleRoot.wrap(0), FEE, TIP, BOND, deadline, address(consumer), 60_000);
        request.nonce = inbox.nonceOf(address(this));
        request.inputsRoot = models.commitInputs(model, inputs);
        uint64 first = inbox.laneLength(0);
        (request.requester, request.model, request.feeWei, request.tipWei) = (address(this), model, FEE, TIP);
        (request.minBondWei, request.deadline) = (BOND, deadline);
        (request.callback, request.callbackGas) = (address(consumer), 60_000);
        (RequestId id,) = inbox.request{value: FEE + TIP}(wish);
        batch = RequestBatch(0, first, 1, RequestId.unwrap(id), model, FEE, TIP, BOND, deadline, true);
    }

    function _claimSingle(RequestBatch memory batch) private returns (ClaimBatch memory claims) {
        vm.prank(EXECUTOR);
        chain.lease(batch, 0);
        vm.prank(EXECUTOR);
        chain.claim(batch, 0, 1, [uint256(1), 0], _output(7), false, BOND);
        bytes32 root = keccak256(abi.encodePacked(CLAIM_LEAF_TAG, _output(7)));
        claims = ClaimBatch(inbox.batchIdOf(batch), EXECUTOR, 0, 1, root, BOND, Instant.wrap(START), false, false);
    }

    /// @dev Witness of a claim whose window is over.
    function _claimedSingle() private returns (ClaimWitness[] memory page) {
        page = new ClaimWitness[](1);
        (page[0].requests, page[0].request) = _ask();
        page[0].claims = _claimSingle(page[0].requests);
        page[0].entry = _output(7);
        vm.warp(START + WINDOW);
    }

    /// @dev Ten numbers.
    function _output(uint256 seed) private pure returns (bytes memory) {
        return abi.encodePacked(keccak256(abi.encode(seed)), bytes8(keccak256(abi.encode(seed, "more"))));
    }
}

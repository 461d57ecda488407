// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {LibRLP} from "solady/utils/LibRLP.sol";

import {ClaimChain} from "../../contracts/ClaimChain.sol";
import {Inbox} from "../../contracts/Inbox.sol";
import {Certainty, ClaimBatch, ClaimWitness, IClaimChain} from "../../contracts/interfaces/IClaimChain.sol";
import {IInbox, PostTerms, Request, RequestBatch, Signed, Wish} from "../../contracts/interfaces/IInbox.sol";
import {CLAIM_LEAF_TAG} from "../../contracts/libraries/ConstantsLib.sol";
import {ModelRegistry} from "../../contracts/ModelRegistry.sol";
import {ModelId, RequestId} from "../../contracts/types/Ids.sol";
import {BundleRoot, F32} from "../../contracts/types/Roots.sol";
import {Duration, Instant} from "../../contracts/types/Time.sol";
import {Vault} from "../../contracts/Vault.sol";
import {Harness} from "./Harness.sol";
import {Models} from "./mocks/Models.sol";
import {SlowTree} from "./mocks/SlowTree.sol";

/// @notice ClaimChain between the real Vault, ModelRegistry and Inbox; this test is sequencer, requester of lane 0 and
/// dispute game.
contract ClaimChainRealTest is Harness {
    uint96 internal constant FEE = 0.01 ether;
    uint96 internal constant TIP = 0.001 ether;
    uint96 internal constant BOND = 0.05 ether;
    uint40 internal constant START = 1_800_000_000;
    Instant internal constant DEADLINE = Instant.wrap(START + 1 days);
    uint256 internal constant KEY = 0xA11CE;
    address internal constant honest = address(0x1001);

    Vault internal vault;
    ModelRegistry internal models;
    Inbox internal inbox;
    ClaimChain internal chain;
    ModelId internal model;

    function setUp() external {
        vm.warp(START);
        vm.fee(1 gwei);
        address[] memory modules = new address[](3);
        (modules[0], modules[1]) = (LibRLP.computeAddress(address(this), 3), LibRLP.computeAddress(address(this), 4));
        modules[2] = address(this);
        vault = new Vault(modules);
        models = Models.registry(Models.windows(15), Models.windows(7 days), Models.MIN_BOND_GAS);
        inbox = new Inbox(vault, models, IClaimChain(modules[1]), address(this), 1);
        chain = new ClaimChain(vault, inbox, models, address(this), Duration.wrap(600), 0.002 ether);
        model = models.register(Models.single(F32, 8, 0, int64(uint64(Models.ONE))));
        vm.deal(address(this), 10 ether);
        vault.deposit{value: 1 ether}(honest);
        vault.deposit{value: 1 ether}(vm.addr(KEY));
    }

    function test_posted_withAnEmptyPlace_isClaimedAroundIt() external {
        (RequestBatch memory batch, bytes32[] memory ids) = _post(3, 1);
        assertEq(ids[1], bytes32(0));
        vm.prank(honest);
        chain.lease(batch, 0);
        assertEq(vault.escrowOf(address(chain)), 2 * 0.002 ether);
        vm.prank(honest);
        chain.claim(batch, 0, 3, [uint256(7), 0], new bytes(120), false, BOND);
        bytes32[] memory leaves = new bytes32[](3);
        leaves[0] = keccak256(abi.encodePacked(CLAIM_LEAF_TAG, new bytes(40)));
        leaves[2] = leaves[0];
        ClaimBatch memory claims =
            ClaimBatch(inbox.batchIdOf(batch), honest, 0, 3, SlowTree.root(leaves), BOND, Instant.wrap(START), false, false);
        vm.warp(START + 60);
        chain.finalise(batch, claims);
        assertEq(vault.balanceOf(honest), 1 ether + 2 * FEE);
        assertEq(vault.balanceOf(address(this)), 2 * TIP);
        assertEq(vault.balanceOf(vm.addr(KEY)), 1 ether - 2 * (FEE + TIP));
        assertEq(vault.escrowOf(address(inbox)) + vault.escrowOf(address(chain)), 0);
    }

    function test_asked_andRejectedThrice_isRefundedAtOnce() external {
        (RequestBatch memory batch, Request memory request) = _ask();
        bytes32[] memory none;
        for (uint160 i = 0; i < 3; ++i) {
            address executor = address(0x2000 + i);
            vault.deposit{value: 0.1 ether}(executor);
            vm.startPrank(executor);
            chain.lease(batch, i == 0 ? 0 : 1);
            chain.claim(batch, 0, 1, [uint256(1), 0], new bytes(40), false, BOND);
            vm.stopPrank();
            ClaimWitness memory witness = _witness(batch, request, executor);
            chain.contest(witness);
            vm.expectRevert(abi.encodeWithSelector(IClaimChain.ClaimIsLive.selector, inbox.batchIdOf(batch), 0));
            inbox.refund(batch, 0, request, none);
            chain.reject(witness, 0);
        }
        inbox.refund(batch, 0, request, none);
        assertEq(vault.balanceOf(address(this)), FEE + TIP);
        assertEq(vault.escrowOf(address(inbox)) + vault.escrowOf(address(chain)), 0);
    }

    function test_asked_andRefuted_reopensForAnotherExecutor() external {
        (RequestBatch memory batch, Request memory request) = _ask();
        vm.startPrank(honest);
        chain.lease(batch, 0);
        chain.claim(batch, 0, 1, [uint256(1), 0], new bytes(40), false, BOND);
        vm.stopPrank();
        ClaimWitness memory witness = _witness(batch, request, honest);
        (, RequestId id) = chain.contest(witness);
        assertEq(RequestId.unwrap(id), RequestId.unwrap(inbox.requestIdOf(request)));
        assertEq(chain.refute(witness), BOND);
        assertEq(vault.escrowOf(address(inbox)), FEE + TIP);
        (Certainty certainty,) = chain.certaintyOf(witness.claims, 0);
        assertEq(uint256(certainty), uint256(Certainty.Refuted));
        assertEq(chain.minimumBond(batch, 1), 2 * BOND);
    }

    function test_asked_andNeverClaimed_isRefundedAtItsDeadline() external {
        (RequestBatch memory batch, Request memory request) = _ask();
        bytes32[] memory none;
        vm.warp(Instant.unwrap(DEADLINE) - 1);
        vm.expectRevert(abi.encodeWithSelector(IClaimChain.NotYetRefundable.selector, DEADLINE));
        inbox.refund(batch, 0, request, none);
        vm.warp(Instant.unwrap(DEADLINE));
        inbox.refund(batch, 0, request, none);
        assertEq(vault.balanceOf(address(this)), FEE + TIP);
    }

    function test_witness_ofARequestInAnotherPlace_reverts() external {
        (RequestBatch memory batch, Request memory request) = _ask();
        ClaimWitness memory witness = _witness(batch, request, honest);
        chain.requireWitness(witness);
        witness.request.nonce += 1;
        RequestId forged = inbox.requestIdOf(witness.request);
        vm.expectRevert(abi.encodeWithSelector(IInbox.NotInBatch.selector, forged, 0));
        chain.requireWitness(witness);
    }

    function _witness(RequestBatch memory batch, Request memory request, address executor)
        private
        view
        returns (ClaimWitness memory witness)
    {
        bytes32 root = keccak256(abi.encodePacked(CLAIM_LEAF_TAG, new bytes(40)));
        witness.claims = ClaimBatch(inbox.batchIdOf(batch), executor, 0, 1, root, BOND, Instant.wrap(START), false, false);
        (witness.requests, witness.request, witness.entry) = (batch, request, new bytes(40));
    }

    /// @dev A request in lane 0 with inputs kept off chain.
    function _ask() private returns (RequestBatch memory batch, Request memory request) {
        BundleRoot root = BundleRoot.wrap(keccak256("inputs"));
        Wish memory wish = Wish(model, "", root, FEE, TIP, BOND, DEADLINE, address(0), 0);
        (RequestId id,) = inbox.request{value: FEE + TIP}(wish);
        (request.requester, request.model, request.inputsRoot) = (address(this), model, root);
        (request.feeWei, request.tipWei, request.minBondWei, request.deadline) = (FEE, TIP, BOND, DEADLINE);
        batch = RequestBatch(0, 0, 1, RequestId.unwrap(id), model, FEE, TIP, BOND, DEADLINE, false);
    }

    /// @dev `count` signed requests in lane 1, number `spoilt` with a signature of another key.
    function _post(uint256 count, uint256 spoilt) private returns (RequestBatch memory batch, bytes32[] memory ids) {
        Signed[] memory requests = new Signed[](count);
        ids = new bytes32[](count);
        uint64 nonce = 0;
        for (uint256 i = 0; i < count; ++i) {
            requests[i].requester = vm.addr(KEY);
            requests[i].nonce = nonce;
            requests[i].inputsRoot = BundleRoot.wrap(bytes32(i + 1));
            Request memory request;
            (request.requester, request.nonce, request.model) = (vm.addr(KEY), nonce, model);
            (request.feeWei, request.tipWei, request.minBondWei, request.deadline) = (FEE, TIP, BOND, DEADLINE);
            request.inputsRoot = requests[i].inputsRoot;
            bytes32 id = RequestId.unwrap(inbox.requestIdOf(request));
            (uint8 v, bytes32 r, bytes32 s) = vm.sign(i == spoilt ? KEY + 1 : KEY, id);
            requests[i].signature = abi.encodePacked(r, s, v);
            if (i == spoilt) continue;
            ids[i] = id;
            ++nonce;
        }
        inbox.post(PostTerms(model, FEE, TIP, BOND, DEADLINE, address(0), 0), requests);
        batch = RequestBatch(1, 0, uint32(count), SlowTree.root(ids), model, FEE, TIP, BOND, DEADLINE, false);
    }
}

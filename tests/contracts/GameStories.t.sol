// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Loan, LoanStatus, LoanTerms, NftLoan, System} from "../../contracts/examples/NftLoan.sol";
import {PixelNft} from "../../contracts/examples/PixelNft.sol";
import {Certainty, ClaimWitness, IClaimChain} from "../../contracts/interfaces/IClaimChain.sol";
import {Request} from "../../contracts/interfaces/IInbox.sol";
import {Model} from "../../contracts/interfaces/IModelRegistry.sol";
import {FaultProof} from "../../contracts/interfaces/IStepJudge.sol";
import {ModelId, RequestId} from "../../contracts/types/Ids.sol";
import {Duration, Instant} from "../../contracts/types/Time.sol";
import {Listener} from "./mocks/Consumers.sol";
import {Models} from "./mocks/Models.sol";
import {ToyTrace} from "./mocks/ToyTrace.sol";
import {World} from "./mocks/World.sol";

/// @notice What follows after a claim has fallen, with every contract real: announcements, the next claim, refunds, and a
/// loan office that waits for the truth.
contract GameStoriesTest is World, ToyTrace {
    address private constant SECOND = address(0xE2);
    address private constant THIRD = address(0xE3);
    address private constant BORROWER = address(0xB0);
    uint256 private constant HELD = 100 ether;

    function setUp() public override {
        super.setUp();
        vm.deal(address(this), 300 ether);
        vault.deposit{value: HELD}(SECOND);
        vault.deposit{value: HELD}(THIRD);
    }

    function test_story_refutedAnswer_isAnnounced_andTheNextOneDelivered() public {
        Listener listener = new Listener();
        ClaimWitness memory witness = asked(_model(), toyInputs(), address(listener));
        claimBy(EXECUTOR, witness, outputOf(runWith(WRONG)), false);
        ClaimWitness memory fallen = _copy(witness);
        challengeClaim(witness);
        openTrace(witness, traceRootOf(runWith(WRONG)));
        _prove(witness, stepProof(runWith(WRONG)));

        uint256 twiceWei = 2 * claims.minimumBond(witness.requests, 0);
        vm.expectRevert(abi.encodeWithSelector(IClaimChain.BondTooLow.selector, twiceWei - 1, twiceWei));
        this.claimCheaply(witness);
        claimBy(SECOND, witness, outputOf(honestRun()), false);
        vm.warp(START + 200);
        _settle(witness);
        _assertHeard(listener, Certainty.Final, 2, outputOf(honestRun()));
        assertEq(vault.balanceOf(SECOND), HELD + FEE);

        // Late, but its sequence number says so.
        claims.announce(fallen);
        _assertHeard(listener, Certainty.Refuted, 1, "");
        assertEq(listener.calls(), 2);
        _assertEmpty();
    }

    function test_story_rejectedThreeTimes_isRefunded() public {
        ClaimWitness memory witness = asked(_model(), toyInputs(), address(0));
        address[3] memory executors = [EXECUTOR, SECOND, THIRD];
        for (uint256 i = 0; i < 3; ++i) {
            claimBy(executors[i], witness, outputOf(runWith(ROUGH)), false);
            challengeClaim(witness);
            openTrace(witness, traceRootOf(runWith(ROUGH)));
            vm.warp(block.timestamp + 120);
            _prove(witness, calibratedProof(runWith(ROUGH)));
            if (i == 2) break;
            vm.expectRevert(
                abi.encodeWithSelector(
                    IClaimChain.ExcludedExecutor.selector, executors[i], inbox.requestIdOf(witness.request)
                )
            );
            vm.prank(executors[i]);
            claims.lease(witness.requests, 1);
        }
        Instant present = Instant.wrap(uint40(block.timestamp));
        vm.expectRevert(abi.encodeWithSelector(IClaimChain.DeadlinePassed.selector, present));
        claims.lease(witness.requests, 1);
        inbox.refund(witness.requests, 0, witness.request, witness.requestPath);
        assertEq(vault.balanceOf(REQUESTER), FEE);
        assertEq(vault.burned(), 0);
        _assertEmpty();
    }

    function test_story_loan_waitsForTheTruth() public {
        (NftLoan office, ClaimWitness memory witness, RequestId id) = _askForALoan();
        claimBy(EXECUTOR, witness, _logits(1), false);
        challengeClaim(witness);
        concludeAt(witness, block.timestamp + 100);
        claims.announce(witness);
        assertEq(uint256(office.loanOf(id).status), uint256(LoanStatus.Asked));
        assertEq(office.loanOf(id).sequence, 1);

        claimBy(SECOND, witness, _logits(7), false);
        vm.warp(block.timestamp + 200);
        uint256 before = vault.balanceOf(SENDER);
        _settle(witness);
        assertEq(vault.balanceOf(SENDER) - before, 0.1 ether);
        assertEq(uint256(office.loanOf(id).status), uint256(LoanStatus.Lent));
        assertEq(vault.balanceOf(BORROWER), 2 ether);
        _assertEmpty();
    }

    function test_story_loan_thatNobodyAnswers_returnsTokenAndMoney() public {
        (NftLoan office, ClaimWitness memory witness, RequestId id) = _askForALoan();
        vm.warp(Instant.unwrap(witness.request.deadline));
        inbox.refund(witness.requests, 0, witness.request, witness.requestPath);
        vm.prank(BORROWER);
        office.giveUp(id, BORROWER);
        assertEq(BORROWER.balance, 1.1 ether);
        assertEq(office.NFT().ownerOf(0), BORROWER);
        _assertEmpty();
    }

    // Moves.

    /// @dev By the honest executor, under a lease of its own, for a wei too little.
    function claimCheaply(ClaimWitness calldata witness) external {
        uint96 bondWei = uint96(claims.minimumBond(witness.requests, 1) - 1);
        vm.prank(SECOND);
        claims.lease(witness.requests, 1);
        vm.prank(SECOND);
        claims.claim(witness.requests, 0, 1, [uint256(1), 0], outputOf(honestRun()), false, bondWei);
    }

    function _askForALoan() private returns (NftLoan office, ClaimWitness memory witness, RequestId id) {
        Model memory model = Models.digits();
        model.windows = windows();
        LoanTerms memory terms = _loanTerms(registry.register{value: REGISTRANT_BOND}(model));
        PixelNft nft = new PixelNft();
        office = new NftLoan(System(inbox, address(claims), vault, registry, nft), terms);
        vm.deal(address(this), 10 ether);
        office.joinPool{value: 10 ether}();
        nft.mint(BORROWER, new bytes(256));
        vm.deal(BORROWER, 1.1 ether);
        vm.startPrank(BORROWER);
        nft.approve(address(office), 0);
        id = office.requestLoan{value: 1.1 ether}(0, 2 ether);
        vm.stopPrank();

        Request memory request;
        (request.requester, request.model, request.feeWei) = (address(office), terms.model, terms.feeWei);
        (request.tipWei, request.callback, request.callbackGas) = (terms.tipWei, address(office), terms.callbackGas);
        request.inputsRoot = registry.commitInputs(terms.model, new bytes(256));
        request.deadline = Instant.wrap(uint40(block.timestamp + 1 days));
        witness = orderOf(request);
    }

    function _loanTerms(ModelId model) private pure returns (LoanTerms memory terms) {
        (terms.model, terms.feeWei, terms.tipWei, terms.callbackGas) = (model, 1 ether, 0.1 ether, 150_000);
        (terms.answerWithin, terms.term) = (Duration.wrap(1 days), Duration.wrap(7 days));
        (terms.interestBps, terms.margin) = (500, 0x3f000000);
        (terms.priceWei[1], terms.priceWei[7]) = (1 ether, 3 ether);
    }

    function _prove(ClaimWitness memory witness, FaultProof memory proof) private {
        vm.prank(SENDER);
        game.prove(witness, proof);
    }

    function _settle(ClaimWitness memory witness) private {
        ClaimWitness[] memory page = new ClaimWitness[](1);
        page[0] = witness;
        vm.prank(SENDER);
        claims.settle(page);
    }

    // What is said and expected.

    function _model() private pure returns (Model memory model) {
        model = toyModel();
        model.windows = windows();
    }

    /// @dev Two for `digit`, zero for the others.
    function _logits(uint256 digit) private pure returns (bytes memory output) {
        for (uint256 i = 0; i < 10; ++i) {
            output = abi.encodePacked(output, i == digit ? uint32(0x40000000) : uint32(0));
        }
    }

    function _copy(ClaimWitness memory witness) private pure returns (ClaimWitness memory) {
        return abi.decode(abi.encode(witness), (ClaimWitness));
    }

    function _assertHeard(Listener listener, Certainty certainty, uint64 sequence, bytes memory output) private view {
        assertEq(uint256(listener.certainty()), uint256(certainty));
        assertEq(listener.sequence(), sequence);
        assertEq(keccak256(listener.output()), keccak256(output));
    }

    /// @dev Nothing is left in any escrow once every request has ended.
    function _assertEmpty() private view {
        assertEq(vault.escrowOf(address(inbox)), 0);
        assertEq(vault.escrowOf(address(claims)), 0);
        assertEq(vault.escrowOf(address(game)), 0);
        address[7] memory cast = [REQUESTER, EXECUTOR, SECOND, THIRD, CHALLENGER, SENDER, DEMANDER];
        uint256 sum = vault.burned() + vault.balanceOf(BORROWER) + vault.escrowOf(address(registry));
        for (uint256 i = 0; i < cast.length; ++i) {
            sum += vault.balanceOf(cast[i]);
        }
        assertEq(sum, address(vault).balance);
    }
}

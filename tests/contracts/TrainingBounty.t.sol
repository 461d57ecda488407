// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {InboxFixture} from "./mocks/InboxFixture.sol";
import {ReenteringFunder} from "./mocks/Funders.sol";
import {TrainingsMock} from "./mocks/TrainingsMock.sol";
import {BountyStatus, Contribution, TrainingBounty} from "../../contracts/examples/TrainingBounty.sol";
import {Certainty} from "../../contracts/interfaces/IContestable.sol";
import {Wish} from "../../contracts/interfaces/IInbox.sol";
import {
    ITrainings, OpenedItem, Training, TrainingId, TrainingStatus, TrainingTerms
} from "../../contracts/interfaces/ITrainings.sol";
import {ModelId, RequestId} from "../../contracts/types/Ids.sol";
import {Instant} from "../../contracts/types/Time.sol";
import {Vault} from "../../contracts/Vault.sol";

/// @notice Alice, Bob and Carol pay 4 ether and 2 ether of bonus; the keeper of the pool answers for a tenth of the fee. The
/// winner trains, the thief takes what it can.
contract TrainingBountyTest is InboxFixture {
    uint96 private constant TRAINING_FEE = 4 ether + 7;
    uint96 private constant BONUS = 2 ether;
    uint256 private constant GOAL = TRAINING_FEE + BONUS;
    uint256 private constant PLEDGE = uint256(TRAINING_FEE) / 10;
    uint40 private constant FUND_UNTIL = START + 1 days;
    bytes32 private constant POOL_KEY = keccak256("pool key");
    address private constant carol = address(0xCA401);
    address private constant keeper = address(0x4EE9E4);
    address private constant winner = address(0x3177E4);
    address private constant thief = address(0x741EF);

    TrainingsMock private trainings;
    Vault private bank;
    TrainingBounty private bounty;

    function setUp() public override {
        super.setUp();
        trainings = new TrainingsMock();
        address[] memory modules = new address[](1);
        modules[0] = address(trainings);
        bank = new Vault(modules);
        trainings.join(bank);
        bounty = _bounty(_trainingTerms());
        vm.deal(carol, 100 ether);
    }

    // Refusals.

    function test_constructor_wrongPledge_reverts() public {
        TrainingTerms memory terms = _trainingTerms();
        ITrainings asked = ITrainings(address(trainings));
        vm.deal(address(this), PLEDGE);
        vm.expectRevert(abi.encodeWithSelector(TrainingBounty.WrongPledge.selector, PLEDGE - 1, PLEDGE));
        new TrainingBounty{value: PLEDGE - 1}(asked, bank, keeper, Instant.wrap(FUND_UNTIL), terms);
    }

    function test_receive_fromAnyoneButTheVault_reverts() public {
        vm.prank(alice);
        (bool success, bytes memory reason) = address(bounty).call{value: 1}("");
        assertTrue(!success, "refused");
        assertEq(reason, abi.encodeWithSelector(TrainingBounty.NotTheVault.selector, alice, address(bank)));
    }

    function test_fund_afterTheTimeOrTheGoal_reverts() public {
        _contributeAll();
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(TrainingBounty.NothingToAdd.selector, GOAL));
        bounty.fund{value: 1}();
        vm.warp(FUND_UNTIL);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(TrainingBounty.FundingOver.selector, FUND_UNTIL));
        bounty.fund{value: 1}();
    }

    function test_fund_nothing_reverts() public {
        vm.expectRevert(abi.encodeWithSelector(TrainingBounty.NothingToAdd.selector, 0));
        bounty.fund();
    }

    function test_fund_afterTheStart_reverts() public {
        _start();
        vm.prank(alice);
        vm.expectRevert(_wrongStatus(BountyStatus.Running, BountyStatus.Funding));
        bounty.fund{value: 1}();
    }

    function test_start_byAnyoneElse_orTooEarly_orTooLate_reverts() public {
        vm.prank(thief);
        vm.expectRevert(_notTheKeeper(thief));
        bounty.start();
        _contribute(alice, 1 ether);
        vm.prank(keeper);
        vm.expectRevert(abi.encodeWithSelector(TrainingBounty.NotFunded.selector, 1 ether, GOAL));
        bounty.start();
        _contributeAll();
        vm.warp(FUND_UNTIL);
        vm.prank(keeper);
        vm.expectRevert(abi.encodeWithSelector(TrainingBounty.FundingOver.selector, FUND_UNTIL));
        bounty.start();
    }

    function test_start_twice_reverts() public {
        _start();
        vm.prank(keeper);
        vm.expectRevert(_wrongStatus(BountyStatus.Running, BountyStatus.Funding));
        bounty.start();
    }

    function test_close_whileItIsFundedOrRuns_reverts() public {
        vm.expectRevert(abi.encodeWithSelector(TrainingBounty.FundingOpen.selector, FUND_UNTIL));
        bounty.close();
        _start();
        vm.expectRevert(abi.encodeWithSelector(TrainingBounty.StillRunning.selector, TrainingStatus.Requested));
        bounty.close();
        _openAndReveal();
        vm.expectRevert(abi.encodeWithSelector(TrainingBounty.StillRunning.selector, TrainingStatus.Revealed));
        bounty.close();
    }

    function test_close_twice_reverts() public {
        _end(TrainingStatus.Missed, 0, 0);
        vm.expectRevert(_wrongStatus(BountyStatus.Closed, BountyStatus.Running));
        bounty.close();
    }

    function test_share_beforeTheClose_orOfNothing_orTwice_reverts() public {
        _start();
        vm.expectRevert(_wrongStatus(BountyStatus.Running, BountyStatus.Closed));
        bounty.share(0);
        trainings.end(bounty.trainingId(), TrainingStatus.Missed, address(0), 0, 0);
        bounty.close();
        bounty.share(0);
        vm.expectRevert(abi.encodeWithSelector(TrainingBounty.NoContribution.selector, 0));
        bounty.share(0);
        vm.expectRevert(abi.encodeWithSelector(TrainingBounty.NoContribution.selector, 3));
        bounty.share(3);
        assertEq(bank.balanceOf(alice), 1 ether);
    }

    function test_wish_unlessFinal_reverts() public {
        vm.expectRevert(abi.encodeWithSelector(TrainingBounty.NotFinal.selector, Certainty.None));
        _wishFor(_inputs(1));
        _start();
        trainings.make(bounty.trainingId(), 1, winner, model, Certainty.Provisional);
        vm.expectRevert(abi.encodeWithSelector(TrainingBounty.NotFinal.selector, Certainty.Provisional));
        _wishFor(_inputs(1));
    }

    // Money in.

    function test_fund_beyondTheGoal_goesIntoThePayersAccount() public {
        _contribute(alice, 1 ether);
        _contribute(bob, GOAL);
        assertEq(bounty.raisedWei(), GOAL);
        assertEq(bank.balanceOf(bob), 1 ether);
        Contribution memory paid = bounty.contribution(1);
        assertTrue(paid.funder == bob && paid.startWei == 1 ether && paid.amountWei == GOAL - 1 ether, "the missing part");
    }

    function test_start_asksInItsOwnName_andKeepsTheRequest() public {
        _start();
        TrainingId id = bounty.trainingId();
        assertEq(TrainingId.unwrap(trainings.trainingIdOf(bounty.training())), TrainingId.unwrap(id));
        assertEq(bank.escrowOf(address(trainings)), GOAL);
        assertEq(address(bounty).balance, PLEDGE);
    }

    function test_openAndReveal_goThroughTheBounty() public {
        _start();
        _openAndReveal();
        assertEq(trainings.stateOf(bounty.trainingId()).poolKey, POOL_KEY);
    }

    // Money back.

    function test_close_neverStarted_paysEverybodyBack() public {
        _contribute(alice, 1 ether);
        _contribute(bob, 3);
        vm.warp(FUND_UNTIL);
        bounty.close();
        _shares(1 ether, 3);
        assertEq(bank.balanceOf(keeper), PLEDGE);
        (, Certainty certainty) = bounty.model();
        assertTrue(certainty == Certainty.None, "no model");
    }

    function test_close_notOpened_thePledgeMakesEverybodyWhole() public {
        _end(TrainingStatus.Cancelled, 0, PLEDGE);
        _allWhole();
        assertEq(bank.balanceOf(keeper), 0);
    }

    function test_close_notRevealed_thePledgeMakesEverybodyWhole() public {
        _end(TrainingStatus.Unscored, PLEDGE, 0);
        _allWhole();
        assertEq(bank.balanceOf(keeper), 0);
    }

    function test_close_missedOrNobodyCame_allComesBack_thePledgeToo() public {
        uint256 before = vm.snapshotState();
        TrainingStatus[2] memory ends = [TrainingStatus.Missed, TrainingStatus.Cancelled];
        for (uint256 i = 0; i < 2; ++i) {
            _end(ends[i], 0, 0);
            _allWhole();
            assertEq(bank.balanceOf(keeper), PLEDGE);
            vm.revertToState(before);
        }
    }

    function test_close_trained_sharesTheRestOfTheBonus() public {
        _end(TrainingStatus.Trained, TRAINING_FEE + BONUS / 4 + 1, 0);
        uint256 rest = BONUS - BONUS / 4 - 1;
        assertEq(bounty.potWei(), rest);
        assertEq(_shareAll(), rest);
        assertEq(bank.balanceOf(keeper), PLEDGE);
        assertEq(bank.balanceOf(winner), GOAL - rest);
        assertEq(address(bounty).balance, 0);
    }

    /// @dev A gift to the bounty's account stands in for the pledge; wei that are forced in belong to nobody.
    function test_close_giftsTakeFromNobody() public {
        _start();
        vm.deal(address(this), 1 ether);
        bank.deposit{value: 0.3 ether}(address(bounty));
        vm.deal(address(bounty), address(bounty).balance + 0.5 ether);
        trainings.end(bounty.trainingId(), TrainingStatus.Cancelled, address(0), 0, PLEDGE);
        bounty.close();
        assertEq(_shareAll(), GOAL);
        assertEq(bank.balanceOf(keeper), 0.3 ether);
        assertEq(address(bounty).balance, 0.5 ether);
    }

    /// @dev Whatever was paid in by whom and whatever comes back: shares are what proportion says to within a wei, and all of
    /// them are the pot.
    function testFuzz_share_allSharesAreThePot(uint256[6] memory amounts, uint256 backWei) public {
        for (uint256 i = 0; i < 6 && bounty.raisedWei() < GOAL; ++i) {
            _contribute(i % 2 == 0 ? alice : bob, bound(amounts[i], 1, GOAL / 2));
        }
        if (bounty.raisedWei() < GOAL) _contribute(carol, GOAL);
        vm.prank(keeper);
        TrainingId id = bounty.start();
        backWei = bound(backWei, 0, BONUS);
        trainings.end(id, TrainingStatus.Trained, winner, GOAL - backWei, 0);
        bounty.close();
        uint256 total = 0;
        for (uint256 i = 0; _exists(i); ++i) {
            uint256 paidWei = bounty.contribution(i).amountWei;
            uint256 gotWei = bounty.share(i);
            total += gotWei;
            assertLe(gotWei * GOAL, paidWei * backWei + GOAL);
            assertLe(paidWei * backWei, (gotWei + 1) * GOAL);
        }
        assertEq(total, backWei);
        assertEq(address(bounty).balance, 0);
    }

    function test_share_ofAContractThatRefusesOrReenters_isInItsAccount_once() public {
        ReenteringFunder funder = new ReenteringFunder(bounty, bank);
        vm.deal(address(funder), 1 ether);
        funder.fund();
        _contributeAll();
        vm.prank(keeper);
        TrainingId id = bounty.start();
        trainings.end(id, TrainingStatus.Missed, address(0), 0, 0);
        bounty.close();
        vm.prank(thief);
        bounty.share(0);
        assertEq(bank.balanceOf(address(funder)), 1 ether);
        funder.withdraw();
        assertEq(funder.refusal(), abi.encodeWithSelector(TrainingBounty.NoContribution.selector, 0));
        assertEq(address(funder).balance, 1 ether);
    }

    // The network.

    function test_wish_final_isWhatInboxTakes_fromWhoeverPays() public {
        _end(TrainingStatus.Trained, GOAL, 0);
        trainings.make(bounty.trainingId(), 1, winner, model, Certainty.Final);
        (ModelId trained, Certainty certainty) = bounty.model();
        assertTrue(trained == model && certainty == Certainty.Final, "the trained network");
        Wish memory wish = _wishFor(_inputs(1));
        wish.tipWei = TIP;
        vm.prank(carol);
        (RequestId id,) = inbox.request{value: FEE + TIP}(wish);
        assertTrue(RequestId.unwrap(id) != 0 && inbox.nonceOf(carol) == 1, "Carol is the requester");
    }

    function _bounty(TrainingTerms memory terms) private returns (TrainingBounty) {
        ITrainings asked = ITrainings(address(trainings));
        vm.deal(address(this), PLEDGE);
        return new TrainingBounty{value: PLEDGE}(asked, bank, keeper, Instant.wrap(FUND_UNTIL), terms);
    }

    function _contribute(address funder, uint256 amountWei) private {
        vm.prank(funder);
        bounty.fund{value: amountWei}();
    }

    /// @dev One ether, then all that is missing but an ether and a wei, then those.
    function _contributeAll() private {
        _contribute(alice, 1 ether);
        _contribute(bob, GOAL - bounty.raisedWei() - 1 ether - 1);
        _contribute(carol, 1 ether + 1);
    }

    function _start() private {
        _contributeAll();
        vm.prank(keeper);
        bounty.start();
    }

    function _openAndReveal() private {
        Training memory training = bounty.training();
        vm.startPrank(keeper);
        trainings.open(training, new OpenedItem[](2));
        trainings.reveal(training, POOL_KEY);
        vm.stopPrank();
    }

    function _end(TrainingStatus status, uint256 paidWei, uint256 burnedWei) private {
        _start();
        trainings.end(bounty.trainingId(), status, winner, paidWei, burnedWei);
        bounty.close();
    }

    function _allWhole() private {
        _shares(1 ether, GOAL - 2 ether - 1);
        assertEq(bounty.share(2), 1 ether + 1);
        assertEq(bank.balanceOf(carol), 1 ether + 1);
        assertEq(address(bounty).balance, 0);
    }

    function _shares(uint256 first, uint256 second) private {
        assertEq(bounty.share(0), first);
        assertEq(bounty.share(1), second);
        assertEq(bank.balanceOf(alice), first);
        assertEq(bank.balanceOf(bob), second);
    }

    function _shareAll() private returns (uint256 total) {
        for (uint256 i = 0; _exists(i); ++i) {
            total += bounty.share(i);
        }
    }

    function _exists(uint256 number) private view returns (bool) {
        try bounty.contribution(number) returns (Contribution memory) {
            return true;
        } catch {
            return false;
        }
    }

    function _wishFor(bytes memory inputs) private view returns (Wish memory) {
        return bounty.wish(inputs, FEE, Instant.wrap(START + 1 hours), CONSUMER, 200_000);
    }

    function _wrongStatus(BountyStatus received, BountyStatus expected) private pure returns (bytes memory) {
        return abi.encodeWithSelector(TrainingBounty.WrongStatus.selector, received, expected);
    }

    function _notTheKeeper(address received) private pure returns (bytes memory) {
        return abi.encodeWithSelector(TrainingBounty.NotThePoolKeeper.selector, received, keeper);
    }

    function _trainingTerms() private view returns (TrainingTerms memory terms) {
        (terms.architecture, terms.scorer) = (model, model);
        (terms.poolCount, terms.openCount) = (8, 2);
        (terms.feeWei, terms.bonusWei, terms.unscoredShare) = (TRAINING_FEE, BONUS, 1_000);
    }
}

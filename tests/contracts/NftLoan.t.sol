// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {InboxFixture} from "./mocks/InboxFixture.sol";
import {Models} from "./mocks/Models.sol";
import {Loan, LoanStatus, LoanTerms, NftLoan, System} from "../../contracts/examples/NftLoan.sol";
import {PixelNft} from "../../contracts/examples/PixelNft.sol";
import {Certainty} from "../../contracts/interfaces/IClaimChain.sol";
import {IInbox, PostTerms, Request, RequestBatch} from "../../contracts/interfaces/IInbox.sol";
import {IModelRegistry, Model} from "../../contracts/interfaces/IModelRegistry.sol";
import {ClaimId, RequestId} from "../../contracts/types/Ids.sol";
import {F32, I64} from "../../contracts/types/Roots.sol";
import {Duration} from "../../contracts/types/Time.sol";

/// @notice Alice borrows, Bob lends, the mocked ClaimChain announces. A seven is worth 3 ether, a one 1 ether.
contract NftLoanTest is InboxFixture {
    uint96 private constant DUE = FEE + TIP;
    uint32 private constant HALF = 0x3f000000;
    uint32 private constant TWO = 0x40000000;
    uint32 private constant CALLBACK_GAS = 150_000;
    uint32 private constant TERM = 7 days;
    ClaimId private constant CLAIM = ClaimId.wrap(bytes32(uint256(0xC1A1)));

    /// @dev forge prints events of this shape at -vv.
    event log_named_uint(string name, uint256 value);

    NftLoan private office;
    PixelNft private nft;
    uint256 private token;

    function setUp() public override {
        super.setUp();
        model = models.register(Models.digits());
        nft = new PixelNft();
        office = new NftLoan(_system(), _loanTerms());
        vm.prank(bob);
        office.joinPool{value: 10 ether}();
        token = nft.mint(alice, new bytes(256));
        vm.prank(alice);
        nft.approve(address(office), token);
    }

    // Refusals.

    function test_constructor_marginBelowTwiceTheBand_reverts() public {
        LoanTerms memory terms = _loanTerms();
        terms.margin = 0x3b03126e;
        System memory system = _system();
        vm.expectRevert(abi.encodeWithSelector(NftLoan.MarginTooSmall.selector, 0x3b03126e, 0x3a83126f));
        new NftLoan(system, terms);
        terms.margin = 0x7f800000;
        vm.expectRevert(abi.encodeWithSelector(NftLoan.MarginTooSmall.selector, 0x7f800000, 0x3a83126f));
        new NftLoan(system, terms);
        terms.margin = 0x3b03126f;
        new NftLoan(system, terms);
    }

    function test_constructor_modelWithoutTenLogits_reverts() public {
        Model memory wide = Models.digits();
        wide.outputHeader = Models.header(F32, 1, 11);
        Model memory labels = Models.digits();
        labels.outputHeader = Models.header(I64, 1, 10);
        LoanTerms memory terms = _loanTerms();
        System memory system = _system();
        terms.model = models.register(wide);
        vm.expectRevert(abi.encodeWithSelector(NftLoan.WrongModel.selector, terms.model));
        new NftLoan(system, terms);
        terms.model = models.register(labels);
        vm.expectRevert(abi.encodeWithSelector(NftLoan.WrongModel.selector, terms.model));
        new NftLoan(system, terms);
    }

    function test_mint_wrongLength_reverts() public {
        vm.expectRevert(abi.encodeWithSelector(PixelNft.WrongPictureLength.selector, 255, 256));
        nft.mint(alice, new bytes(255));
    }

    function test_requestLoan_wrongPayment_leavesTheToken() public {
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IInbox.WrongPayment.selector, DUE - 1, DUE));
        office.requestLoan{value: DUE - 1}(token, 1 ether);
        assertEq(nft.ownerOf(token), alice);
    }

    function test_requestLoan_pictureOutOfRange_reverts() public {
        bytes memory picture = new bytes(256);
        (picture[4], picture[5]) = (0x7f, 0xc0);
        uint256 odd = nft.mint(bob, picture);
        vm.startPrank(bob);
        nft.approve(address(office), odd);
        bytes4 selector = IModelRegistry.InputOutOfRange.selector;
        vm.expectRevert(
            abi.encodeWithSelector(selector, 1, int64(0x7fc00000), int64(0), int64(uint64(Models.ONE)))
        );
        office.requestLoan{value: DUE}(odd, 1 ether);
    }

    function test_onResult_fromAnyoneElse_reverts() public {
        RequestId id = _ask(1 ether);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(NftLoan.NotTheClaimChain.selector, alice, address(claimChain)));
        office.onResult(id, CLAIM, Certainty.Final, 1, _logits(7, TWO, 0));
    }

    function test_onResult_unknownRequest_reverts() public {
        bytes4 selector = NftLoan.WrongStatus.selector;
        vm.prank(address(claimChain));
        vm.expectRevert(abi.encodeWithSelector(selector, LoanStatus.None, LoanStatus.Asked));
        office.onResult(RequestId.wrap(bytes32(uint256(1))), CLAIM, Certainty.Final, 1, _logits(7, TWO, 0));
    }

    function test_onResult_twice_reverts() public {
        RequestId id = _ask(1 ether);
        _announce(id, Certainty.Final, 1, _logits(7, TWO, 0));
        vm.prank(address(claimChain));
        vm.expectRevert(abi.encodeWithSelector(NftLoan.WrongStatus.selector, LoanStatus.Lent, LoanStatus.Asked));
        office.onResult(id, CLAIM, Certainty.Final, 2, _logits(7, TWO, 0));
    }

    function test_onResult_staleSequence_isDropped() public {
        RequestId id = _ask(1 ether);
        _announce(id, Certainty.Refuted, 2, "");
        _announce(id, Certainty.Final, 2, _logits(7, TWO, 0));
        assertEq(uint8(office.loanOf(id).status), uint8(LoanStatus.Asked));
    }

    function test_onResult_undefined_isRefused_andReturnsTheToken() public {
        RequestId id = _ask(1 ether);
        _announce(id, Certainty.Undefined, 1, "");
        assertEq(uint8(office.loanOf(id).status), uint8(LoanStatus.Refused));
        assertEq(nft.ownerOf(office.loanOf(id).tokenId), alice);
    }

    function test_giveUp_beforeARefund_reverts() public {
        RequestId id = _ask(1 ether);
        vm.prank(bob);
        vm.expectRevert(abi.encodeWithSelector(NftLoan.NotTheBorrower.selector, bob, alice));
        office.giveUp(id, bob);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(NftLoan.NotRefunded.selector, id));
        office.giveUp(id, alice);
    }

    function test_repay_wrongPayment_reverts() public {
        RequestId id = _lend();
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(NftLoan.WrongPayment.selector, 1 ether, 1.05 ether));
        office.repay{value: 1 ether}(id);
    }

    function test_repay_whatWasNotLent_reverts() public {
        RequestId id = _ask(1 ether);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(NftLoan.WrongStatus.selector, LoanStatus.Asked, LoanStatus.Lent));
        office.repay{value: 1.05 ether}(id);
    }

    function test_liquidate_beforeTheTerm_reverts() public {
        RequestId id = _lend();
        vm.warp(START + TERM - 1);
        vm.prank(bob);
        vm.expectRevert(abi.encodeWithSelector(NftLoan.NotDue.selector, START + TERM));
        office.liquidate{value: 1.05 ether}(id);
    }

    function test_leavePool_moreThanHeld_orLentOut_reverts() public {
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(NftLoan.NotEnoughShares.selector, 1, 0));
        office.leavePool(1);
        _lend();
        vm.prank(bob);
        vm.expectRevert(abi.encodeWithSelector(NftLoan.LentOut.selector, 9 ether, 10 ether));
        office.leavePool(10 ether);
    }

    // Answers.

    function test_onResult_final_paysTheLoanThroughTheVault() public {
        RequestId id = _ask(3 ether);
        assertEq(nft.ownerOf(token), address(office));
        _announce(id, Certainty.Final, 1, _logits(7, TWO, 0));
        assertEq(vault.balanceOf(alice), 3 ether);
        assertEq(office.lentWei(), 3 ether);
        assertEq(office.poolWei(), 10 ether);
        Loan memory loan = office.loanOf(id);
        assertTrue(loan.status == LoanStatus.Lent && loan.borrower == alice && loan.tokenId == token, "hers");
        vm.prank(alice);
        vault.withdraw(alice, 3 ether);
    }

    function test_onResult_refusals_returnTheToken() public {
        _refuses(3 ether + 1, _logits(7, TWO, 0)); // worth 3 ether
        _refuses(1 ether, _logits(0, TWO, 0)); // worth nothing
        _refuses(1 ether, _logits(7, 0x3effffff, 0)); // leads by less than a half
        _refuses(1 ether, _logits(7, TWO, TWO)); // a tie
        _refuses(1 ether, _logits(7, 0x7fc00000, 0)); // NaN
        _refuses(1 ether, _logits(7, TWO, 0xff800000)); // -Inf
    }

    function test_onResult_poolTooSmall_refuses() public {
        vm.prank(bob);
        office.leavePool(9.5 ether);
        _refuses(1 ether, _logits(7, TWO, 0));
    }

    function test_onResult_refuted_waitsForTheNextClaim() public {
        RequestId id = _ask(1 ether);
        vm.expectEmit(true, true, false, true, address(office));
        emit NftLoan.AnswerFell(id, CLAIM);
        _announce(id, Certainty.Refuted, 1, "");
        assertEq(nft.ownerOf(token), address(office));
        assertEq(vault.balanceOf(alice), 0);
        _announce(id, Certainty.Final, 2, _logits(1, TWO, 0));
        assertEq(vault.balanceOf(alice), 1 ether);
    }

    function test_readDigit_marginIsInclusiveAndSigned() public view {
        _reads(_logits(7, HALF, 0), 7, true);
        _reads(_logits(7, 0xbf000000, 0xbf800000), 7, true); // -0.5 against -1
        _reads(_logits(0, 0, 0xbf000000), 0, true);
        _reads(_logits(9, 0x80000000, 0), 0, false); // -0 leads nobody
    }

    /// @dev Small whole numbers as f32: their order and differences are known without reading bits.
    function testFuzz_readDigit_findsTheBestOfWholeNumbers(uint256 seed) public view {
        bytes memory output;
        uint256 best = 0;
        uint256 second = 0;
        uint256 digit = 0;
        for (uint256 i = 0; i < 10; ++i) {
            uint256 logit = 1 + (uint256(keccak256(abi.encode(seed, i))) % 1000);
            output = bytes.concat(output, bytes4(_f32(logit)));
            if (logit > best) (digit, best, second) = (i, logit, best);
            else if (logit > second) second = logit;
        }
        _reads(output, digit, best > second);
    }

    // After the answer.

    function test_repay_returnsTheTokenAndPaysTheLenders() public {
        RequestId id = _lend();
        vm.prank(alice);
        office.repay{value: 1.05 ether}(id);
        assertEq(nft.ownerOf(token), alice);
        assertEq(office.lentWei(), 0);
        vm.prank(bob);
        uint256 amountWei = office.leavePool(10 ether);
        assertEq(vault.balanceOf(bob), amountWei);
        assertTrue(amountWei > 10.049 ether && amountWei <= 10.05 ether, "principal and interest, rounded down");
    }

    function test_liquidate_afterTheTerm_sellsTheTokenForTheDebt() public {
        RequestId id = _lend();
        vm.warp(START + TERM);
        vm.prank(bob);
        office.liquidate{value: 1.05 ether}(id);
        assertEq(nft.ownerOf(token), bob);
        assertEq(office.poolWei(), 10.05 ether);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(NftLoan.WrongStatus.selector, LoanStatus.Liquidated, LoanStatus.Lent));
        office.repay{value: 1.05 ether}(id);
    }

    function test_giveUp_afterARefund_returnsTokenAndMoney() public {
        RequestId id = _ask(1 ether);
        PostTerms memory terms = _terms();
        (terms.callback, terms.callbackGas) = (address(office), CALLBACK_GAS);
        Request memory made = _request(terms, address(office), 0, new bytes(256));
        RequestBatch memory batch = _batch(terms, 0, 0, 1, RequestId.unwrap(id));
        vm.warp(START + 1 hours);
        vm.prank(bob);
        inbox.refund(batch, 0, made, new bytes32[](0));
        address elsewhere = address(0xE15E);
        vm.prank(alice);
        office.giveUp(id, elsewhere);
        assertEq(elsewhere.balance, DUE);
        assertEq(nft.ownerOf(token), alice);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(NftLoan.WrongStatus.selector, LoanStatus.Refunded, LoanStatus.Asked));
        office.giveUp(id, elsewhere);
    }

    function test_pool_donationDoesNotRobTheNextLender() public {
        NftLoan fresh = new NftLoan(_system(), _loanTerms());
        vm.prank(alice);
        fresh.joinPool{value: 1}();
        vm.deal(address(fresh), 1 ether + 1);
        vm.startPrank(bob);
        uint256 shares = fresh.joinPool{value: 10 ether}();
        assertTrue(fresh.leavePool(shares) > 9.4 ether, "the attacker's donation is spread, most of the deposit comes back");
    }

    function test_onResult_gas_isWithinItsLimit() public {
        RequestId id = _ask(1 ether);
        vm.cool(address(office));
        vm.cool(address(vault));
        vm.cool(address(nft));
        bytes memory data = abi.encodeCall(NftLoan.onResult, (id, CLAIM, Certainty.Final, 1, _logits(7, TWO, 0)));
        vm.prank(address(claimChain));
        uint256 before = gasleft();
        (bool success,) = address(office).call{gas: CALLBACK_GAS}(data);
        emit log_named_uint("NftLoan.onResult that pays out, gas", before - gasleft());
        assertTrue(success && office.lentWei() == 1 ether, "paid within the gas it asked for");
    }

    function _refuses(uint96 amountWei, bytes memory output) private {
        RequestId id = _ask(amountWei);
        _announce(id, Certainty.Final, 1, output);
        assertEq(uint8(office.loanOf(id).status), uint8(LoanStatus.Refused));
        assertEq(nft.ownerOf(token), alice);
        assertEq(vault.balanceOf(alice), 0);
        vm.prank(alice);
        nft.approve(address(office), token);
    }

    function _reads(bytes memory output, uint256 digit, bool sure) private view {
        (uint256 read, bool certain) = office.readDigit(output);
        assertTrue(certain == sure, "sureness");
        if (sure) assertEq(read, digit);
    }

    function _ask(uint96 amountWei) private returns (RequestId) {
        vm.prank(alice);
        return office.requestLoan{value: DUE}(token, amountWei);
    }

    function _lend() private returns (RequestId id) {
        id = _ask(1 ether);
        _announce(id, Certainty.Final, 1, _logits(7, TWO, 0));
    }

    function _announce(RequestId id, Certainty certainty, uint64 sequence, bytes memory output) private {
        vm.prank(address(claimChain));
        office.onResult(id, CLAIM, certainty, sequence, output);
    }

    /// @dev `best` for one digit, `other` for all others, f32 bits.
    function _logits(uint256 digit, uint32 best, uint32 other) private pure returns (bytes memory output) {
        for (uint256 i = 0; i < 10; ++i) {
            output = bytes.concat(output, bytes4(i == digit ? best : other));
        }
    }

    /// @dev f32 bits of a whole number below 1,024.
    function _f32(uint256 whole) private pure returns (uint32) {
        uint256 log = 0;
        while (whole >> (log + 1) != 0) ++log;
        return uint32(((log + 127) << 23) | ((whole << (23 - log)) & 0x7fffff));
    }

    function _system() private view returns (System memory) {
        return System({inbox: inbox, claimChain: address(claimChain), vault: vault, models: models, nft: nft});
    }

    function _loanTerms() private view returns (LoanTerms memory terms) {
        terms.model = model;
        (terms.feeWei, terms.tipWei, terms.minBondWei) = (FEE, TIP, 1e16);
        (terms.answerWithin, terms.term) = (Duration.wrap(1 hours), Duration.wrap(TERM));
        (terms.callbackGas, terms.interestBps, terms.margin) = (CALLBACK_GAS, 500, HALF);
        (terms.priceWei[1], terms.priceWei[7]) = (1 ether, 3 ether);
    }
}

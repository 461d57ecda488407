// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {PixelNft} from "./PixelNft.sol";
import {Certainty} from "../interfaces/IClaimChain.sol";
import {IConsumer} from "../interfaces/IConsumer.sol";
import {IInbox, Wish} from "../interfaces/IInbox.sol";
import {IModelRegistry, Model} from "../interfaces/IModelRegistry.sol";
import {IVault} from "../interfaces/IVault.sol";
import {ClaimId, ModelId, RequestId} from "../types/Ids.sol";
import {BundleRoot, F32} from "../types/Roots.sol";
import {Duration, Instant, currentInstant} from "../types/Time.sol";

/// @notice What a loan office is built on; none of it can change.
struct System {
    IInbox inbox;
    address claimChain;
    IVault vault;
    IModelRegistry models;
    PixelNft nft;
}

/// @notice How the office asks and lends.
/// @param model ten f32 logits, one for each digit, from a picture's 64 pixels
/// @param answerWithin from the question to its deadline, seconds
/// @param callbackGas for `onResult`: 150,000 are enough
/// @param term from the payout to liquidation, seconds
/// @param interestBps flat, in 1/10,000 of the amount
/// @param margin by which the best logit must lead, f32 bits: at least twice the model's output band
/// @param priceWei what a picture of each digit is worth
struct LoanTerms {
    ModelId model;
    uint96 feeWei;
    uint96 tipWei;
    uint96 minBondWei;
    Duration answerWithin;
    uint32 callbackGas;
    Duration term;
    uint16 interestBps;
    uint32 margin;
    uint96[10] priceWei;
}

enum LoanStatus {
    None,
    Asked,
    Lent,
    Refused,
    Refunded,
    Repaid,
    Liquidated
}

/// @param sequence of the last announcement heard
/// @param until liquidation is possible from then on; zero before the payout
struct Loan {
    LoanStatus status;
    address borrower;
    uint64 sequence;
    uint96 amountWei;
    Instant until;
    uint256 tokenId;
}

/// @title NftLoan
/// @notice Lends wei against an NFT by a neural network's appraisal of its picture. The answer comes by callback, and only
/// a final one counts. Lenders own the pool by shares; nobody has power over it.
/// @dev What a contract that asks must mind, all of it shown here:
/// - Only ClaimChain may announce, and an announcement with an old sequence number is dropped.
/// - `Refuted` says that a liar fell: the question stays open, so nothing happens until another claim is final.
/// - An output is exact only to within the model's band: each of the two logits compared may be off by it. Hence the
///   margin; a closer call is no answer.
/// - The callback has a fixed amount of gas and must not depend on strangers: the borrower is paid through the Vault, the
///   token returned by `transferFrom`, which calls nobody.
/// - A question may stay without an answer: after Inbox has refunded it, `giveUp` returns token and money.
contract NftLoan is IConsumer {
    uint256 private constant DIGITS = 10;
    uint256 private constant LOGIT_BYTES = 4;
    /// @dev Largest exponent field taken: values below 2^88, below 2^237 in units of 2^-149.
    uint256 private constant MAX_EXPONENT = 214;

    IInbox public immutable INBOX;
    address public immutable CLAIM_CHAIN;
    IVault public immutable VAULT;
    PixelNft public immutable NFT;

    LoanTerms private _terms;
    mapping(RequestId id => Loan) private _loans;
    mapping(address lender => uint256) public sharesOf;
    uint256 public totalShares;
    /// @notice Principal of all running loans, wei.
    uint256 public lentWei;

    event LoanAsked(RequestId indexed id, address indexed borrower, uint256 indexed tokenId, uint96 amountWei);
    event AnswerFell(RequestId indexed id, ClaimId indexed claim);
    event LoanPaid(RequestId indexed id, uint256 digit, uint96 amountWei, Instant until);
    /// @param sure whether the best logit led by the margin; `digit` means nothing otherwise
    event LoanRefused(RequestId indexed id, uint256 digit, bool sure);
    event LoanClosed(RequestId indexed id, LoanStatus status, address indexed tokenTo, uint256 paidWei);
    event PoolJoined(address indexed lender, uint256 amountWei, uint256 shares);
    event PoolLeft(address indexed lender, uint256 amountWei, uint256 shares);

    error NotTheClaimChain(address received, address expected);
    error NotTheBorrower(address received, address expected);
    error WrongStatus(LoanStatus received, LoanStatus expected);
    error WrongPayment(uint256 receivedWei, uint256 expectedWei);
    error WrongModel(ModelId received);
    error MarginTooSmall(uint32 received, uint32 outputBand);
    error NotRefunded(RequestId received);
    error NotDue(Instant until);
    error NotEnoughShares(uint256 received, uint256 held);
    error LentOut(uint256 availableWei, uint256 requiredWei);

    constructor(System memory system, LoanTerms memory loanTerms) {
        Model memory model = system.models.model(loanTerms.model);
        bool readable = model.outputHeader.dtype() == F32 && model.outputHeader.elements() == DIGITS;
        if (!readable) revert WrongModel(loanTerms.model);
        (bool finite, int256 margin) = _fixed(loanTerms.margin);
        (bool narrow, int256 band) = _fixed(model.outputBand);
        if (!finite || !narrow || margin < 2 * band) revert MarginTooSmall(loanTerms.margin, model.outputBand);
        (INBOX, CLAIM_CHAIN, VAULT, NFT) = (system.inbox, system.claimChain, system.vault, system.nft);
        _terms = loanTerms;
    }

    /// @notice Takes the caller's token as a pledge and asks what it is worth. `msg.value` is the question's fee and tip.
    /// The loan of `amountWei` is paid into the caller's Vault account if the answer covers it.
    function requestLoan(uint256 tokenId, uint96 amountWei) external payable returns (RequestId id) {
        NFT.transferFrom(msg.sender, address(this), tokenId);
        (id,) = INBOX.request{value: msg.value}(_wish(tokenId));
        Loan storage loan = _loans[id];
        (loan.status, loan.borrower, loan.amountWei) = (LoanStatus.Asked, msg.sender, amountWei);
        loan.tokenId = tokenId;
        emit LoanAsked(id, msg.sender, tokenId, amountWei);
    }

    /// @inheritdoc IConsumer
    function onResult(RequestId id, ClaimId claim, Certainty certainty, uint64 sequence, bytes calldata output) external {
        if (msg.sender != CLAIM_CHAIN) revert NotTheClaimChain(msg.sender, CLAIM_CHAIN);
        Loan storage loan = _loans[id];
        _requireStatus(loan, LoanStatus.Asked);
        if (sequence <= loan.sequence) return;
        loan.sequence = sequence;
        if (certainty == Certainty.Refuted) emit AnswerFell(id, claim);
        if (certainty == Certainty.Final) _decide(id, loan, output);
        // A picture that overflows the model is worth nothing.
        if (certainty == Certainty.Undefined) _refuse(id, loan, 0, false);
    }

    /// @notice Borrower only: takes the token back, and fee and tip to `to`, after Inbox has refunded the question.
    function giveUp(RequestId id, address to) external {
        Loan storage loan = _loans[id];
        _requireStatus(loan, LoanStatus.Asked);
        if (msg.sender != loan.borrower) revert NotTheBorrower(msg.sender, loan.borrower);
        if (!INBOX.isRefunded(id)) revert NotRefunded(id);
        uint256 refundWei = uint256(_terms.feeWei) + _terms.tipWei;
        _close(id, loan, LoanStatus.Refunded, loan.borrower, refundWei);
        VAULT.withdraw(to, refundWei);
    }

    /// @notice Pays a loan back with interest; the token returns to its borrower, whoever pays. Possible until the loan is
    /// liquidated.
    function repay(RequestId id) external payable {
        Loan storage loan = _loans[id];
        _collect(loan);
        _close(id, loan, LoanStatus.Repaid, loan.borrower, msg.value);
    }

    /// @notice After the term: pays the debt in the borrower's place and takes the token.
    function liquidate(RequestId id) external payable {
        Loan storage loan = _loans[id];
        _collect(loan);
        if (currentInstant().isBefore(loan.until)) revert NotDue(loan.until);
        _close(id, loan, LoanStatus.Liquidated, msg.sender, msg.value);
    }

    /// @notice Adds `msg.value` to the pool, for shares of it. Interest goes to whoever holds shares when it is paid.
    /// @dev A virtual share and wei keep the first lender from making shares so dear that the next one's round to zero.
    function joinPool() external payable returns (uint256 shares) {
        uint256 before = poolWei() - msg.value;
        shares = msg.value * (totalShares + 1) / (before + 1);
        totalShares += shares;
        sharesOf[msg.sender] += shares;
        emit PoolJoined(msg.sender, msg.value, shares);
    }

    /// @notice Gives shares back for their part of the pool, as far as it is not lent out; paid into the Vault.
    function leavePool(uint256 shares) external returns (uint256 amountWei) {
        uint256 held = sharesOf[msg.sender];
        if (shares > held) revert NotEnoughShares(shares, held);
        amountWei = shares * (poolWei() + 1) / (totalShares + 1);
        if (amountWei > address(this).balance) revert LentOut(address(this).balance, amountWei);
        sharesOf[msg.sender] = held - shares;
        totalShares -= shares;
        emit PoolLeft(msg.sender, amountWei, shares);
        VAULT.deposit{value: amountWei}(msg.sender);
    }

    /// @notice What the shares share: wei here and principal lent out.
    function poolWei() public view returns (uint256) {
        return address(this).balance + lentWei;
    }

    function loanOf(RequestId id) external view returns (Loan memory) {
        return _loans[id];
    }

    function terms() external view returns (LoanTerms memory) {
        return _terms;
    }

    /// @notice `amountWei` with interest, wei.
    function debtOf(uint96 amountWei) public view returns (uint256) {
        return amountWei + uint256(amountWei) * _terms.interestBps / 10_000;
    }

    /// @notice The digit with the largest logit, and whether it leads every other by the margin. A logit that is NaN,
    /// infinite or as large as 2^88 is no answer.
    /// @param output ten canonical f32
    function readDigit(bytes calldata output) public view returns (uint256 digit, bool sure) {
        int256 best = type(int256).min;
        int256 second = type(int256).min;
        for (uint256 i = 0; i < DIGITS; ++i) {
            uint256 start = i * LOGIT_BYTES;
            (bool finite, int256 logit) = _fixed(uint32(bytes4(output[start:start + LOGIT_BYTES])));
            if (!finite) return (0, false);
            if (logit > best) (digit, best, second) = (i, logit, best);
            else if (logit > second) second = logit;
        }
        (, int256 margin) = _fixed(_terms.margin);
        sure = best - second >= margin;
    }

    function _decide(RequestId id, Loan storage loan, bytes calldata output) private {
        (uint256 digit, bool sure) = readDigit(output);
        uint96 amountWei = loan.amountWei;
        if (!sure || _terms.priceWei[digit] < amountWei || address(this).balance < amountWei) {
            return _refuse(id, loan, digit, sure);
        }
        loan.status = LoanStatus.Lent;
        loan.until = currentInstant().afterwards(_terms.term);
        lentWei += amountWei;
        emit LoanPaid(id, digit, amountWei, loan.until);
        VAULT.deposit{value: amountWei}(loan.borrower);
    }

    function _refuse(RequestId id, Loan storage loan, uint256 digit, bool sure) private {
        loan.status = LoanStatus.Refused;
        emit LoanRefused(id, digit, sure);
        NFT.transferFrom(address(this), loan.borrower, loan.tokenId);
    }

    /// @dev `msg.value` is already part of the balance; the principal leaves the books.
    function _collect(Loan storage loan) private {
        _requireStatus(loan, LoanStatus.Lent);
        uint256 debtWei = debtOf(loan.amountWei);
        if (msg.value != debtWei) revert WrongPayment(msg.value, debtWei);
        lentWei -= loan.amountWei;
    }

    function _close(RequestId id, Loan storage loan, LoanStatus status, address tokenTo, uint256 paidWei) private {
        loan.status = status;
        emit LoanClosed(id, status, tokenTo, paidWei);
        NFT.transferFrom(address(this), tokenTo, loan.tokenId);
    }

    function _requireStatus(Loan storage loan, LoanStatus expected) private view {
        if (loan.status != expected) revert WrongStatus(loan.status, expected);
    }

    function _wish(uint256 tokenId) private view returns (Wish memory) {
        return Wish({
            model: _terms.model,
            inputs: NFT.pictureOf(tokenId),
            inputsRoot: BundleRoot.wrap(0),
            feeWei: _terms.feeWei,
            tipWei: _terms.tipWei,
            minBondWei: _terms.minBondWei,
            deadline: currentInstant().afterwards(_terms.answerWithin),
            callback: address(this),
            callbackGas: _terms.callbackGas
        });
    }

    /// @dev A f32 as a whole number of 2^-149, which every finite one is; not finite here if its exponent is too large.
    function _fixed(uint32 bits) private pure returns (bool finite, int256 value) {
        uint256 exponent = (bits >> 23) & 0xff;
        if (exponent > MAX_EXPONENT) return (false, 0);
        uint256 fraction = bits & 0x7fffff;
        uint256 magnitude = exponent == 0 ? fraction : (fraction | 1 << 23) << (exponent - 1);
        return (true, bits >> 31 == 0 ? int256(magnitude) : -int256(magnitude));
    }
}

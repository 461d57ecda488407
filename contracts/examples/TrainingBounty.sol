// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certainty} from "../interfaces/IContestable.sol";
import {Wish} from "../interfaces/IInbox.sol";
import {ITrainings, Training, TrainingId, TrainingStatus, TrainingTerms} from "../interfaces/ITrainings.sol";
import {IVault} from "../interfaces/IVault.sol";
import {ModelId} from "../types/Ids.sol";
import {BundleRoot} from "../types/Roots.sol";
import {Instant, currentInstant} from "../types/Time.sol";

/// @notice Funding: contributions are taken, until the training is asked for or `fundUntil`. Running: asked for. Closed: what
/// comes back is known, and shared out.
enum BountyStatus {
    Funding,
    Running,
    Closed
}

/// @notice One payment into the bounty. All of them lie end to end on a line from 0 to what was raised.
/// @param startWei what was raised before it
struct Contribution {
    address funder;
    uint128 startWei;
    uint128 amountWei;
}

/// @title TrainingBounty
/// @notice Many pay together for one network that reaches a threshold on data that nobody who trains has seen. The bounty is
/// the training's requester; what comes back of the money goes to those who paid, to the wei.
/// @dev What a contract that has networks trained must mind, all of it shown here:
/// - Fees come back into the requester's Vault account, and how much is not in the training's state. So the account's whole
///   balance is shared out, once: wei that strangers add only make it more.
/// - The share of contribution `a..b` of `raised` is `pot * b / raised - pot * a / raised`, each rounded down: the shares of
///   all contributions are the whole pot, with nothing left over and no last one who finds too little.
/// - Somebody must know the pool's key: the *keeper of the pool*, fixed here. It opens and reveals to Trainings itself, as
///   whoever has the key may (`anh training serve --requester` with this contract's address). It has no power over funds:
///   if it does not open or does not reveal, or spoils the pool, the part of the fee that is burned or paid away then comes
///   back from its pledge, which is exactly that part. Nobody else loses by its silence.
/// - The keeper alone may start, since it must be there to open within 256 blocks. If it never does, all is paid back.
/// - Until the training is settled there is no model, and one whose certainty is not `Final` is asked for nothing.
/// WARNING: the keeper has seen the sealed items. One that gives the key away before commitments close, or trains on them
/// itself, gets a worthless network paid for; that is what contributors trust it for. Terms cannot change once this is
/// deployed: read them, the pool's root and the scorer before you pay.
contract TrainingBounty {
    ITrainings public immutable TRAININGS;
    IVault public immutable VAULT;
    address public immutable POOL_KEEPER;
    /// @notice Contributions are taken, and the training may be started, before this.
    Instant public immutable FUND_UNTIL;
    /// @notice Fee and bonus of the training, wei.
    uint256 public immutable GOAL_WEI;
    /// @notice What the keeper of the pool answers for with wei of its own.
    uint256 public immutable PLEDGE_WEI;

    BountyStatus public status;
    /// @notice Zero before the start.
    TrainingId public trainingId;
    uint256 public raisedWei;
    /// @notice What all contributions share, once Closed.
    uint256 public potWei;

    Training private _training;
    Contribution[] private _contributions;

    event Contributed(uint256 indexed number, address indexed funder, uint256 amountWei, uint256 raisedWei);
    event BountyStarted(TrainingId indexed id);
    /// @param status of the training; None if it was never asked for
    event BountyClosed(TrainingStatus status, uint256 potWei, uint256 pledgeLostWei);
    event ShareTaken(uint256 indexed number, address indexed funder, uint256 amountWei);

    error WrongPledge(uint256 receivedWei, uint256 expectedWei);
    error WrongStatus(BountyStatus received, BountyStatus expected);
    error NotThePoolKeeper(address received, address expected);
    error NotTheVault(address received, address expected);
    error FundingOver(Instant until);
    error FundingOpen(Instant until);
    error NothingToAdd(uint256 raisedWei);
    error NotFunded(uint256 raisedWei, uint256 goalWei);
    error StillRunning(TrainingStatus received);
    error NoContribution(uint256 number);
    error NotFinal(Certainty received);

    /// @param terms checked by Trainings at the start only: if they cannot be met, all is paid back after `fundUntil`
    /// @dev `msg.value` is the pledge, paid for the keeper by whoever deploys; what is left of it goes to the keeper.
    constructor(ITrainings trainings, IVault vault, address poolKeeper, Instant fundUntil, TrainingTerms memory terms)
        payable
    {
        (TRAININGS, VAULT, POOL_KEEPER, FUND_UNTIL) = (trainings, vault, poolKeeper, fundUntil);
        GOAL_WEI = uint256(terms.feeWei) + terms.bonusWei;
        PLEDGE_WEI = uint256(terms.feeWei) * terms.unscoredShare / 10_000;
        if (msg.value != PLEDGE_WEI) revert WrongPledge(msg.value, PLEDGE_WEI);
        _training.requester = address(this);
        _training.terms = terms;
    }

    /// @dev The Vault pays out here, in `close`; nobody else has a reason to send wei.
    receive() external payable {
        if (msg.sender != address(VAULT)) revert NotTheVault(msg.sender, address(VAULT));
    }

    /// @notice Contributes `msg.value`, or as much of it as the goal still needs: the rest goes into the caller's Vault
    /// account, so nobody can make another's payment fail by a small one of its own. Returns the contribution's number.
    function fund() external payable returns (uint256 number) {
        _requireStatus(BountyStatus.Funding);
        if (!currentInstant().isBefore(FUND_UNTIL)) revert FundingOver(FUND_UNTIL);
        uint256 missingWei = GOAL_WEI - raisedWei;
        uint256 takenWei = msg.value < missingWei ? msg.value : missingWei;
        if (takenWei == 0) revert NothingToAdd(raisedWei);
        number = _contributions.length;
        // The goal is the sum of two numbers of 96 bits.
        _contributions.push(Contribution(msg.sender, uint128(raisedWei), uint128(takenWei)));
        raisedWei += takenWei;
        emit Contributed(number, msg.sender, takenWei, raisedWei);
        if (msg.value > takenWei) VAULT.deposit{value: msg.value - takenWei}(msg.sender);
    }

    /// @notice Keeper of the pool only, once the goal is reached and in time: asks for the training. The block after this
    /// one draws the items to open, which must be opened before the chain forgets its hash, 256 blocks later.
    function start() external returns (TrainingId id) {
        if (msg.sender != POOL_KEEPER) revert NotThePoolKeeper(msg.sender, POOL_KEEPER);
        _requireStatus(BountyStatus.Funding);
        if (!currentInstant().isBefore(FUND_UNTIL)) revert FundingOver(FUND_UNTIL);
        if (raisedWei != GOAL_WEI) revert NotFunded(raisedWei, GOAL_WEI);
        status = BountyStatus.Running;
        _training.nonce = TRAININGS.nonceOf(address(this));
        (_training.requestedAt, _training.requestedBlock) = (currentInstant(), uint64(block.number));
        id = TRAININGS.request{value: GOAL_WEI}(_training.terms);
        trainingId = id;
        emit BountyStarted(id);
    }

    /// @notice Fixes what comes back, when the training has been settled, or when it was not started in time. Anyone may.
    function close() external {
        if (status == BountyStatus.Funding) return _closeUnstarted();
        _requireStatus(BountyStatus.Running);
        TrainingStatus end = TRAININGS.stateOf(trainingId).status;
        if (uint8(end) < uint8(TrainingStatus.Cancelled)) revert StillRunning(end);
        uint256 refundedWei = VAULT.balanceOf(address(this));
        uint256 shortWei = end == TrainingStatus.Trained || refundedWei > GOAL_WEI ? 0 : GOAL_WEI - refundedWei;
        // More cannot be missing; should it ever be, the pledge is all there is.
        uint256 lostWei = shortWei < PLEDGE_WEI ? shortWei : PLEDGE_WEI;
        _close(end, refundedWei + lostWei, lostWei);
        VAULT.withdraw(address(this), refundedWei);
        if (PLEDGE_WEI > lostWei) VAULT.deposit{value: PLEDGE_WEI - lostWei}(POOL_KEEPER);
    }

    /// @notice Pays the share of contribution `number` into its funder's Vault account, once. Anyone may.
    function share(uint256 number) external returns (uint256 amountWei) {
        _requireStatus(BountyStatus.Closed);
        if (number >= _contributions.length) revert NoContribution(number);
        Contribution memory paid = _contributions[number];
        if (paid.funder == address(0)) revert NoContribution(number);
        delete _contributions[number];
        uint256 endWei = uint256(paid.startWei) + paid.amountWei;
        amountWei = potWei * endWei / raisedWei - potWei * paid.startWei / raisedWei;
        emit ShareTaken(number, paid.funder, amountWei);
        if (amountWei != 0) VAULT.deposit{value: amountWei}(paid.funder);
    }

    /// @notice The trained network and how sure it is: None while there is none, Provisional while scores stand and nothing
    /// is registered, Final.
    function model() public view returns (ModelId trained, Certainty certainty) {
        if (status == BountyStatus.Funding) return (trained, certainty);
        return TRAININGS.trained(trainingId);
    }

    /// @notice A wish for the trained network's answer to `inputs`, called back at `callback`: to be changed in what the caller
    /// wants otherwise and brought to Inbox by the caller, who then is the requester and gets what is refunded. Reverts
    /// unless the network is `Final`: one that may yet fall is asked for nothing.
    function wish(bytes calldata inputs, uint96 feeWei, Instant deadline, address callback, uint32 callbackGas)
        external
        view
        returns (Wish memory wanted)
    {
        (ModelId trained, Certainty certainty) = model();
        if (certainty != Certainty.Final) revert NotFinal(certainty);
        (wanted.model, wanted.inputs, wanted.inputsRoot) = (trained, inputs, BundleRoot.wrap(0));
        (wanted.feeWei, wanted.deadline) = (feeWei, deadline);
        (wanted.callback, wanted.callbackGas) = (callback, callbackGas);
    }

    /// @notice The request as Trainings knows it; times and nonce are zero before the start.
    function training() external view returns (Training memory) {
        return _training;
    }

    /// @notice A contribution; all zero once its share is taken.
    function contribution(uint256 number) external view returns (Contribution memory) {
        if (number >= _contributions.length) revert NoContribution(number);
        return _contributions[number];
    }

    function _closeUnstarted() private {
        if (currentInstant().isBefore(FUND_UNTIL)) revert FundingOpen(FUND_UNTIL);
        _close(TrainingStatus.None, raisedWei, 0);
        if (PLEDGE_WEI != 0) VAULT.deposit{value: PLEDGE_WEI}(POOL_KEEPER);
    }

    function _close(TrainingStatus end, uint256 pot, uint256 lostWei) private {
        status = BountyStatus.Closed;
        potWei = pot;
        emit BountyClosed(end, pot, lostWei);
    }

    function _requireStatus(BountyStatus expected) private view {
        if (status != expected) revert WrongStatus(status, expected);
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {StepPlace} from "../../contracts/interfaces/ILimitsJudge.sol";
import {IModelRegistry, Model} from "../../contracts/interfaces/IModelRegistry.sol";
import {Wish} from "../../contracts/interfaces/IInbox.sol";
import {IStepJudge} from "../../contracts/interfaces/IStepJudge.sol";
import {ModelId} from "../../contracts/types/Ids.sol";
import {I64} from "../../contracts/types/Roots.sol";
import {Instant} from "../../contracts/types/Time.sol";
import {Operand} from "./mocks/Book.sol";
import {ToyTrace} from "./mocks/ToyTrace.sol";
import {World} from "./mocks/World.sol";

/// @notice Registrants' bonds: returned when a model was retired long enough, lost where a step cannot be judged.
contract StrikesTest is World, ToyTrace {
    address private constant OWNER = address(0x0E);
    uint256 private constant FIRST_OPERANDS_DTYPE = 41;
    uint256 private constant HELD = 30 days + 200 + 100 + 40 + 60 + 2 * 80;

    ModelId private sound;

    function setUp() public override {
        super.setUp();
        vm.deal(OWNER, 10 ether);
        sound = _registered(_model());
    }

    // What is refused.

    function test_register_forTooLittle_reverts() public {
        Model memory model = _model();
        model.minBondGas += 1;
        vm.expectRevert(
            abi.encodeWithSelector(IModelRegistry.RegistrantBondTooLow.selector, REGISTRANT_BOND - 1, REGISTRANT_BOND)
        );
        registry.register{value: REGISTRANT_BOND - 1}(model);
    }

    function test_retire_bySomebodyElse_reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.NotTheRegistrant.selector, address(this), OWNER));
        registry.retire(sound);
    }

    function test_retire_twice_reverts() public {
        _retire(sound);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.ModelClosed.selector, sound));
        vm.prank(OWNER);
        registry.retire(sound);
    }

    function test_returnBond_beforeItsTime_reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.NotRetired.selector, sound));
        registry.returnBond(sound);
        _retire(sound);
        vm.warp(START + HELD - 1);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.BondHeld.selector, START + HELD));
        registry.returnBond(sound);
    }

    function test_request_toAClosedModel_reverts() public {
        _retire(sound);
        Wish memory wish = _wish(sound);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.ModelClosed.selector, sound));
        inbox.request{value: FEE}(wish);
    }

    function test_strike_ofWhatCanBeJudged_reverts() public {
        StepPlace memory place = _place(0, 2);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.Judgeable.selector, 0, 2));
        registry.strike(sound, place);
    }

    function test_strike_ofWhatTheGraphHasNot_reverts() public {
        StepPlace memory place = _place(0, 4);
        vm.expectRevert(abi.encodeWithSelector(IStepJudge.ElementOutOfRange.selector, 4, 4));
        registry.strike(sound, place);
        place = _place(0, 2);
        place.step = 2;
        vm.expectRevert(abi.encodeWithSelector(IStepJudge.StepOutOfRange.selector, 2, 2));
        registry.strike(sound, place);
        (place.step, place.record[36]) = (0, bytes1(uint8(2)));
        vm.expectRevert(abi.encodeWithSelector(IStepJudge.StepNotInGraph.selector, 0));
        registry.strike(sound, place);
    }

    function test_strike_again_reverts() public {
        (ModelId id, StepPlace memory place) = _unsound(_record(4, 0));
        registry.strike(id, place);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.ModelClosed.selector, id));
        registry.strike(id, place);
    }

    // What follows.

    function test_story_retiredModel_givesItsBondBack_whenAllIsOver() public {
        _retire(sound);
        assertTrue(!registry.isOpen(sound), "closed");
        vm.warp(START + HELD);
        registry.returnBond(sound);
        assertEq(vault.balanceOf(OWNER), REGISTRANT_BOND);
        assertEq(vault.escrowOf(address(registry)), 0);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.NoBond.selector, sound));
        registry.returnBond(sound);
    }

    /// @dev A step that reads its own result: nobody could ever prove anything of it.
    function test_story_modelWithAStepThatCannotBeJudged_isStruck() public {
        (ModelId id, StepPlace memory place) = _unsound(_record(4, 0));
        Wish memory wish = _wish(id);
        inbox.request{value: FEE}(wish);
        vm.expectEmit(true, true, false, true, address(registry));
        emit IModelRegistry.Struck(id, SENDER, 0, 0, REGISTRANT_BOND / 2, REGISTRANT_BOND / 2);
        vm.prank(SENDER);
        registry.strike(id, place);

        assertEq(vault.balanceOf(SENDER), 100 ether + REGISTRANT_BOND / 2);
        assertEq(vault.burned(), REGISTRANT_BOND / 2);
        assertEq(vault.escrowOf(address(registry)), REGISTRANT_BOND);
        assertEq(registry.bondOf(id), 0);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.ModelClosed.selector, id));
        inbox.request{value: FEE}(wish);
        // What was asked before can be claimed and disputed as ever.
        assertEq(registry.terms(id).minBondGas, _model().minBondGas);
    }

    function test_strike_ofAMalformedRecord_closes() public {
        _isStruck("");
        bytes memory unknown = _record(4, 1);
        unknown[0] = 0xff;
        _isStruck(unknown);
        bytes memory rank = _record(4, 1);
        rank[5] = 0x08;
        _isStruck(rank);
    }

    function test_strike_ofAStepThatContradictsItself_closes() public {
        // A relu of more elements than its result has.
        Operand[] memory operands = new Operand[](1);
        operands[0] = Operand(INPUT, 0, matrix(1, 8));
        _isStruck(record(4, 0, matrix(1, 4), operands, new int64[](0)));
    }

    /// @dev A softmax of whole numbers, and one over a row of none: nobody can say what either should be.
    function test_strike_ofDtypesOrAttributesWithoutAMeaning_closes() public {
        Operand[] memory operands = new Operand[](3);
        for (uint256 i = 0; i < 3; ++i) {
            operands[i] = Operand(INPUT, 0, matrix(1, 4));
        }
        int64[] memory attributes = new int64[](5);
        (attributes[0], attributes[1], attributes[2], attributes[3], attributes[4]) = (4, 1, 1, 1, 4);
        bytes memory softmax = record(72, 1, matrix(1, 4), operands, attributes);
        (ModelId id, StepPlace memory place) = _unsound(softmax);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.Judgeable.selector, 0, 0));
        registry.strike(id, place);

        softmax[FIRST_OPERANDS_DTYPE] = bytes1(I64);
        _isStruck(softmax);
        attributes[4] = 0;
        _isStruck(record(72, 1, matrix(1, 4), operands, attributes));
    }

    /// @dev Two rows of 65 KB: no transaction carries both.
    function test_strike_ofWhatNoProofCanOpen_closes() public {
        Operand[] memory operands = new Operand[](2);
        operands[0] = Operand(INPUT, 0, matrix(1, 20_000));
        operands[1] = Operand(WEIGHT, 0, matrix(4, 20_000));
        int64[] memory attributes = new int64[](9);
        (attributes[0], attributes[1], attributes[2], attributes[3]) = (20_000, 1, 4, 1);
        (attributes[6], attributes[8]) = (1, 1);
        _isStruck(record(1, 2, matrix(1, 4), operands, attributes));
    }

    function test_strike_ofARetiredModel_takesItsBondAllTheSame() public {
        (ModelId id, StepPlace memory place) = _unsound(_record(4, 0));
        _retire(id);
        registry.strike(id, place);
        vm.warp(START + HELD);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.NotRetired.selector, id));
        registry.returnBond(id);
    }

    // Parts.

    function _isStruck(bytes memory first) private {
        (ModelId id, StepPlace memory place) = _unsound(first);
        registry.strike(id, place);
        assertTrue(!registry.isOpen(id), "struck");
    }

    /// @dev A model whose first step is `first`, its second the toy's, and the place where it cannot be judged.
    function _unsound(bytes memory first) private returns (ModelId id, StepPlace memory place) {
        bytes32[] memory leaves = new bytes32[](2);
        (leaves[0], leaves[1]) = (stepLeaf(first), stepLeaf(stepProofOf(1).record));
        Model memory model = _model();
        model.graphRoot = graph(model.graphHeader, leaves);
        id = _registered(model);
        place = StepPlace(0, 0, first, siblingsOf(leaves, 0, 0));
    }

    /// @dev `op` over four elements of a step's result, its own if `source` is 0.
    function _record(uint8 op, uint32 source) private pure returns (bytes memory) {
        Operand[] memory operands = new Operand[](1);
        operands[0] = Operand(source == 0 ? RESULT : INPUT, 0, matrix(1, 4));
        return record(op, 0, matrix(1, 4), operands, new int64[](0));
    }

    function _place(uint32 step, uint32 element) private pure returns (StepPlace memory) {
        return StepPlace(step, element, stepProofOf(step).record, stepProofOf(step).path);
    }

    function _registered(Model memory model) private returns (ModelId) {
        vm.prank(OWNER);
        return registry.register{value: REGISTRANT_BOND}(model);
    }

    function _retire(ModelId id) private {
        vm.prank(OWNER);
        registry.retire(id);
    }

    function _wish(ModelId id) private view returns (Wish memory wish) {
        (wish.model, wish.inputsRoot, wish.feeWei) = (id, toyInputs(), FEE);
        wish.deadline = Instant.wrap(uint40(block.timestamp + 1 days));
    }

    function _model() private pure returns (Model memory model) {
        model = toyModel();
        model.windows = windows();
    }
}

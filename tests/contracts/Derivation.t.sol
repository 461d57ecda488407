// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {StepPlace} from "../../contracts/interfaces/ILimitsJudge.sol";
import {IModelRegistry, Model} from "../../contracts/interfaces/IModelRegistry.sol";
import {ModelId} from "../../contracts/types/Ids.sol";
import {BundleRoot} from "../../contracts/types/Roots.sol";
import {Instant} from "../../contracts/types/Time.sol";
import {ToyTrace} from "./mocks/ToyTrace.sol";
import {World} from "./mocks/World.sol";

/// @notice Models that are registered because their weights were trained: nobody's, and everybody's.
contract DerivationTest is World, ToyTrace {
    address private constant OWNER = address(0x0E);
    BundleRoot private constant TRAINED = BundleRoot.wrap(keccak256("trained weights"));
    /// @dev From a retirement to the bond: the longest life of a request, then every window of a dispute, `prove` twice.
    uint256 private constant HELD = 30 days + 200 + 100 + 40 + 60 + 2 * 80;

    ModelId private template;

    function setUp() public override {
        super.setUp();
        vm.deal(OWNER, 10 ether);
        template = _registered(_model());
    }

    function test_derive_byOthers_reverts() public {
        address[3] memory others = [OWNER, generations, address(this)];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IModelRegistry.NotTheTrainings.selector, others[i]));
            vm.prank(others[i]);
            registry.derive(template, TRAINED);
        }
        assertEq(registry.TRAININGS(), trainings);
    }

    function test_derive_unknownTemplate_reverts() public {
        ModelId unknown = ModelId.wrap(keccak256("nothing"));
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.UnknownModel.selector, unknown));
        _derive(unknown);
    }

    function test_derive_registersTheTemplateWithOtherWeights() public {
        Model memory expected = _model();
        expected.weightsRoot = TRAINED;
        vm.expectEmit(true, true, false, true, address(registry));
        emit IModelRegistry.Registered(registry.idOf(expected), address(0), expected);
        ModelId id = _derive(template);
        assertTrue(id == registry.idOf(expected), "its id is its record's hash");
        assertEq(abi.encode(registry.model(id)), abi.encode(expected));
        assertEq(abi.encode(registry.terms(id)), abi.encode(registry.terms(template)));
        assertTrue(registry.exists(id) && registry.isOpen(id), "known and open");
        assertEq(registry.registrantOf(id), address(0));
        assertEq(registry.bondOf(id), 0);
        (ModelId admitted,) = registry.admit(id, 0);
        assertTrue(admitted == id, "takes requests");
        asked(expected, toyInputs(), address(0));
    }

    function test_derive_again_returnsItsId() public {
        ModelId id = _derive(template);
        assertTrue(_derive(template) == id, "the same model");
        Model memory model = registry.model(id);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.AlreadyRegistered.selector, id));
        registry.register{value: REGISTRANT_BOND}(model);
    }

    function test_derive_theTemplatesOwnWeights_leavesItAsItIs() public {
        BundleRoot own = _model().weightsRoot;
        vm.prank(trainings);
        assertTrue(registry.derive(template, own) == template, "the template itself");
        vm.prank(OWNER);
        registry.retire(template);
        assertTrue(!registry.isOpen(template), "its registrant's as before");
    }

    function test_derive_whatSomebodyRegistered_adoptsIt() public {
        ModelId id = _rivals();
        vm.expectEmit(true, false, false, true, address(registry));
        emit IModelRegistry.Adopted(id, true, Instant.wrap(uint40(block.timestamp + HELD)));
        assertTrue(_derive(template) == id, "the registered one");
        assertTrue(registry.isOpen(id), "open as it was");
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.ModelAdopted.selector, id));
        vm.prank(OWNER);
        registry.retire(id);
        _assertBondComesBack(id, HELD);
    }

    function test_derive_whatSomebodyRetired_opensItAgain() public {
        ModelId id = _rivals();
        vm.prank(OWNER);
        registry.retire(id);
        vm.warp(block.timestamp + 1000);
        vm.expectEmit(true, false, false, true, address(registry));
        emit IModelRegistry.Adopted(id, true, Instant.wrap(uint40(block.timestamp + HELD - 1000)));
        _derive(template);
        assertTrue(registry.isOpen(id), "open again");
        (ModelId admitted,) = registry.admit(id, 0);
        assertTrue(admitted == id, "takes requests");
        assertEq(abi.encode(registry.terms(id)), abi.encode(registry.terms(template)));
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.ModelAdopted.selector, id));
        vm.prank(OWNER);
        registry.retire(id);
        _assertBondComesBack(id, HELD - 1000);
    }

    function test_derive_whatSomebodyRetired_fromAClosedTemplate_staysClosed() public {
        ModelId id = _rivals();
        vm.startPrank(OWNER);
        registry.retire(id);
        registry.retire(template);
        vm.stopPrank();
        vm.expectEmit(true, false, false, true, address(registry));
        emit IModelRegistry.Adopted(id, false, Instant.wrap(uint40(block.timestamp + HELD)));
        _derive(template);
        assertTrue(!registry.isOpen(id), "closed as the template is");
    }

    function test_derive_whatWasStruck_staysClosed() public {
        (ModelId from, StepPlace memory place) = _unsound();
        Model memory model = registry.model(from);
        model.weightsRoot = TRAINED;
        ModelId id = _registered(model);
        for (uint256 i = 0; i < 2; ++i) {
            uint256 before = vm.snapshotState();
            if (i == 1) {
                vm.prank(OWNER);
                registry.retire(id);
            }
            registry.strike(id, place);
            assertTrue(_derive(from) == id, "the registered one");
            assertTrue(!registry.isOpen(id), "struck is struck");
            vm.revertToState(before);
        }
    }

    function test_adopted_strike_closesIt_andTakesItsBond() public {
        (ModelId from, StepPlace memory place) = _unsound();
        Model memory model = registry.model(from);
        model.weightsRoot = TRAINED;
        ModelId id = _registered(model);
        _derive(from);
        registry.strike(id, place);
        assertTrue(!registry.isOpen(id), "struck");
        assertEq(registry.bondOf(id), 0);
        assertEq(vault.burned(), REGISTRANT_BOND - REGISTRANT_BOND / 2);
        _derive(from);
        assertTrue(!registry.isOpen(id), "and stays so");
    }

    function test_derive_fromAClosedTemplate_isClosed() public {
        vm.prank(OWNER);
        registry.retire(template);
        ModelId id = _derive(template);
        assertTrue(registry.exists(id) && !registry.isOpen(id), "closed from the start");
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.ModelClosed.selector, id));
        registry.admit(id, 0);
        assertEq(abi.encode(registry.terms(id)), abi.encode(registry.terms(template)));
    }

    function test_derived_nobodyCanRetireIt() public {
        ModelId id = _derive(template);
        address[3] memory others = [OWNER, trainings, address(this)];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IModelRegistry.NotTheRegistrant.selector, others[i], address(0)));
            vm.prank(others[i]);
            registry.retire(id);
        }
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.NotRetired.selector, id));
        registry.returnBond(id);
    }

    function test_derived_retiredTemplate_leavesItOpen() public {
        ModelId id = _derive(template);
        vm.prank(OWNER);
        registry.retire(template);
        assertTrue(registry.isOpen(id), "it is a model of its own");
    }

    function test_derived_strike_closesIt_andPaysNothing() public {
        (ModelId from, StepPlace memory place) = _unsound();
        ModelId id = _derive(from);
        vm.expectEmit(true, false, false, true, address(registry));
        emit IModelRegistry.Closed(id, Instant.wrap(0));
        vm.prank(SENDER);
        registry.strike(id, place);
        assertTrue(!registry.isOpen(id), "struck");
        assertEq(vault.balanceOf(SENDER), 100 ether);
        assertEq(vault.burned(), 0);
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.ModelClosed.selector, id));
        registry.strike(id, place);
    }

    /// @dev A model whose first step can never be judged, and the place.
    function _unsound() private returns (ModelId, StepPlace memory place) {
        Model memory model = _model();
        bytes32[] memory leaves = new bytes32[](2);
        (leaves[0], leaves[1]) = (stepLeaf(""), stepLeaf(stepProofOf(1).record));
        model.graphRoot = graph(model.graphHeader, leaves);
        place = StepPlace(0, 0, "", siblingsOf(leaves, 0, 0));
        return (_registered(model), place);
    }

    /// @dev The trained model, registered by somebody who saw its weights before they won.
    function _rivals() private returns (ModelId) {
        Model memory model = _model();
        model.weightsRoot = TRAINED;
        return _registered(model);
    }

    function _assertBondComesBack(ModelId id, uint256 afterSeconds) private {
        Instant until = Instant.wrap(uint40(block.timestamp + afterSeconds));
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.BondHeld.selector, until));
        registry.returnBond(id);
        vm.warp(block.timestamp + afterSeconds);
        registry.returnBond(id);
        assertEq(vault.balanceOf(OWNER), REGISTRANT_BOND);
        assertTrue(registry.isOpen(id), "with or without a bond");
    }

    function _derive(ModelId from) private returns (ModelId) {
        vm.prank(trainings);
        return registry.derive(from, TRAINED);
    }

    function _registered(Model memory model) private returns (ModelId) {
        vm.prank(OWNER);
        return registry.register{value: REGISTRANT_BOND}(model);
    }

    function _model() private pure returns (Model memory model) {
        model = toyModel();
        model.windows = windows();
    }
}

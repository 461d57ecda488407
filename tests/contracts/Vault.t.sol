// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Harness} from "./Harness.sol";
import {ReenteringPayee, RefusingPayee, VerbosePayee} from "./mocks/Payees.sol";
import {Vault} from "../../contracts/Vault.sol";
import {IVault} from "../../contracts/interfaces/IVault.sol";

contract VaultTest is Harness {
    address private constant INBOX = address(0x1B);
    address private constant CLAIMS = address(0xC1);
    address private constant ALICE = address(0xA11CE);
    address private constant BOB = address(0xB0B);

    Vault private vault;

    function setUp() public {
        vault = new Vault(_modules(INBOX, CLAIMS));
        vm.deal(address(this), 100 ether);
        vm.deal(INBOX, 100 ether);
    }

    function test_constructor_zeroModule_reverts() public {
        vm.expectRevert(IVault.ZeroAccount.selector);
        new Vault(_modules(INBOX, address(0)));
    }

    function test_deposit_forZeroAccount_reverts() public {
        vm.expectRevert(IVault.ZeroAccount.selector);
        vault.deposit{value: 1}(address(0));
    }

    function test_withdraw_toZeroAccount_reverts() public {
        vm.expectRevert(IVault.ZeroAccount.selector);
        vault.withdraw(address(0), 0);
    }

    function test_withdraw_aboveBalance_reverts() public {
        vault.deposit{value: 5}(ALICE);
        vm.prank(ALICE);
        vm.expectRevert(abi.encodeWithSelector(IVault.InsufficientBalance.selector, ALICE, 5, 6));
        vault.withdraw(ALICE, 6);
    }

    function test_withdraw_toRefusingPayee_revertsAndKeepsTheBalance() public {
        address refuser = address(new RefusingPayee());
        vault.deposit{value: 5}(ALICE);
        vm.prank(ALICE);
        vm.expectRevert(abi.encodeWithSelector(IVault.TransferFailed.selector, refuser, 5));
        vault.withdraw(refuser, 5);
        assertEq(vault.balanceOf(ALICE), 5);
    }

    function test_withdraw_toTheVaultItself_reverts() public {
        vault.deposit{value: 5}(ALICE);
        vm.prank(ALICE);
        vm.expectRevert(abi.encodeWithSelector(IVault.TransferFailed.selector, address(vault), 5));
        vault.withdraw(address(vault), 5);
    }

    function test_withdraw_reentered_paysOnce() public {
        ReenteringPayee thief = new ReenteringPayee(vault);
        vault.deposit{value: 5}(address(thief));
        vault.deposit{value: 7}(ALICE);
        thief.withdraw(5);
        bytes memory expected = abi.encodeWithSelector(IVault.InsufficientBalance.selector, address(thief), 0, 5);
        assertEq(thief.refusal(), expected);
        assertEq(address(thief).balance, 5);
        assertEq(address(vault).balance, 7);
    }

    function test_moduleCalls_fromAnyoneElse_revert() public {
        bytes[5] memory calls = [
            abi.encodeCall(IVault.lock, (ALICE, 0)),
            abi.encodeCall(IVault.escrow, ()),
            abi.encodeCall(IVault.pay, (ALICE, 0)),
            abi.encodeCall(IVault.move, (CLAIMS, 0)),
            abi.encodeCall(IVault.burn, (0))
        ];
        bytes memory expected = abi.encodeWithSelector(IVault.NotAModule.selector, BOB);
        for (uint256 i = 0; i < calls.length; ++i) {
            vm.prank(BOB);
            (bool success, bytes memory reason) = address(vault).call(calls[i]);
            assertTrue(!success, "only modules may call");
            assertEq(reason, expected);
        }
    }

    function test_lock_aboveBalance_reverts() public {
        vault.deposit{value: 5}(ALICE);
        vm.prank(INBOX);
        vm.expectRevert(abi.encodeWithSelector(IVault.InsufficientBalance.selector, ALICE, 5, 6));
        vault.lock(ALICE, 6);
    }

    function test_pay_move_burn_aboveEscrow_revert() public {
        vm.prank(INBOX);
        vault.escrow{value: 5}();
        bytes[3] memory calls = [
            abi.encodeCall(IVault.pay, (ALICE, 6)),
            abi.encodeCall(IVault.move, (CLAIMS, 6)),
            abi.encodeCall(IVault.burn, (6))
        ];
        bytes memory expected = abi.encodeWithSelector(IVault.InsufficientEscrow.selector, INBOX, 5, 6);
        for (uint256 i = 0; i < calls.length; ++i) {
            vm.prank(INBOX);
            (bool success, bytes memory reason) = address(vault).call(calls[i]);
            assertTrue(!success, "nobody spends more than its escrow");
            assertEq(reason, expected);
        }
    }

    function test_pay_zeroAccount_reverts() public {
        vm.prank(INBOX);
        vault.escrow{value: 5}();
        vm.prank(INBOX);
        vm.expectRevert(IVault.ZeroAccount.selector);
        vault.pay(address(0), 5);
    }

    function test_move_toAStranger_reverts() public {
        vm.prank(INBOX);
        vm.expectRevert(abi.encodeWithSelector(IVault.NotAModule.selector, BOB));
        vault.move(BOB, 0);
    }

    function test_plainTransfer_reverts() public {
        (bool success,) = address(vault).call{value: 1}("");
        assertTrue(!success, "wei come in by deposit or escrow only");
    }

    function test_deposit_withdraw_roundTrip() public {
        vm.expectEmit(true, true, false, true, address(vault));
        emit IVault.Deposited(ALICE, address(this), 5);
        vault.deposit{value: 5}(ALICE);
        vm.expectEmit(true, true, false, true, address(vault));
        emit IVault.Withdrawn(ALICE, BOB, 3);
        vm.prank(ALICE);
        vault.withdraw(BOB, 3);
        assertEq(BOB.balance, 3);
        assertEq(vault.balanceOf(ALICE), 2);
    }

    function test_withdraw_toVerbosePayee_pays() public {
        address verbose = address(new VerbosePayee());
        vault.deposit{value: 5}(address(this));
        vault.withdraw(verbose, 5);
        assertEq(verbose.balance, 5);
    }

    function test_moduleCalls_moveWhatTheySay() public {
        vault.deposit{value: 10}(ALICE);
        vm.expectEmit(true, true, false, true, address(vault));
        emit IVault.Locked(INBOX, ALICE, 10);
        vm.prank(INBOX);
        vault.lock(ALICE, 10);
        vm.prank(INBOX);
        vault.escrow{value: 5}();
        assertEq(vault.escrowOf(INBOX), 15);
        vm.expectEmit(true, true, false, true, address(vault));
        emit IVault.Moved(INBOX, CLAIMS, 9);
        vm.prank(INBOX);
        vault.move(CLAIMS, 9);
        vm.expectEmit(true, true, false, true, address(vault));
        emit IVault.Paid(CLAIMS, BOB, 4);
        vm.prank(CLAIMS);
        vault.pay(BOB, 4);
        vm.expectEmit(true, false, false, true, address(vault));
        emit IVault.Burned(CLAIMS, 3);
        vm.prank(CLAIMS);
        vault.burn(3);
        assertEq(vault.balanceOf(ALICE), 0);
        assertEq(vault.balanceOf(BOB), 4);
        assertEq(vault.escrowOf(INBOX), 6);
        assertEq(vault.escrowOf(CLAIMS), 2);
        assertEq(vault.burned(), 3);
        assertEq(address(vault).balance, 15);
    }

    function test_forcedWei_belongToNobody() public {
        vault.deposit{value: 5}(ALICE);
        vm.deal(address(vault), 12);
        assertEq(address(vault).balance, 12);
        vm.prank(ALICE);
        vm.expectRevert(abi.encodeWithSelector(IVault.InsufficientBalance.selector, ALICE, 5, 6));
        vault.withdraw(ALICE, 6);
    }

    function _modules(address one, address two) private pure returns (address[] memory modules) {
        modules = new address[](2);
        (modules[0], modules[1]) = (one, two);
    }
}

"""ModelRegistry: model id -> all that is registered about it. See IModelRegistry.sol for what each does and raises."""

from __future__ import annotations

from collections.abc import Sequence

from rollup.chain.abi import to_record
from rollup.chain.artifacts import abi_of
from rollup.chain.client import Snapshot
from rollup.chain.contract import Contract
from rollup.chain.sender import Intent
from rollup.config import Deployment
from rollup.types import Address, BundleRoot, Model, ModelId, StepPlace, Terms


class Models(Contract):
    """Models are immutable, so what was read once stays true."""

    def __init__(self, deployment: Deployment) -> None:
        super().__init__("IModelRegistry", deployment.model_registry)

    def register(self, model: Model, bond_wei: int) -> Intent:
        """`bond_wei`: the registrant's, at least `minimum_bond`."""
        return self._intent("register", model, value_wei=bond_wei)

    def minimum_bond(self, at: Snapshot) -> int:
        """Least bond of a registrant, wei."""
        return int(at.read(abi_of("ModelRegistry"), self.address, "MIN_REGISTRANT_BOND_WEI")[0])

    def retire(self, id_: ModelId) -> Intent:
        return self._intent("retire", id_)

    def return_bond(self, id_: ModelId) -> Intent:
        return self._intent("returnBond", id_)

    def strike(self, id_: ModelId, place: StepPlace) -> Intent:
        return self._intent("strike", id_, place)

    def bond_of(self, at: Snapshot, id_: ModelId) -> int:
        """What is held for a model, wei."""
        return int(self._read(at, "bondOf", id_)[0])

    def is_open(self, at: Snapshot, id_: ModelId) -> bool:
        """Whether requests are taken."""
        return bool(self._read(at, "isOpen", id_)[0])

    def register_family(self, buckets: Sequence[ModelId]) -> Intent:
        return self._intent("registerFamily", list(buckets))

    def admit(self, at: Snapshot, id_: ModelId, input_bytes: int) -> ModelId:
        """The model that answers inline inputs of so many bytes: `id_` itself, or its bucket if it is a family."""
        return ModelId(self._read(at, "admit", id_, input_bytes)[0])

    def buckets_of(self, at: Snapshot, id_: ModelId) -> tuple[ModelId, ...]:
        """None if it is no family."""
        return tuple(ModelId(bucket) for bucket in self._read(at, "bucketsOf", id_)[0])

    def id_of(self, at: Snapshot, model: Model) -> ModelId:
        return ModelId(self._read(at, "idOf", model)[0])

    def model(self, at: Snapshot, id_: ModelId) -> Model:
        return to_record(Model, self._read(at, "model", id_)[0])

    def terms(self, at: Snapshot, id_: ModelId) -> Terms:
        return to_record(Terms, self._read(at, "terms", id_)[0])

    def exists(self, at: Snapshot, id_: ModelId) -> bool:
        return bool(self._read(at, "exists", id_)[0])

    def registrant_of(self, at: Snapshot, id_: ModelId) -> Address:
        return Address(bytes.fromhex(self._read(at, "registrantOf", id_)[0][2:]))

    def commit_inputs(self, at: Snapshot, id_: ModelId, inputs: bytes) -> BundleRoot:
        """Bundle root of inline inputs. Raises Reverted with what is wrong with them."""
        return BundleRoot(self._read(at, "commitInputs", id_, inputs)[0])

"""Registered models as JSON."""

from __future__ import annotations

from api.answers.outputs import f32, output_state
from api.schemas import InputJson, ModelJson, to_hex
from rollup.tensor import DType, TensorSpec
from rollup.types import ModelId
from rollup.view import View


def model_state(view: View, id_: ModelId) -> ModelJson:
    model = view.model(id_)
    windows = model.windows
    return ModelJson(
        id=to_hex(id_),
        graph_root=to_hex(model.graph_root),
        weights_root=to_hex(model.weights_root),
        numerics_root=to_hex(model.numerics_root),
        inputs=[_input(TensorSpec.from_header(each.header), each.lo, each.hi) for each in model.inputs],
        output=output_state(TensorSpec.from_header(model.output_header), b""),
        output_band=f32(model.output_band),
        slash_band=f32(model.slash_band),
        min_bond_gas=model.min_bond_gas,
        windows={name: getattr(windows, name) for name in windows.__dataclass_fields__},
        open=id_ not in view.state.closed,
    )


def _input(spec: TensorSpec, lo: int, hi: int) -> InputJson:
    ends = (f32(lo), f32(hi)) if spec.dtype is DType.F32 else (lo, hi)
    return InputJson(dtype=spec.dtype.name.lower(), shape=list(spec.shape), lo=ends[0], hi=ends[1])

"""JSON in and out, a module a noun. Converts between JSON and records of rollup, and decides nothing."""

from api.schemas.claims import ClaimJson, DisputeJson, OutputJson, OverflowJson
from api.schemas.generations import GenerationJson, GenerationPageJson, GenerationStatusText, GenerationTermsJson
from api.schemas.models import BucketsJson, InputJson, ModelJson, ModelPageJson
from api.schemas.requests import ReceiptJson, RequestJson, RequestStateJson, Status, SubmissionJson
from api.schemas.scores import ScoresJson
from api.schemas.system import AccountJson, DepositJson, HealthJson, SystemJson
from api.schemas.trainings import (
    CommitJson,
    CurveJson,
    DeadlinesJson,
    PointJson,
    PropertyJson,
    TrainingJson,
    TrainingPageJson,
    TrainingStateJson,
    TrainingStatusText,
    TrainingTermsJson,
)
from api.schemas.values import MAX_UINT64, AddressText, Hex, Json, Real, SignatureText, Wei, Word, from_hex, to_hex

__all__ = [
    "MAX_UINT64",
    "AccountJson",
    "AddressText",
    "BucketsJson",
    "ClaimJson",
    "CommitJson",
    "CurveJson",
    "DeadlinesJson",
    "DepositJson",
    "DisputeJson",
    "GenerationJson",
    "GenerationPageJson",
    "GenerationStatusText",
    "GenerationTermsJson",
    "HealthJson",
    "Hex",
    "InputJson",
    "Json",
    "ModelJson",
    "ModelPageJson",
    "OutputJson",
    "OverflowJson",
    "PointJson",
    "PropertyJson",
    "Real",
    "ReceiptJson",
    "RequestJson",
    "RequestStateJson",
    "ScoresJson",
    "SignatureText",
    "Status",
    "SubmissionJson",
    "SystemJson",
    "TrainingJson",
    "TrainingPageJson",
    "TrainingStateJson",
    "TrainingStatusText",
    "TrainingTermsJson",
    "Wei",
    "Word",
    "from_hex",
    "to_hex",
]

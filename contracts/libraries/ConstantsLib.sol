// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

// Domain tags: every hashed record begins with one, so that no record can be read as another kind.

bytes32 constant LEAF_TAG = keccak256("anh.v1.leaf");
bytes32 constant TENSOR_TAG = keccak256("anh.v1.tensor");
bytes32 constant BUNDLE_TAG = keccak256("anh.v1.bundle");
bytes32 constant STEP_TAG = keccak256("anh.v1.step");
bytes32 constant GRAPH_TAG = keccak256("anh.v1.graph");
bytes32 constant NUMERICS_TAG = keccak256("anh.v1.numerics");
bytes32 constant MODEL_TAG = keccak256("anh.v1.model");
bytes32 constant FAMILY_TAG = keccak256("anh.v1.family");
bytes32 constant REQUEST_BATCH_TAG = keccak256("anh.v1.request-batch");
bytes32 constant CLAIM_BATCH_TAG = keccak256("anh.v1.claim-batch");
bytes32 constant CLAIM_LEAF_TAG = keccak256("anh.v1.claim-leaf");
bytes32 constant CLAIM_TAG = keccak256("anh.v1.claim");
// Of properties: pools, commitments, scored items, texts and their beacons.
bytes32 constant ITEM_TAG = keccak256("anh.v1.item");
bytes32 constant ITEM_KEY_TAG = keccak256("anh.v1.item-key");
bytes32 constant POOL_KEY_TAG = keccak256("anh.v1.pool-key");
bytes32 constant MASK_TAG = keccak256("anh.v1.mask");
bytes32 constant WEIGHTS_TAG = keccak256("anh.v1.weights");
bytes32 constant WEIGHTS_SUBJECT_TAG = keccak256("anh.v1.weights-subject");
bytes32 constant SCORED_TAG = keccak256("anh.v1.scored");
bytes32 constant TRAINING_TAG = keccak256("anh.v1.training");
bytes32 constant GENERATION_TAG = keccak256("anh.v1.generation");
bytes32 constant TEXT_SUBJECT_TAG = keccak256("anh.v1.text-subject");
bytes32 constant DRAW_TAG = keccak256("anh.v1.draw");
bytes32 constant SEED_TAG = keccak256("anh.v1.seed");
bytes32 constant UNIFORM_TAG = keccak256("anh.v1.uniform");

/// @dev Bytes in a full leaf of a tensor: 256 f32 elements.
uint256 constant LEAF_BYTES = 1024;

/// @dev Outputs up to this many bytes are claimed whole; larger ones by tensor root.
uint256 constant INLINE_OUTPUT_BYTES = 64;

/// @dev Requests in one request batch, claims in one claim batch: two words of bitmap.
uint256 constant MAX_BATCH = 512;

/// @dev Inline inputs of one request; larger ones come by root.
uint256 constant MAX_INLINE_INPUT_BYTES = 4096;

/// @dev Leaves that a step may need opened at one element, in bytes: no node takes a larger transaction than this.
uint256 constant MAX_OPENED_BYTES = 128 * 1024;

/// @dev Buckets of a family.
uint256 constant MAX_BUCKETS = 64;

/// @dev Leaves that may be demanded in one round.
uint256 constant MAX_DEMAND_LEAVES = 256;

/// @dev A request's minimum bond doubles with each refutation, at most this often.
uint256 constant MAX_BOND_DOUBLINGS = 6;

/// @dev Rejections after which a request is refunded.
uint256 constant MAX_REJECTIONS = 3;

/// @dev Gas that a callback may ask for at most, so that `settle` fits into a transaction.
uint32 constant MAX_CALLBACK_GAS = 1_000_000;

/// @dev Scores that one property is judged on: so many finite ones below 2^64 sum to less than 2^227 units of 2^-149.
uint256 constant MAX_SCORES = 16_384;

/// @dev Items of one claim of scores.
uint256 constant MAX_SCORED_ITEMS = 2_048;

/// @dev Commitments to one training request.
uint256 constant MAX_COMMITS = 32;

/// @dev Items of one claim of scores that may be in dispute side by side before the bond of a further challenge doubles.
uint256 constant DISPUTES_PER_DOUBLING = 32;

/// @dev Items of a pool that are opened, in one transaction.
uint256 constant MAX_OPENED_ITEMS = 64;

/// @dev Elements of a row that one proof opens: wider rows are split when a graph is built.
uint256 constant MAX_ROW = 8_192;

// The step operators' codes, part of every step record and so of every graph root.
uint8 constant OP_CONTRACT = 1;
uint8 constant OP_ADD = 2;
uint8 constant OP_MUL = 3;
uint8 constant OP_RELU = 4;
uint8 constant OP_AMAX = 5;
uint8 constant OP_ARGMAX = 6;
uint8 constant OP_STRIDED = 7;
uint8 constant OP_CAT = 8;
uint8 constant OP_PATCHES = 9;
// Several operands, one element of each.
uint8 constant OP_SUB = 10;
uint8 constant OP_DIV = 11;
uint8 constant OP_MAXIMUM = 12;
uint8 constant OP_MINIMUM = 13;
uint8 constant OP_POW = 14;
uint8 constant OP_COMPARE = 15;
uint8 constant OP_LOGICAL = 16;
uint8 constant OP_WHERE = 17;
// Movement.
uint8 constant OP_PAD = 18;
uint8 constant OP_GATHER = 19;
// One operand, one element, exact.
uint8 constant OP_NEG = 32;
uint8 constant OP_ABS = 33;
uint8 constant OP_CLAMP = 34;
uint8 constant OP_FLOOR = 35;
uint8 constant OP_CEIL = 36;
uint8 constant OP_ROUND = 37;
uint8 constant OP_TRUNC = 38;
uint8 constant OP_SIGN = 39;
uint8 constant OP_NOT = 40;
uint8 constant OP_CAST = 41;
// One operand, one element, rounded.
uint8 constant OP_EXP = 48;
uint8 constant OP_LOG = 49;
uint8 constant OP_TANH = 50;
uint8 constant OP_SIGMOID = 51;
uint8 constant OP_SQRT = 52;
uint8 constant OP_RSQRT = 53;
uint8 constant OP_ERF = 54;
uint8 constant OP_GELU = 55;
uint8 constant OP_GELU_TANH = 56;
uint8 constant OP_SILU = 57;
uint8 constant OP_SIN = 58;
uint8 constant OP_COS = 59;
uint8 constant OP_EXPM1 = 60;
uint8 constant OP_LOG1P = 61;
// A row of one operand.
uint8 constant OP_SUM = 64;
uint8 constant OP_SPREAD = 65;
uint8 constant OP_EXPSUM = 66;
// The last step of a fused kernel: one element of each operand.
uint8 constant OP_SOFTMAX = 72;
uint8 constant OP_LOG_SOFTMAX = 73;
uint8 constant OP_NORM = 74;

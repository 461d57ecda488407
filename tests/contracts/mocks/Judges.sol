// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ContractionJudge} from "../../../contracts/ContractionJudge.sol";
import {LimitsJudge} from "../../../contracts/LimitsJudge.sol";
import {PointwiseJudge} from "../../../contracts/PointwiseJudge.sol";
import {RowJudge} from "../../../contracts/RowJudge.sol";
import {StepJudge} from "../../../contracts/StepJudge.sol";
import {StepReader} from "../../../contracts/StepReader.sol";
import {TranscendentalJudge} from "../../../contracts/TranscendentalJudge.sol";

/// @notice A StepJudge with all its families, for one nonce of whoever makes it.
contract Judges {
    StepJudge public immutable JUDGE;

    constructor() {
        JUDGE = new StepJudge(
            new StepReader(),
            new LimitsJudge(),
            new ContractionJudge(),
            new PointwiseJudge(),
            new TranscendentalJudge(),
            new RowJudge()
        );
    }
}

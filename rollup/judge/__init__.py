"""The Python twin of StepJudge: one element of one step, in exact integer arithmetic, without torch or numpy."""

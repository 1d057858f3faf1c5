"""Others' stream engines, doing align's work on align's broker (decision 0017)."""

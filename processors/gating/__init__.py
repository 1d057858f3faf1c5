"""The gate: which plans may become commands, and why the others may not."""

"""The edge: device protocols, boards and the plant simulator."""

"""A decision's whole way, from the window that it rests on to the state a device confirmed."""

"""Faults at random, and whether the loop comes out of them as if there had been none.

:mod:`plan` says what happens when, :mod:`injecting` does it to real processes, :mod:`comparing`
holds the result against an undisturbed align, :mod:`runner` does all of it in turn,
:mod:`report` is what comes of it, :mod:`view` shows it while it lasts.
"""

"""The real processes under faults: a driver closes meetings, a schedule breaks things, an oracle compares.

``registry`` knows every fault; those of one sort are a module in ``kinds``, found by being there. ``system`` is what is
broken, ``driver`` keeps its own record of what the API acknowledged, ``oracle`` says what must follow from that record.
"""

"""The device view: what every device last said and did, kept by Faust, served over HTTP.

::

    telemetry.relay ──┐                    ┌─> GET /devices           ┐
                      ├─> Faust table ─────┤   GET /devices/<id>      ├─ `gridloom devices`
    actuator.acks  ───┘   (+ changelog)    └─> GET /health            ┘

It stands away from the command path: nothing that commands a device reads it.
"""

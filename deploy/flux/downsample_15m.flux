// Means of 15 minutes from those of 1 minute, each weighted by how many points are in it.
// `source`, `target`, `start`, `stop` come before.
from(bucket: source)
    |> range(start: start, stop: stop)
    |> filter(fn: (r) => r._measurement == "meter_window")
    |> filter(fn: (r) => r._field == "value" or r._field == "count")
    |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
    |> window(every: 15m)
    |> reduce(
        identity: {sum: 0.0, count: 0},
        fn: (r, accumulator) => ({
            sum: accumulator.sum + r.value * float(v: r.count),
            count: accumulator.count + r.count,
        }),
    )
    |> map(fn: (r) => ({r with _time: r._start, value: r.sum / float(v: r.count)}))
    |> to(
        bucket: target,
        tagColumns: ["site", "device", "quantity"],
        fieldFn: (r) => ({value: r.value, count: r.count}),
    )
    |> group()
    |> count(column: "count")
    |> yield(name: "meter_window")

site = from(bucket: source)
    |> range(start: start, stop: stop)
    |> filter(fn: (r) => r._measurement == "site_window")

site
    |> filter(
        fn: (r) =>
            r._field == "load_kw" or r._field == "generation_kw" or r._field == "net_kw"
                or
                r._field == "count",
    )
    |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
    |> window(every: 15m)
    |> reduce(
        identity: {load: 0.0, generation: 0.0, net: 0.0, count: 0},
        fn: (r, accumulator) => ({
            load: accumulator.load + r.load_kw * float(v: r.count),
            generation: accumulator.generation + r.generation_kw * float(v: r.count),
            net: accumulator.net + r.net_kw * float(v: r.count),
            count: accumulator.count + r.count,
        }),
    )
    |> map(fn: (r) => ({r with _time: r._start}))
    |> to(
        bucket: target,
        tagColumns: ["site"],
        fieldFn: (r) => ({
            load_kw: r.load / float(v: r.count),
            generation_kw: r.generation / float(v: r.count),
            net_kw: r.net / float(v: r.count),
            count: r.count,
        }),
    )
    |> group()
    |> count(column: "count")
    |> yield(name: "site_window")

site
    |> filter(fn: (r) => r._field == "net_kw_max")
    |> aggregateWindow(every: 15m, fn: max, timeSrc: "_start", createEmpty: false)
    |> to(bucket: target)
    |> group()
    |> count()
    |> yield(name: "site_maxima")

site
    |> filter(fn: (r) => r._field == "energy_import_kwh")
    |> aggregateWindow(every: 15m, fn: sum, timeSrc: "_start", createEmpty: false)
    |> to(bucket: target)
    |> group()
    |> count()
    |> yield(name: "site_energy")

// Means of 1 minute from the 5-second points. `source`, `target`, `start`, `stop` come before.

// A point that is missing counts for nothing: an older revision may have left a value in it, so
// the status decides.
meters = from(bucket: source)
    |> range(start: start, stop: stop)
    |> filter(fn: (r) => r._measurement == "meter_window")
    |> filter(fn: (r) => r._field == "value" or r._field == "status")
    |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
    |> filter(fn: (r) => exists r.value and r.status != "x")

meters
    |> aggregateWindow(every: 1m, fn: mean, column: "value", timeSrc: "_start", createEmpty: false)
    |> rename(columns: {value: "_value"})
    |> set(key: "_field", value: "value")
    |> to(bucket: target)
    |> group()
    |> count()
    |> yield(name: "meter_means")

meters
    |> aggregateWindow(every: 1m, fn: count, column: "value", timeSrc: "_start", createEmpty: false)
    |> rename(columns: {value: "_value"})
    |> set(key: "_field", value: "count")
    |> to(bucket: target)
    |> rename(columns: {_value: "count"})
    |> group()
    |> count(column: "count")
    |> yield(name: "meter_window")

site = from(bucket: source)
    |> range(start: start, stop: stop)
    |> filter(fn: (r) => r._measurement == "site_window")

site
    |> filter(fn: (r) => r._field == "load_kw" or r._field == "generation_kw" or r._field == "net_kw")
    |> aggregateWindow(every: 1m, fn: mean, timeSrc: "_start", createEmpty: false)
    |> to(bucket: target)
    |> group()
    |> count()
    |> yield(name: "site_means")

site
    |> filter(fn: (r) => r._field == "net_kw")
    |> aggregateWindow(every: 1m, fn: max, timeSrc: "_start", createEmpty: false)
    |> set(key: "_field", value: "net_kw_max")
    |> to(bucket: target)
    |> group()
    |> count()
    |> yield(name: "site_maxima")

// An older revision may have left energy that the newest does not know.
site
    |> filter(fn: (r) => r._field == "energy_import_kwh" or r._field == "energy_known")
    |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
    |> filter(fn: (r) => exists r.energy_import_kwh and r.energy_known)
    |> rename(columns: {energy_import_kwh: "_value"})
    |> aggregateWindow(every: 1m, fn: sum, timeSrc: "_start", createEmpty: false)
    |> set(key: "_field", value: "energy_import_kwh")
    |> to(bucket: target)
    |> group()
    |> count()
    |> yield(name: "site_energy")

site
    |> filter(fn: (r) => r._field == "net_kw")
    |> aggregateWindow(every: 1m, fn: count, timeSrc: "_start", createEmpty: false)
    |> set(key: "_field", value: "count")
    |> to(bucket: target)
    |> rename(columns: {_value: "count"})
    |> group()
    |> count(column: "count")
    |> yield(name: "site_window")

//go:build tools

// Package tools names the two programs that deploy/influx_build.py builds: InfluxDB's server, and
// the stand-in for pkg-config that builds Flux's Rust library for it.
package tools

import (
	_ "github.com/influxdata/influxdb/v2/cmd/influxd"
	_ "github.com/influxdata/pkg-config"
)

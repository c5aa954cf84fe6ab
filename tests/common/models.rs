//! Models with everything in them, on time scales at which much happens.

/// A hot-standby pair over a lossy link: crashes of hosts and processes, disk losses, pauses, cuts, planned work.
pub const SCADA: &str = r#"
title = "a restless pair"

[nodes.a]
start = { uniform = ["20s", "60s"] }
restart = "10s"
clock = { drift = "100ppm" }
[nodes.a.failures]
crash = { mttf = "2h", repair = { exponential = "10m" } }
disk = { effect = "crash-with-disk-loss", mttf = "20h", repair = "10m" }
dies = { scope = "process", mttf = "3h", duration = "1m" }
pause = { effect = "pause", mttf = "1h", duration = { exponential = "40s" } }
freeze = { effect = "pause", scope = "process", mttf = "2h", duration = { uniform = ["1s", "90s"] } }
[nodes.b]
like = "a"

[links.lan]
between = ["a", "b"]
latency = { exponential = "20ms" }
loss = "2%"
[links.lan.failures]
cut = { mttf = "1h", duration = { exponential = "2m" } }
oneway = { mttf = "4h", duration = "1m", direction = "forward" }
[links.radio]
between = ["plant", "a"]
[links.radio.failures]
fade = { mttf = "2h", duration = "3m" }

[groups.scada]
nodes = ["a", "b"]
[groups.scada.policy.hot-standby]
heartbeat = "1s"
heartbeat_timeout = "5s"
echo_interval = "1s"
pass_time = { uniform = ["1s", "3s"] }
first_pass = "30s"
connect_timeout = "20s"
driver_start = "3s"

[clients.people]
to = "scada"
writes = "2/s"
reads = "5/s"
reconnect = { exponential = "2s" }
[field.plant]
to = "scada"
events = "10/s"
during_dual = "both"
reach = { a = "radio" }
buffer = "30s"

[maintenance.patches]
nodes = ["a", "b"]
every = { exponential = "20h" }
duration = "5m"
"#;

/// Two active nodes with one standby that store asynchronously, and fence before they take over.
pub const SPARE: &str = r#"
title = "two and a spare"

[nodes.a]
site = "left"
start = "30s"
restart = "5s"
clock = { drift = "50ppm" }
dormancy = 0.5
crew = "team"
[nodes.a.failures]
crash = { mttf = "3h", repair = { lognormal = { median = "5m", sigma = 1 } } }
pause = { effect = "pause", mttf = "2h", duration = { exponential = "10s" } }
[nodes.b]
like = "a"
[nodes.c]
like = "a"
site = "right"

[links.wan]
between = ["left", "right"]
latency = { lognormal = { median = "10ms", sigma = 0.7 } }
loss = "5%"
failures.cut = { mttf = "3h", duration = { exponential = "30s" } }
[shared.power]
members = ["left"]
failures.outage = { mttf = "20h", repair = "5m" }
[crews.team]
size = 1

[groups.store]
nodes = ["a", "b", "c"]
[groups.store.policy.active-passive]
active = 2
heartbeat = "500ms"
timeout = "3s"
takeover = { exponential = "2s" }
coverage = 0.9
manual = "2m"
fencing = "on"
fence_delay = { uniform = ["1s", "3s"] }
fence_success = 0.95
fence_off = "30s"
lag = { exponential = "50ms" }
patience = "10s"
first_copy = "40s"

[clients.app]
to = "store"
writes = "20/s"
"#;

/// Instances behind a balancer.
pub const WEB: &str = r#"
title = "three instances"
up_share = 0.5

[nodes.a]
start = "20s"
[nodes.a.failures]
crash = { mttf = "1h", repair = { exponential = "5m" } }
pause = { effect = "pause", scope = "process", mttf = "1h", duration = { exponential = "5s" } }
[nodes.b]
like = "a"
[nodes.c]
like = "a"

[groups.web]
nodes = ["a", "b", "c"]
[groups.web.policy.active-active]
required = 2
redispatch = false
warm_up = "10s"

[clients.users]
to = "web"
reads = "50/s"
deadline = "1s"
"#;

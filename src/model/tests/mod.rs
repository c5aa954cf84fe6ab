//! Whole files through the loader: what works, and how each mistake is shown.

mod files;
mod fuzz;
mod good;
mod mistakes;

use std::sync::Arc;

use crate::engine::time::Span;
use crate::input::{Choice, Defaults, Files, Key, Kind, Mark, NoFiles, Problems, Reader, Source, Table};
use crate::model::{Override, load};
use crate::system::spec::Model;

/// Two policies, the least that a program can bring along.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum TestPolicy {
    Pair(Span),
    Alone,
}

struct PairTable(Span);

impl Table for PairTable {
    const KEYS: &'static [Key] = &[
        Key::new("heartbeat", Kind::SpanPositive, "Time between two heartbeats.").default(
            "1s",
            Mark::Assumption,
            "a guess",
        ),
        Key::new("transfer_interval", Kind::SpanPositive, "Time between two passes.").default(
            "5s",
            Mark::Checked,
            "manual",
        ),
    ];
    fn read(r: &mut Reader<'_>) -> Self {
        r.span("transfer_interval");
        PairTable(r.span("heartbeat"))
    }
}

impl Choice for TestPolicy {
    fn names() -> Vec<&'static str> {
        vec!["hot-standby", "alone"]
    }
    fn keys(name: &str) -> Option<&'static [Key]> {
        match name {
            "hot-standby" => Some(PairTable::KEYS),
            "alone" => Some(&[]),
            _ => None,
        }
    }
    fn read(name: &str, reader: &mut Reader<'_>) -> Option<Self> {
        match name {
            "hot-standby" => Some(TestPolicy::Pair(PairTable::read(reader).0)),
            "alone" => Some(TestPolicy::Alone),
            _ => None,
        }
    }
}

/// Files that exist in the tests only.
pub(super) struct TestFiles;

impl Files for TestFiles {
    fn text(&self, path: &str) -> Result<Arc<Source>, String> {
        match path {
            "good.csv" => Ok(Source::new(path, "seconds\n1\n2.5\n1m\n")),
            "bad.csv" => Ok(Source::new(path, "seconds\n1.5\n2,7\nmany\n-3\n")),
            _ => Err("no such file".into()),
        }
    }
}

pub(super) type Loaded = Result<(Model<TestPolicy>, Defaults), Problems>;

pub(super) fn read(text: &str) -> Loaded {
    load(&Source::new("pair.toml", text), Arc::new(TestFiles), &[])
}

pub(super) fn with(text: &str, overrides: &[Override]) -> Loaded {
    load(&Source::new("pair.toml", text), Arc::new(NoFiles), overrides)
}

/// The messages for a text that has mistakes.
pub(super) fn shown(text: &str) -> String {
    match read(text) {
        Ok(_) => String::from("no mistake"),
        Err(problems) => problems.render(false),
    }
}

/// Checks that everything in `parts` is part of the message.
pub(super) fn says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "`{part}` is missing in:\n{message}");
    }
}

/// The model of the interface's description.
pub(super) const SCADA: &str = r#"title = "Two SCADA servers in two buildings"

[nodes.a]
site = "north"
start = "30s"
clock = { drift = "50ppm", sync_interval = "1h", sync_error = "5ms" }
failures.crash = { mttf = "180d", repair = { lognormal = { median = "3h", p95 = "12h" } } }
failures.stall = { effect = "pause", scope = "process", rate = "2/month", duration = { uniform = ["1s", "20s"] } }

[nodes.b]
like = "a"
site = "south"

[links.wan]
between = ["a", "b"]
latency = { lognormal = { median = "2ms", p99 = "9ms" } }
loss = "0.1%"
failures.cut = { rate = "3/year", duration = { lognormal = { median = "1h", p95 = "8h" } } }
[links.radio]
like = "wan"
latency = { fixed = "40ms" }
[links.radio-1]
between = ["rtus", "a"]
[links.radio-2]
from = "rtus"
to = "south"
carries = ["field"]

[paths.servers]
links = ["wan", "radio"]
use = "failover"

[shared.duct]
members = ["wan", "radio", "north"]
failures.dig = { rate = "0.1/year", duration = { fixed = "12h" } }

[groups.scada]
nodes = ["a", "b"]
[groups.scada.policy.hot-standby]
transfer_interval = "5s"

[clients.control-room]
site = "north"
to = "scada"
writes = "2/s"
reads = "20/s"
deadline = "5s"

[field.rtus]
to = "scada"
events = "10/s"
reach = { a = "radio-1", b = "radio-2" }
during_dual = "both"
buffer = "0s"

[objectives]
availability = { target = "99.95%", window = "30d", exclude = ["planned"] }
rto = "60s"
rpo = "5s"
"#;

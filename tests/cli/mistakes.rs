//! Bad input: where, what was expected, what was meant; exit 2 and never a panic.

use super::Desk;

#[test]
fn mistakes_of_a_file_are_shown_all_at_once_with_their_places() {
    let desk = Desk::new("file");
    desk.change("pair.toml", "bad.toml", "site = \"north\"", "sitte = \"north\"\nstart = \"-3s\"");
    desk.change("bad.toml", "bad.toml", "nodes = [\"a\", \"b\"]", "nodes = [\"a\", \"c\"]");
    desk.change("bad.toml", "bad.toml", "start = \"30s\"\n", "");
    desk.run("run bad.toml").is_mistake(&[
        "bad.toml:5:1",
        "unknown key `sitte`",
        "did you mean `site`?",
        "a length of time cannot be negative",
        "no node is called `c`",
        "3 mistakes",
    ]);
}

#[test]
fn options_are_checked_like_files() {
    let desk = Desk::new("options");
    let mistake = |line: &str, parts: &[&str]| desk.run(line).is_mistake(parts);
    mistake(
        "run pair.toml --set nodes.a.strat=3s",
        &["--set:1:1", "matches nothing", "did you mean `nodes.a.start`?"],
    );
    mistake("run pair.toml --set start", &["no key and value", "KEY=VALUE"]);
    mistake("run pair.toml --set nodes.a.start=soon", &["`soon` is not a time"]);
    mistake("run pair.toml --horizon 501y", &["--horizon:1:1", "500"]);
    mistake("run pair.toml --horizon 10", &["time needs a unit"]);
    mistake("run pair.toml --horizon 0s", &["a time above zero"]);
    mistake("run pair.toml --jobs 0", &["--jobs", "0"]);
    mistake("run pair.toml --jobs many", &["--jobs", "invalid digit"]);
    mistake("run pair.toml --runs 0", &["--runs"]);
    mistake("run pair.toml --runs -1", &["-1"]);
    mistake("run pair.toml --seed -1", &["-1"]);
    mistake("run pair.toml --format xml", &["table", "json", "csv", "markdown"]);
    mistake("run pair.toml --vary nodes.*.start", &["KEY=V1,V2"]);
    mistake("run pair.toml --vary nodes.*.start=1s", &["fewer than two values"]);
    mistake("run pair.toml --vary nodes.*.start=1s,1s", &["a value stands twice"]);
    mistake("run pair.toml --vary nodes.*.strat=1s,2s", &["--vary:1:1", "did you mean `nodes.*.start`?"]);
    mistake("replay pair.toml --from 2h --to 1h", &["lies after the end of the trace"]);
    mistake("replay pair.toml --to soon", &["--to:1:1", "is not a time"]);
    mistake("rum pair.toml", &["unrecognized subcommand", "run"]);
}

#[test]
fn names_that_lead_nowhere() {
    let desk = Desk::new("names");
    desk.run("run no-such-model").is_mistake(&["no model is called `no-such-model`", "failsim list models"]);
    desk.run("sweep no-such").is_mistake(&["no experiment is called `no-such`"]);
    desk.run("test no-such").is_mistake(&["no scenario is called `no-such`"]);
    desk.change("two.toml", "bad.toml", "pair.toml", "pear");
    desk.change("bad.toml", "bad.toml", "measure = \"availability\"", "measure = \"availabilty\"");
    desk.run("sweep bad.toml").is_mistake(&[
        "bad.toml:2:10",
        "no model is called `pear`",
        "did you mean `availability`?",
        "2 mistakes",
    ]);
}

#[test]
fn mistakes_of_an_experiment() {
    let desk = Desk::new("experiment");
    let bad = |old: &str, new: &str, parts: &[&str]| {
        desk.change("two.toml", "bad.toml", old, new);
        desk.run("sweep bad.toml").is_mistake(parts);
    };
    bad("log = { from = \"10d\", to = \"1000d\", steps = 3 }", "values = []", &["the axis has no values"]);
    bad("nodes.*.failures.crash.mttf", "nodes.*.failures.crush.mttf", &["matches nothing in this model"]);
    // A key that only some policies have is fine, one that none has is not.
    bad("nodes.*.failures.crash.mttf", "groups.*.policy.*.hartbeat", &["matches nothing in this model"]);
    bad("heartbeat = \"1s\"", "hartbeat = \"1s\"", &["unknown key `hartbeat`", "did you mean `heartbeat`?"]);
    bad("policy = \"hot standby\"", "policy = \"hot stand-by\"", &["did you mean `hot standby`?"]);
    bad("horizon = \"2y\"", "horizon = \"600y\"", &["500"]);
    bad(
        "at_least = \"99%\"",
        "at_least = \"60s\"",
        &["bad.toml:24:12", "`60s` is no limit for a measure in 1"],
    );
    bad("runs = 40", "reports = [\"datta\"]", &["no report is called `datta`", "did you mean `data`?"]);
    bad("runs = 40", "measures = [\"lost\"]", &["no measure is called `lost`"]);
    desk.run("sweep two.toml --set groups.*.policy.*.hartbeat=2s")
        .is_mistake(&["--set:1:1", "matches nothing"]);
    assert!(!desk.path("results").exists(), "nothing is written before everything is read");
}

#[test]
fn mistakes_of_a_scenario() {
    let desk = Desk::new("scenario-mistakes");
    desk.change("crash.toml", "bad.toml", "crash = \"a\"", "crash = \"z\"");
    desk.change("bad.toml", "bad.toml", "a = \"main\"", "a = \"mian\"");
    desk.change("bad.toml", "bad.toml", "measure = \"unavailability\"", "measure = \"unavailable\"");
    let said = desk.run("test crash.toml bad.toml");
    said.ends(
        2,
        &["no node is called `z`", "no role is called `mian`", "did you mean `main`?", "`unavailable`"],
    );
    said.ends(2, &["2 scenarios: 1 passed, 0 failed, 1 could not be read"]);
    desk.change("crash.toml", "open.toml", "horizon = \"2h\"", "horizon = \"2h\"\nruns = 20");
    let mean = "over_runs = \"mean\"\nequals = 0.0052\nwithin = 1e-9\nconfidence = \"99.99999%\"";
    desk.change("open.toml", "open.toml", "at_most = \"10%\"", mean);
    desk.run("test crash.toml open.toml")
        .ends(3, &["? open", "too wide to say", "1 passed, 0 failed, 1 with too few runs to say"]);
}

#[test]
fn detectors_and_bursts_are_checked() {
    let desk = Desk::new("detectors");
    let with = |detector: &str, parts: &[&str]| {
        let policy = format!("[groups.service.policy.active-passive]\nheartbeat = \"1s\"\n{detector}");
        desk.change("pair.toml", "detector.toml", "[groups.service.policy.hot-standby]", &policy);
        desk.run("run detector.toml --runs 2 --horizon 1y").is_mistake(parts);
    };
    with("detector = { m-of-n = { missing = 4, of = 3 } }", &["4 of 3 ticks can never", "3 at most"]);
    with("detector = {}", &["no detector is named", "one of m-of-n, vrrp, lease, chen, phi-accrual"]);
    with("detector = { leese = { ttl = \"5s\" } }", &["unknown key `leese`", "did you mean `lease`?"]);
    with("detector = { lease = { ttl = \"1s\" } }", &["the lease is not longer than the heartbeat interval"]);
    with("detector = { chen = {} }", &["margin` is missing"]);
    with("detector = { vrrp = { priority = 255 } }", &["a whole number from 1 to 254"]);
    with("detector = { vrrp = {}, lease = { ttl = \"5s\" } }", &["say the same in two ways"]);
    with("timeout = \"5s\"\ndetector = { vrrp = {} }", &["say the same in two ways"]);
    with("detector = { phi-accrual = { tail = \"exponential\", pause = \"1s\" } }", &["has no `pause`"]);
    let latency = "latency = { fixed = \"2ms\" }";
    desk.change("pair.toml", "bursts.toml", latency, &format!("{latency}\nbursts = {{ good = \"1h\" }}"));
    desk.run("run bursts.toml").is_mistake(&["links.wan.bursts.bad` is missing"]);
    desk.change(
        "pair.toml",
        "bursts.toml",
        latency,
        &format!("{latency}\nbursts = {{ good = \"1h\", bad = \"0s\" }}"),
    );
    desk.run("run bursts.toml").is_mistake(&["a time above zero"]);
}

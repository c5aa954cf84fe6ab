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
    for value in ["0", "many", "-1", "4097"] {
        mistake(
            &format!("run pair.toml --jobs {value}"),
            &["--jobs", "expected a whole number from 1 to 4096"],
        );
    }
    for value in ["0", "-3", "1.5"] {
        mistake(
            &format!("run pair.toml --runs {value}"),
            &["--runs", "expected a whole number from 1 to 100000000"],
        );
    }
    mistake("run pair.toml --seed -1", &["--seed", "expected a whole number from 0 to"]);
    mistake("test crash.toml --runs -3", &["--runs", "expected a whole number from 1 to 1000000"]);
    mistake("replay pair.toml --run -1", &["--run", "expected a whole number from 0 to"]);
    mistake("run pair.toml --horizon -1y", &["--horizon:1:1", "cannot be negative", "`10y`"]);
    mistake("replay pair.toml --from -1h", &["--from:1:1", "cannot be negative"]);
    mistake(
        "run pair.toml --set nodes.*.failures.crash.mtf=1d",
        &["did you mean `nodes.*.failures.crash.mttf`?"],
    );
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
fn mistakes_of_options_are_shown_all_at_once() {
    let desk = Desk::new("options-at-once");
    let options = "--set foo --set nodes.a.strat=1s --set =2 --set nodes.a.start=soon --horizon 10";
    desk.run(&format!("run pair.toml {options} --vary x")).is_mistake(&[
        "no key and value",
        "did you mean `nodes.a.start`?",
        "`soon` is not a time",
        "--horizon:1:1",
        "--vary:1:1",
        "6 mistakes",
    ]);
    desk.run("test crash.toml --set foo --set nodes.a.strat=1s")
        .ends(2, &["no key and value", "did you mean `nodes.a.start`?", "2 mistakes"]);
    desk.run("replay pair.toml --from soon --to late --set foo").is_mistake(&["3 mistakes"]);
    let two = desk.read("two.toml").replace("runs = 40", "runs = 0");
    desk.write("bad.toml", &two);
    desk.run("sweep bad.toml --set foo").is_mistake(&["bad.toml:", "--set:1:1", "2 mistakes"]);
}

#[test]
fn what_is_no_text_file_is_said_to_be_none() {
    let desk = Desk::new("no-text");
    std::fs::create_dir(desk.path("folder")).unwrap();
    desk.run("run folder").is_mistake(&["cannot read `folder`: it is a folder"]);
    if cfg!(unix) {
        desk.run("run /dev/null").is_mistake(&["cannot read `/dev/null`: it is no ordinary file"]);
    }
    let mut bytes = desk.read("pair.toml").into_bytes();
    let line = bytes.iter().position(|byte| *byte == b'\n').unwrap();
    bytes[line + 1] = 0xff;
    std::fs::write(desk.path("latin.toml"), bytes).unwrap();
    desk.run("run latin.toml").is_mistake(&[
        "latin.toml:2:1",
        "the byte 0xff is no UTF-8",
        "expected text in UTF-8",
    ]);
    desk.change("two.toml", "bad.toml", "pair.toml", "latin.toml");
    desk.run("sweep bad.toml").is_mistake(&["bad.toml:2:", "latin.toml:2:1: the byte 0xff is no UTF-8"]);
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

/// Mistakes of every kind in one experiment, each with what is said of it.
const EXPERIMENT: &str = r#"title = "Many mistakes"
model = "pair.toml"
runs = 0
measures = ["downtme"]
reports = ["datta"]
sed = 3
[[axis]]
name = "MTTF"
set = "nodes.*.failures.crush.mttf"
values = ["10d", "20d"]
[[axis]]
name = "MTTF"
set = "nodes.*.failures.crash.mttf"
values = ["10 s/s"]
[[axis]]
name = "empty"
set = "nodes.*.strat"
values = []
[[policy]]
name = "one"
[policy.use.hot-stanby]
[[policy]]
name = "two"
group = "servicee"
set = { "nodes.b.strat" = "1s" }
[policy.use.hot-standby]
hartbeat = "1s"
[[gate]]
policy = "three"
measure = "availabilty"
at_least = "99%"
[[gate]]
measure = "availability"
group = "servce"
at_least = "60s"
at = { "empty" = "1s" }
"#;

#[test]
fn mistakes_of_an_experiment_are_shown_all_at_once() {
    let desk = Desk::new("experiment-at-once");
    desk.write("many.toml", EXPERIMENT);
    desk.run("sweep many.toml").is_mistake(&[
        "many.toml:3:8",
        "did you mean `downtime`?",
        "did you mean `data`?",
        "unknown key `sed`",
        "did you mean `nodes.*.failures.crash.mttf`?",
        "two axes are called `MTTF`",
        "`s/s` is not a unit of time",
        "did you mean `nodes.*.start`?",
        "the axis has no values",
        "did you mean `hot-standby`?",
        "no group is called `servicee`",
        "unknown key `hartbeat`",
        "did you mean `nodes.b.start`?",
        "no policy of this experiment is called `three`",
        "did you mean `availability`?",
        "did you mean `service`?",
        "`60s` is no limit",
        "17 mistakes",
    ]);
}

#[test]
fn mistakes_of_a_scenario_are_shown_all_at_once() {
    let desk = Desk::new("scenario-at-once");
    let text = r#"title = "Many mistakes"
model = "pair.toml"
horizon = "2h"
quit = true
set = { "nodes.a.strat" = "1s" }
[[at]]
time = "soon"
crash = "z"
[[at]]
time = "1h"
cut = "wam"
[[expect]]
measure = "unavailable"
at_most = "10%"
group = "servce"
[[expect]]
at = "soon"
role = { a = "mian", c = "main" }
[[expect]]
measure = "loss_age_max"
at_most = "10/s"
"#;
    desk.write("many.toml", text);
    let all = [
        "unknown key `quit`",
        "did you mean `nodes.a.start`?",
        "`soon` is not a time in `time`",
        "no node is called `z`",
        "did you mean `wan`?",
        "did you mean `unavailability`?",
        "did you mean `service`?",
        "`soon` is not a time in `at`",
        "did you mean `main`?",
        "no node is called `c`",
        "`10/s` is no limit",
    ];
    desk.run("test many.toml").ends(2, &all).ends(2, &["11 mistakes"]);
    // What a model with mistakes of its own does name is not missed: here the group, which has no policy to be made of.
    desk.change(
        "pair.toml",
        "bad.toml",
        "[groups.service.policy.hot-standby]",
        "[groups.service.policy.hot-stanby]",
    );
    desk.change("many.toml", "many.toml", "pair.toml", "bad.toml");
    desk.change("many.toml", "many.toml", "servce", "service");
    let said = desk.run("test many.toml");
    said.ends(2, &["did you mean `hot-standby`?", "no node is called `z`", "11 mistakes"]);
    assert!(!said.err.contains("no group is called"), "{}", said.err);
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

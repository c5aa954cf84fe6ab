//! Each command does what it says.

use super::Desk;

#[test]
fn help_names_every_command_and_the_exit_codes() {
    let desk = Desk::new("help");
    let commands = ["run", "sweep", "compare", "test", "check", "replay", "bounds", "new", "list", "explain"];
    let said = desk.run("--help");
    said.ends(0, &commands).ends(0, &["Exit codes: 0 good", "130 interrupted"]);
    assert_eq!(said.err, "");
    for command in commands {
        desk.run(&format!("{command} --help")).ends(0, &["Usage: failsim"]);
    }
    desk.run("run --help").ends(
        0,
        &[
            "--vary",
            "--set <KEY=VALUE>",
            "--seed",
            "--runs",
            "--horizon",
            "--jobs",
            "--out",
            "--format",
            "--fidelity",
            "--stepwise",
            "--quiet",
            "--explain",
            "--explain-fidelity",
        ],
    );
    desk.run("--version").ends(0, &["failsim "]);
    desk.run("").ends(2, &["Usage: failsim"]);
}

#[test]
fn run_prints_measures_with_intervals_and_says_what_they_are() {
    let desk = Desk::new("run");
    let said = desk.run("run pair.toml --runs 20 --horizon 2y");
    said.ends(0, &["pair: Two servers in two rooms", "20 runs of 2 years, seed 1", "availability", "±"]);
    said.ends(
        0,
        &["simulation intervals", "parameters are defaults", "of those assumptions", "Split brain:"],
    );
    assert_eq!(said.err, "", "no progress where nobody watches");
    desk.run("run pair.toml --runs 5 --explain --quiet").ends(
        0,
        &["Parameters left at their defaults", "groups.*.policy.hot-standby.heartbeat", "an assumption"],
    );
}

#[test]
fn run_says_which_processes_skip_and_why() {
    let desk = Desk::new("fidelity");
    let skipping = desk.run("run pair.toml --explain-fidelity --set links.wan.loss=1%");
    skipping.ends(
        0,
        &["pair: its processes", "watches the heartbeats of", "skips", "drawn from their exact law"],
    );
    skipping.ends(0, &["asks", "for an echo", "copies its writes to", "counted by ranges"]);
    let stepwise = desk.run("run pair.toml --explain-fidelity --stepwise");
    stepwise.ends(0, &["steps", "stepwise simulation was asked for"]);
    assert!(!stepwise.out.contains("exact law"), "{}", stepwise.out);
    let requests = desk.run("run pair.toml --explain-fidelity --fidelity requests");
    requests.ends(0, &["each request is an event"]);
    for said in [&skipping, &stepwise] {
        assert!(!said.out.contains("availability"), "nothing is simulated: {}", said.out);
    }
    desk.run("run pair.toml --explain-fidelity --set links.*.loss=60%")
        .ends(0, &["looks ahead", "most beats"]);
    let policy = "[groups.service.policy.active-passive]\ndetector = { phi-accrual = {} }";
    desk.change("pair.toml", "phi.toml", "[groups.service.policy.hot-standby]", policy);
    let bursts = "latency = { fixed = \"2ms\" }\nbursts = { good = \"1h\", bad = \"5s\" }";
    desk.change("phi.toml", "phi.toml", "latency = { fixed = \"2ms\" }", bursts);
    desk.run("run phi.toml --explain-fidelity")
        .ends(0, &["looks ahead", "each arrival moves what it expects", "which all its traffic shares"]);
    desk.run("explain phi-accrual").ends(0, &["phi-accrual", "Hayashibara"]);
    desk.run("explain phi-accrual.threshold").ends(0, &["Akka cluster, Cassandra"]);
    desk.run("explain links.*.bursts.loss").ends(0, &["Gilbert"]);
}

#[test]
fn stats_stand_beside_the_result_and_do_not_change_it() {
    let desk = Desk::new("stats");
    let plain = desk.run("run pair.toml --runs 30 --horizon 1y --jobs 2");
    let told = desk.run("run pair.toml --runs 30 --horizon 1y --jobs 2 --stats");
    assert_eq!((told.code, &told.out), (Some(0), &plain.out));
    assert_eq!(plain.err, "");
    let of_runs = "30 runs, 30.00 simulated years, in ";
    assert!(told.err.starts_with(of_runs), "{}", told.err);
    // Events are the same every time and add up; times are not and do not stand in a result.
    let count = |line: &str| line.split_whitespace().last().and_then(|word| word.parse::<u64>().ok());
    let events = |said: &str| -> Vec<u64> {
        let lines = said.lines().skip_while(|line| !line.contains(" events, ")).skip(1);
        lines.take_while(|line| line.starts_with("  ")).filter_map(count).collect()
    };
    let all = told.err.lines().find_map(|line| line.split_once(" events, ")).expect("a line on events").0;
    assert_eq!(events(&told.err).iter().sum::<u64>().to_string(), all, "{}", told.err);
    let one = desk.run("run pair.toml --runs 30 --horizon 1y --jobs 1 --stats");
    assert_eq!(events(&one.err), events(&told.err), "whatever the number of threads");
    for stage in ["opening runs", "stepping and observing", "closing runs", "folding", "files and plan"] {
        assert!(told.err.contains(stage), "{stage}: {}", told.err);
    }
}

#[test]
fn run_speaks_the_json_of_the_interface() {
    let desk = Desk::new("json");
    let said = desk.run("run pair.toml --runs 20 --seed 3 --horizon 2y --format json");
    said.ends(0, &[]);
    let value: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(
        (value["format"].as_u64(), value["seed"].as_u64(), value["runs"].as_u64()),
        (Some(1), Some(3), Some(20))
    );
    assert_eq!((value["model"].as_str(), value["horizon_s"].as_f64()), (Some("pair"), Some(63_115_200.0)));
    assert_eq!(value["fingerprint"].as_str().unwrap().len(), 32);
    let measure = &value["measures"]["unavailability"];
    for key in ["estimate", "low", "high", "confidence"] {
        assert!(measure[key].is_f64(), "{key}: {measure}");
    }
    for key in ["unit", "n", "method"] {
        assert!(!measure[key].is_null(), "{key}: {measure}");
    }
    assert!(value["groups"]["service"].is_object());
    assert_eq!(value["bounds"]["service"]["loss_age"]["unit"], "s");
    assert_eq!(value["bounds"]["service"]["split_brain"]["unbounded"], true);
    assert_eq!(value["bounds"]["service"]["split_brain"]["value"], serde_json::Value::Null);
}

#[test]
fn run_compares_values_of_a_key_on_the_same_failures() {
    let desk = Desk::new("vary");
    let line =
        "run pair.toml --runs 20 --horizon 2y --vary groups.*.policy.*.isolated_standby=remain,become-main";
    desk.run(line).ends(
        0,
        &["isolated_standby remain", "isolated_standby become-main minus", "gain", "better", "worse"],
    );
    let said = desk.run(&format!("{line} --format json"));
    let value: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(value["values"].as_array().unwrap().len(), 2);
    assert!(value["differences"][0]["low"].is_f64());
    desk.run(&format!("{line} --format csv")).ends(0, &["policy,runs,seed,fingerprint,"]);
    desk.run(&format!("{line} --format markdown")).ends(0, &["| policy |", "## pair"]);
}

#[test]
fn test_runs_scenarios_and_shows_each_expectation() {
    let desk = Desk::new("scenario");
    desk.run("test crash.toml")
        .ends(0, &["✓ crash", "✓ at 59m: a is main: active", "1 scenario: 1 passed, 0 failed"]);
    desk.change("crash.toml", "wrong.toml", "b = \"active\"", "b = \"standby\"");
    desk.run("test crash.toml wrong.toml")
        .ends(1, &["✗ wrong", "✗ at 1h 5m: b is standby: active", "2 scenarios: 1 passed, 1 failed"]);
}

#[test]
fn replay_is_the_same_again_and_names_things() {
    let desk = Desk::new("replay");
    let said = desk.run("replay pair.toml --run 3 --to 60d");
    said.ends(0, &["seconds  where", "0.000000000  a", "process       runs", "fingerprint"]);
    assert_eq!(said.out, desk.run("replay pair.toml --run 3 --to 60d --quiet").out);
    let whole = desk.run("replay pair.toml --run 3 --horizon 1y --quiet").out;
    assert!(whole.starts_with(&said.out), "a part is the beginning of the whole");
    let late = desk.run("replay pair.toml --run 3 --from 30d --to 60d --quiet").out;
    let (_heading, late) = late.split_once('\n').unwrap();
    assert!(said.out.ends_with(late), "a later part is its end");
    for line in desk.run("replay pair.toml --to 60d --format jsonl").out.lines() {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(
            line.starts_with("{\"t_ns\":") && value["fact"].is_string() && value["subject"].is_string(),
            "{line}"
        );
    }
}

#[test]
fn bounds_are_formulas_with_numbers() {
    let desk = Desk::new("bounds");
    desk.run("bounds pair.toml").ends(0, &["age of a lost write", "6s", "length of a split brain", "none"]);
    desk.run("bounds pair.toml --format json").ends(0, &["\"grows_with\"", "\"formula\""]);
}

#[test]
fn lists_and_explanations() {
    let desk = Desk::new("list");
    desk.run("list policies").ends(0, &["hot-standby", "active-passive", "single", "no redundancy"]);
    desk.run("list measures").ends(0, &["unavailability", "safe_availability"]);
    for what in ["models", "experiments", "scenarios"] {
        desk.run(&format!("list {what}")).ends(0, &["title"]);
    }
    desk.run("list policies --format json").ends(0, &["\"rows\""]);
    desk.run("explain hot-standby").ends(0, &["hot-standby (a policy)", "heartbeat"]);
    desk.run("explain unavailability").ends(0, &["(a measure", "less is better"]);
    desk.run("explain nodes.a.failures.crash.mttf").ends(0, &["nodes.*.failures.*.mttf", "value:"]);
    desk.run("explain hot-standbi").is_mistake(&["did you mean `hot-standby`?"]);
    desk.run("explain unavailabilty").is_mistake(&["did you mean `unavailability`?"]);
}

#[test]
fn a_closed_pipe_is_quiet() {
    use std::io::{BufRead, BufReader};
    use std::process::Stdio;
    let desk = Desk::new("pipe");
    let mut child = desk
        .command("replay pair.toml --horizon 100y")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

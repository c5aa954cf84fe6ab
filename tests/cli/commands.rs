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
    for word in ["skips", "looks ahead"] {
        assert!(!stepwise.out.contains(word), "nothing does: {}", stepwise.out);
    }
    // What has one form only is told in the same words, whichever was asked for.
    for said in [&skipping, &stepwise] {
        for what in ["copies its writes to", "polls", "watches its connection to", "the work of"] {
            let lines: Vec<_> = said.out.lines().filter(|line| line.contains(what)).collect();
            assert!(
                !lines.is_empty() && lines.iter().all(|line| line.contains("  one form  ")),
                "{}",
                said.out
            );
        }
        let policy = said.out.lines().find(|line| line.starts_with("the nodes of service: own messages"));
        assert!(policy.is_some_and(|line| line.contains("  steps  ")), "{}", said.out);
    }
    skipping.ends(0, &["true clocks"]);
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
        .ends(0, &["looks ahead", "what is remembered of the last beats", "which all its traffic shares"]);
    // Ticks of clocks that differ are out of step with beats after a while: how far that allows is told.
    let ticks = "[groups.service.policy.active-passive]\ndetector = { m-of-n = { missing = 3, of = 5 } }";
    desk.change("pair.toml", "ticks.toml", "[groups.service.policy.hot-standby]", ticks);
    desk.run("run ticks.toml --explain-fidelity --set nodes.*.clock.drift=100ppm")
        .ends(0, &["differ by 2.0e-4", "after 5000 ticks at most", "until each tick has its beat again"]);
    let said = desk.run("run ticks.toml --explain-fidelity --set nodes.*.clock.drift=0");
    said.ends(0, &["every tick has its own"]);
    let lossy = "run ticks.toml --explain-fidelity --set nodes.*.clock.drift=0 --set links.*.loss=1%";
    desk.run(lossy).ends(0, &["  skips     the first 3 of 5 beats that are lost or later than", "exact law"]);
    assert!(!said.out.contains("slide past"), "{}", said.out);
    desk.run("explain phi-accrual").ends(0, &["phi-accrual", "Hayashibara"]);
    desk.run("explain phi-accrual.threshold").ends(0, &["Akka cluster, Cassandra"]);
    desk.run("explain links.*.bursts.loss").ends(0, &["Gilbert"]);
}

/// A balancer's checks go over the link of its client.
#[test]
fn run_says_what_the_links_of_clients_do_to_checks() {
    let desk = Desk::new("checks");
    desk.write(
        "web.toml",
        "title = \"an instance\"\n[nodes.a]\n[links.access]\nbetween = [\"users\", \"a\"]\nlatency = \"5ms\"\n\
         [groups.web]\nnodes = [\"a\"]\n[groups.web.policy.active-active]\n[clients.users]\nto = \"web\"\n\
         reads = \"10/s\"\n",
    );
    let say = |set: &str| desk.run(&format!("run web.toml --explain-fidelity --set links.access.{set}"));
    say("loss=0").ends(0, &["balancer of users checks a ", "  skips     every check succeeds"]);
    say("loss=1%").ends(0, &["the first 3 checks in a row that are lost or slow (P = 0.0199 each)"]);
    say("loss=40%").ends(0, &["looks ahead", "most checks would be lost or slow"]);
    say("latency=5s").ends(0, &["looks ahead", "most checks would be lost or slow"]);
    say("bursts={good=\"1h\",bad=\"5s\"}")
        .ends(0, &["looks ahead", "the states of the link are read from one path"]);
    desk.run("run web.toml --runs 3 --horizon 10d --set links.access.latency=5s")
        .ends(0, &["unavailability                    0.9999916 ±0.0000010"]);
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
fn run_speaks_csv_that_needs_no_reading_of_words() {
    let desk = Desk::new("csv");
    // Nothing fails here: every time without an event has its bound.
    let said = desk.run("run pair.toml --runs 20 --horizon 1h --format csv");
    let mut lines = said.ends(0, &[]).out.lines();
    assert_eq!(lines.next(), Some("group,measure,estimate,low,high,confidence,unit,n,method"));
    let json: serde_json::Value =
        serde_json::from_str(&desk.run("run pair.toml --runs 20 --horizon 1h --format json").out).unwrap();
    let mut rows = 0;
    for line in lines {
        let fields: Vec<&str> = line.splitn(9, ',').collect();
        let [group, measure, ref numbers @ .., _unit, n, method] = fields[..] else { panic!("{line}") };
        let figures = if group.is_empty() { &json["measures"] } else { &json["groups"][group] };
        let figure = &figures[measure];
        for (text, name) in numbers.iter().zip(["estimate", "low", "high", "confidence"]) {
            // The reader of JSON may be one off in the last digit.
            let (text, told): (Option<f64>, _) = (text.parse().ok(), figure[name].as_f64());
            let is_equal = text.zip(told).map_or(text == told, |(a, b)| (a - b).abs() <= 1e-15 * b.abs());
            assert!(is_equal, "{name} in {line}, {told:?} in JSON");
        }
        assert_eq!(
            (n.parse().ok(), method.trim_matches('"')),
            (figure["n"].as_u64(), figure["method"].as_str().unwrap())
        );
        rows += 1;
    }
    let count = |value: &serde_json::Value| value.as_object().unwrap().len();
    assert_eq!(rows, count(&json["measures"]) + count(&json["groups"]["service"]));
    // The limit of Clopper and Pearson without a hit, 1 − 0.05^(1/20), over the whole horizon; and what it is called.
    let limit = 1.0 - failsim::maths::pow(0.05, 1.0 / 20.0);
    for (measure, bound) in [("downtime", limit * 31_557_600.0), ("unavailability", limit)] {
        let figure = &json["measures"][measure];
        assert!((figure["high"].as_f64().unwrap() / bound - 1.0).abs() < 1e-12, "{figure}");
        assert_eq!(
            (figure["low"].as_f64(), figure["method"].as_str()),
            (None, Some("no event, upper limit"))
        );
    }
    assert_eq!(json["measures"]["availability"]["method"], "all events, lower limit");
}

#[test]
fn a_short_run_says_its_length_as_people_do() {
    let desk = Desk::new("length");
    desk.run("run pair.toml --runs 4 --horizon 10d").ends(0, &["4 runs of 10d, seed 1"]);
    desk.run("run pair.toml --runs 4 --horizon 1y").ends(0, &["4 runs of 1 year, seed 1"]);
}

#[test]
fn the_list_of_defaults_holds_as_many_as_are_counted() {
    let desk = Desk::new("defaults");
    let said = desk.run("run pair.toml --runs 4 --explain");
    let (report, list) = said.out.split_once("Parameters left at their defaults").unwrap();
    let marks: Vec<&str> = list
        .lines()
        .filter(|line| !line.contains("Marks:"))
        .filter_map(|line| line.split_whitespace().find(|word| ["S", "P", "A", "-"].contains(word)))
        .collect();
    let count = |mark: &str| marks.iter().filter(|other| **other == mark).count();
    let (neutral, assumed) = (count("-"), count("A"));
    let sentence =
        format!("{} parameters are defaults, {assumed} of those assumptions", marks.len() - neutral);
    assert!(report.contains(&sentence) && list.contains(&sentence), "{sentence}:\n{}", said.out);
    assert!(list.contains(&format!("the {neutral} neutral ones at the end")), "{list}");
}

#[test]
fn a_default_that_plays_no_part_is_not_counted() {
    let desk = Desk::new("idle-defaults");
    let listed = |options: &str, keys: &[&str]| {
        let said = desk.run(&format!("run server-pair --runs 2 --horizon 30d --explain {options}"));
        let found = keys.iter().filter(|key| said.out.contains(&format!("active-passive.{key} "))).count();
        let (_, rest) = said.ends(0, &[]).out.split_once("failure rates are known. ").unwrap();
        (found, rest.split(' ').next().unwrap().parse::<usize>().unwrap())
    };
    let fence = ["fence_delay", "fence_success", "fence_off", "fence_retry"];
    let (idle, count) = listed("", &fence);
    assert_eq!(idle, 0, "nothing is fenced");
    let fencing = "--set groups.*.policy.*.fencing=on";
    assert_eq!(listed(fencing, &fence), (4, count + 4));
    assert_eq!(listed(&format!("{fencing} --set groups.*.policy.*.fence_off=1m"), &fence), (3, count + 3));
    let lag = ["lag", "catch_up_speed"];
    let backup = ["backup_interval", "backup_time"];
    assert_eq!((listed("", &lag).0, listed("", &backup).0), (2, 0));
    let by_backup = "--set groups.*.policy.*.replication=backup";
    assert_eq!((listed(by_backup, &lag).0, listed(by_backup, &backup)), (0, (2, count)));
    assert_eq!(listed("", &["manual"]).0, 0, "every switch works by itself");
    assert_eq!(listed("--set groups.*.policy.*.coverage=90%", &["manual"]), (1, count));
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
fn test_takes_the_common_options() {
    let desk = Desk::new("test-options");
    desk.change("crash.toml", "wrong.toml", "b = \"active\"", "b = \"standby\"");
    let said = desk.run("test crash.toml wrong.toml --format json --jobs 1 --seed 5 --runs 3");
    said.ends(1, &[]);
    let value: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((value["passed"].as_u64(), value["failed"].as_u64()), (Some(1), Some(1)));
    assert_eq!(value["scenarios"][1]["verdict"], "failed");
    let expectations = value["scenarios"][1]["expectations"].as_array().unwrap();
    let missed: Vec<_> = expectations.iter().filter(|judged| judged["verdict"] == "failed").collect();
    assert_eq!(missed.len(), 1);
    assert_eq!(
        (&missed[0]["expected"], &missed[0]["found"]),
        (&"at 1h 5m: b is standby".into(), &"active in run 0".into())
    );
    desk.run("test crash.toml --format csv").ends(0, &["scenario,verdict,expected,found", "crash,passed,"]);
    desk.run("test crash.toml --format markdown").ends(0, &["| scenario | verdict |", "1 passed, 0 failed"]);
    let quiet = desk.run("test crash.toml wrong.toml --quiet --format csv");
    assert!(!quiet.ends(1, &["wrong,failed,"]).out.contains("crash,"), "{}", quiet.out);
    desk.run("test crash.toml --set groups.*.policy.*.heartbeat_timeout=10m --set groups.*.policy.*.monitor_timeout=10m")
        .ends(1, &["✗ at 1h 5m: b is active: standby"]);
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
    let lines = desk.run("replay pair.toml --to 60d --format json");
    lines.ends(0, &[]);
    assert_eq!(lines.out, desk.run("replay pair.toml --to 60d --format jsonl").out, "its other name");
    assert!(lines.out.lines().count() > 10);
    for line in lines.out.lines() {
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
    let options =
        "--set groups.*.policy.*.transfer_interval=9s --seed 3 --runs 5 --horizon 1y --jobs 2 --quiet";
    desk.run(&format!("bounds pair.toml {options}")).ends(0, &["10s"]);
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

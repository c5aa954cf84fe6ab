//! Result folders: what is written, when it is replaced, and how it is compared.

use std::fs;

use super::Desk;

const FILES: [&str; 4] = ["points.csv", "pairs.csv", "manifest.json", "summary.md"];

#[test]
fn a_sweep_writes_its_folder_and_prints_the_comparison() {
    let desk = Desk::new("sweep");
    let said = desk.run("sweep two.toml");
    said.ends(
        0,
        &[
            "Which of two",
            "server MTTF 100 d",
            "hot standby",
            "one server",
            "Safely up the longest: hot standby up to",
        ],
    );
    said.ends(0, &["simulation intervals", "written to results/two"]);
    let points = desk.read("results/two/points.csv");
    assert!(points.starts_with("server MTTF (d),policy,runs,seed,fingerprint,"), "{points}");
    assert_eq!(points.lines().count(), 1 + 3 * 2);
    assert!(desk.read("results/two/pairs.csv").lines().count() > 3);
    let manifest = desk.read("results/two/manifest.json");
    for part in ["\"experiment\": \"two\"", "first_run", "\"pair.toml\"", "\"seed\": 7"] {
        assert!(manifest.contains(part), "{part}");
    }
    let home = desk.0.display().to_string();
    assert!(FILES.iter().all(|file| !desk.read(&format!("results/two/{file}")).contains(&home)));
    assert!(desk.path("results/two/charts/unavailability.svg").exists());
    let left: Vec<_> =
        fs::read_dir(desk.path("results")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["two"]);
}

#[test]
fn equal_inputs_give_equal_bytes_for_any_number_of_threads() {
    let desk = Desk::new("bytes");
    for (jobs, out) in [(1, "a"), (2, "b"), (7, "c")] {
        desk.run(&format!("sweep two.toml --runs 60 --quiet --jobs {jobs} --out {out}")).ends(0, &[]);
    }
    for file in FILES.iter().copied().chain(["charts/unavailability.png", "charts/unavailability.svg"]) {
        let bytes = |folder: &str| fs::read(desk.path(folder).join(file)).unwrap();
        assert!(bytes("a") == bytes("b") && bytes("a") == bytes("c"), "{file}");
    }
}

#[test]
fn compare_reads_folders() {
    let desk = Desk::new("compare");
    desk.run("sweep two.toml --quiet --out a").ends(0, &[]);
    desk.run("sweep two.toml --quiet --out b --seed 8").ends(0, &[]);
    let said = desk.run("compare a");
    said.ends(
        0,
        &[
            "Not safely up: b minus a, paired run by run at server MTTF",
            "hot standby up to 100 d, one server from 1000 d",
        ],
    );
    said.ends(0, &["Ranking", "1 of 1 pair is told apart", "Safely up the longest: hot standby up to 100 d"]);
    let first = said.out.find("paired run by run").unwrap();
    assert!(first < said.out.find("Ranking").unwrap(), "differences come first");
    desk.run("compare a --measure outage_rate").ends(0, &["Outage: b minus a", "10 d, /yr"]);
    desk.run("compare a --measure outage_rat")
        .is_mistake(&["no differences of `outage_rat`", "`outage_rate`?"]);
    desk.run("compare a a").ends(0, &["Nothing differs: equal to the last bit."]);
    desk.run("compare a b").ends(0, &["the seed (7 → 8)", "figures moved"]);
    desk.run("compare nowhere").is_mistake(&["cannot read `nowhere/manifest.json`", "failsim sweep"]);
}

#[test]
fn check_tells_what_moved_and_blesses() {
    let desk = Desk::new("check");
    desk.run("check two.toml").is_mistake(&["there is no baseline in `results/two`", "--bless"]);
    desk.run("check two.toml --bless").ends(0, &["is the new baseline"]);
    desk.run("check two.toml")
        .ends(0, &["equal to the baseline to the last bit", "✓ server MTTF 10 d, hot standby"]);
    desk.change("pair.toml", "pair.toml", "3h", "4h");
    desk.run("check two.toml")
        .ends(1, &["model `pair.toml`", "unavailability", "server MTTF 10 d, one server"]);
    desk.run("check two.toml --bless").ends(0, &[]);
    desk.run("check two.toml --jobs 3 --quiet").ends(0, &["equal to the baseline"]);
}

#[test]
fn what_the_file_says_as_well_is_no_other_input() {
    let desk = Desk::new("repeated");
    desk.run("check two.toml --bless --quiet").ends(0, &[]);
    desk.run("check two.toml --quiet --runs 40 --seed 7 --horizon 2y --fidelity aggregate")
        .ends(0, &["equal to the baseline to the last bit"]);
    desk.run("check two.toml --quiet --runs 41").ends(1, &["--runs"]);
}

#[test]
fn check_names_the_points_and_measures_that_another_time_out_moves() {
    let desk = Desk::new("time-out");
    desk.run("check two.toml --bless --quiet").ends(0, &["of 3 gates 3 passed, 0 failed, 0 inconclusive"]);
    desk.change(
        "two.toml",
        "two.toml",
        "heartbeat = \"1s\"",
        "heartbeat = \"1s\"\nheartbeat_timeout = \"40s\"",
    );
    let said = desk.run("check two.toml --quiet");
    said.ends(1, &["experiment `two.toml`", "server MTTF 10 d, hot standby", "detection_time_mean"]);
    said.ends(1, &["intervals apart", "figures moved at 3 points and policies", "failover_time_mean (3)"]);
    assert!(!said.out.contains("one server  "), "it has no time-out");
    let value: serde_json::Value =
        serde_json::from_str(&desk.run("check two.toml --quiet --format json").out).unwrap();
    assert!(value["changes"].as_array().unwrap().len() > 40, "programs see all of them");
}

#[test]
fn an_experiment_chooses_what_it_reports() {
    let desk = Desk::new("reports");
    let keys = "runs = 40\nmeasures = [\"outage_rate\", \"safe_availability\"]\nreports = [\"comparison\", \"cost\"]";
    desk.change("two.toml", "few.toml", "runs = 40", keys);
    let said = desk.run("sweep few.toml --quiet");
    said.ends(0, &["outage, /yr  not safely up, h/yr  nines"]);
    assert!(!said.out.contains("split brain"), "nobody asked for it");
    let summary = desk.read("results/few/summary.md");
    assert!(summary.contains("node time owned") && !summary.contains("loses least"), "{summary}");
    let charts: Vec<String> = ["outage-rate", "not-safely-up", "unavailability", "split-brain-windows"]
        .into_iter()
        .filter(|name| desk.path(&format!("results/few/charts/{name}.svg")).exists())
        .map(str::to_owned)
        .collect();
    assert_eq!(charts, ["outage-rate", "not-safely-up"]);
    // The folder remembers: what is asked for stands in the manifest.
    desk.run("compare results/few").ends(0, &["Not safely up: b minus a"]);
}

#[test]
fn gates_pass_fail_or_cannot_say() {
    let desk = Desk::new("gates");
    let gate = |limit: &str| {
        desk.change(
            "two.toml",
            "gate.toml",
            "at_least = \"99%\"",
            &format!("{limit}\nat = {{ \"server MTTF\" = \"10d\" }}"),
        );
        desk.run("check gate.toml --gates-only --quiet")
    };
    gate("at_least = \"50%\"").ends(0, &["✓ server MTTF 10 d, hot standby: availability ≥ 50%"]);
    gate("at_most = \"50%\"").ends(1, &["✗ server MTTF 10 d, hot standby: availability ≤ 50%"]);
    let value: serde_json::Value =
        serde_json::from_str(&desk.run("check gate.toml --gates-only --format json").out).unwrap();
    let estimate = value["gates"][0]["found"]["estimate"].as_f64().unwrap();
    gate(&format!("at_least = {estimate}")).ends(3, &["? server MTTF 10 d", "more runs would tell"]);
}

#[test]
fn a_folder_that_holds_something_else_is_left_alone() {
    let desk = Desk::new("foreign");
    fs::create_dir_all(desk.path("results/two")).unwrap();
    desk.write("results/two/thesis.tex", "three years");
    desk.run("sweep two.toml --quiet").is_mistake(&["holds files that are no result", "--out", "--replace"]);
    assert_eq!(desk.read("results/two/thesis.tex"), "three years");
    desk.run("sweep two.toml --quiet --replace").ends(0, &[]);
    assert!(!desk.path("results/two/thesis.tex").exists());
    desk.run("sweep two.toml --quiet --out pair.toml/x").is_mistake(&["pair.toml/.x.partial", "--out"]);
}

#[test]
fn replace_never_takes_what_it_cannot_have_been_meant_for() {
    let desk = Desk::new("protected");
    fs::create_dir_all(desk.path("in/side")).unwrap();
    fs::create_dir_all(desk.path("project/.git")).unwrap();
    let refused = |stands: &str, home: &str, out: &str, why: &str| {
        let line = format!("sweep {}/two.toml --quiet --runs 2 --replace --out {out}", desk.0.display());
        let mut command = desk.command(&line);
        command.current_dir(desk.path(stands)).env("HOME", desk.path(home));
        desk.said(&mut command).is_mistake(&[why, "never replaced", "--out"]);
    };
    let whole = |name: &str| desk.path(name).display().to_string();
    refused("in/side", "project", &whole("in/side"), "is or contains the working directory");
    refused("in/side", "project", &whole("in"), "is or contains the working directory");
    refused("in/side", "project", "../../in", "is or contains the working directory");
    refused(".", "in/side", &whole("in/side"), "is or contains the home directory");
    refused(".", "in/side", "in", "is or contains the home directory");
    refused(".", "in", "project", "holds a repository");
    refused(".", "in", "pair.toml", "is a file");
    for name in ["in/side", "project/.git", "pair.toml"] {
        assert!(desk.path(name).exists(), "{name}");
    }
    desk.run("run pair.toml --runs 2 --replace --out pair.toml").is_mistake(&["is a file"]);
}

#[test]
#[cfg(unix)]
fn ctrl_c_leaves_the_last_complete_result() {
    use std::process::{Command, Stdio};
    let desk = Desk::new("interrupt");
    desk.run("sweep two.toml --quiet").ends(0, &[]);
    let before = desk.read("results/two/points.csv");
    let child = desk
        .command("sweep two.toml --runs 100000000 --jobs 2")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while !desk.path("results/.two.partial").exists() {
        std::thread::yield_now();
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(String::from_utf8_lossy(&output.stderr).contains("interrupted"));
    assert_eq!(output.stdout, b"");
    assert_eq!(desk.read("results/two/points.csv"), before);
}

#[test]
fn new_never_writes_over_a_file() {
    let desk = Desk::new("new");
    // A path on disk serves as the model to begin with as well.
    desk.run("new mine.toml --from pair.toml").ends(0, &["failsim run mine.toml"]);
    assert_eq!(desk.read("mine.toml"), desk.read("pair.toml"));
    desk.run("run mine.toml --runs 5").ends(0, &["mine: Two servers"]);
    desk.run("new mine.toml --from pair.toml").is_mistake(&["`mine.toml` is there already"]);
    desk.run("new other.toml --from no-such").is_mistake(&["no model is called `no-such`"]);
}

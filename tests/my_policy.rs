//! `examples/my_policy.rs`: an outsider's policy has the whole command line, beside the shipped ones.

#[path = "common/program.rs"]
mod program;

use std::process::{Command, Output};

use program::program;

/// Runs it in the project's folder: standard output, after asserting how it ended.
#[track_caller]
fn said(code: i32, words: &[&str]) -> String {
    let Output { status, stdout, stderr } = Command::new(program("my_policy"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(words)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let (stdout, stderr) = (text(stdout), text(stderr));
    assert_eq!(status.code(), Some(code), "{words:?}\n{stdout}\n{stderr}");
    if code == 0 { stdout } else { stderr }
}

/// The estimate of a measure in JSON output.
fn estimate(json: &str, measure: &str) -> f64 {
    let all: serde_json::Value = serde_json::from_str(json).unwrap();
    all["measures"][measure]["estimate"]
        .as_f64()
        .unwrap_or_else(|| panic!("{measure} is not there:\n{all:#}"))
}

const MODEL: &str = "examples/my_policy.toml";
const SHORT: [&str; 6] = ["--runs", "40", "--horizon", "5y", "--format", "json"];

#[test]
fn it_stands_beside_the_shipped_ones() {
    let list = said(0, &["list", "policies"]);
    for name in ["witnessed", "single", "active-passive", "hot-standby"] {
        assert!(list.contains(name), "{name} is missing in:\n{list}");
    }
    assert!(said(0, &["explain", "witnessed"]).contains("hears nobody"));
    assert!(said(0, &["bounds", MODEL]).contains("longest lag"));
}

#[test]
fn it_serves_and_never_splits_where_a_plain_pair_does() {
    let mine = said(0, &[&["run", MODEL], &SHORT[..]].concat());
    assert!(estimate(&mine, "availability") > 0.999);
    assert_eq!(estimate(&mine, "split_brain_rate"), 0.0);
    // A server that gives up because it is cut off failed at the cut, not when it last crashed; and what the witness
    // suspects as well makes no takeover of the other server fail.
    assert!(estimate(&mine, "detection_time_max") < 5.1, "the time-out is 5 s");
    assert!(estimate(&mine, "failed_failover_rate") < 0.1 * estimate(&mine, "failover_rate"));
    // The same nodes and links under a plain active-passive group.
    let pair = "groups.service.policy={ active-passive = { heartbeat = \"1s\", timeout = \"5s\" } }";
    let plain = said(0, &[&["run", MODEL, "--set", pair], &SHORT[..]].concat());
    assert!(estimate(&plain, "split_brain_rate") > 0.0);
}

#[test]
fn its_parameters_are_checked_like_any_others() {
    let wrong = said(2, &["run", MODEL, "--set", "groups.service.policy.witnessed.timeout=\"3s\""]);
    assert!(wrong.contains("a standby could take over before"), "{wrong}");
    let wrong = said(2, &["run", MODEL, "--set", "groups.service.policy.witnessed.giveup=\"3s\""]);
    assert!(wrong.contains("give_up"), "no advice in:\n{wrong}");
}

#[test]
fn any_run_of_it_is_replayed() {
    let trace = said(0, &["replay", MODEL, "--run", "7", "--horizon", "1y"]);
    assert!(trace.contains("active, accepts"), "{trace}");
}

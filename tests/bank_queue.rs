//! `examples/bank_queue.rs`: the engine alone, and a queue whose theory is known.

#[path = "common/program.rs"]
mod program;

use std::process::Command;

#[test]
fn the_simulated_queue_is_the_one_of_theory() {
    let done = Command::new(program::program("bank_queue")).output().unwrap();
    let out = String::from_utf8(done.stdout).unwrap();
    assert!(done.status.success(), "{out}");
    // M/M/1 at a load of 0.8: 4 in the system, for 48 s / (1 − 0.8).
    let wanted =
        [("customers in the bank", 4.0), ("seconds in the bank", 240.0), ("share of time busy", 0.8)];
    for (what, theory) in wanted {
        let line =
            out.lines().find_map(|line| line.strip_prefix(what)).unwrap_or_else(|| panic!("{what}:\n{out}"));
        let words: Vec<&str> = line.split_whitespace().collect();
        let [mean, "±", half, told] = words[..] else { panic!("{line}") };
        let [mean, half, told] = [mean, half, told].map(|word| word.parse::<f64>().unwrap());
        assert_eq!(told, theory, "{what}");
        assert!(half > 0.0 && half < 0.01 * theory, "{what}: {line}");
        // Its 95 % interval, and the last digit that is printed.
        assert!((mean - theory).abs() <= half + 0.001, "{what}: {line}");
    }
    assert!(out.contains("Run 0 and its clone from noon both served"), "{out}");
}

//! Programs of `examples/`, as a user runs them.

use std::path::{Path, PathBuf};
use std::process::Command;

/// An example, which cargo builds with the tests; by itself where only one test was asked for.
pub(crate) fn program(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_BIN_EXE_failsim")).parent().unwrap();
    let path = folder.join("examples").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    if !path.exists() {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--example", name]).args(folder.ends_with("release").then_some("--release"));
        assert!(cargo.status().unwrap().success());
    }
    path
}

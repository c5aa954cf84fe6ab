//! `failsim new`: a model of one's own from a shipped one.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

use clap::Args;

use super::exit::{Ended, Exit, Failure};
use super::output::print;
use crate::model::shipped::{self, FileKind};

/// Writes a commented model of your own, made from a shipped one
#[derive(Args, Debug)]
pub(super) struct NewArgs {
    /// The file to write, such as `mine.toml`
    file: PathBuf,
    /// The shipped model to begin with (`failsim list models`)
    #[arg(long, value_name = "NAME")]
    from: String,
}

pub(super) fn new(args: &NewArgs) -> Ended {
    let found = shipped::find(FileKind::Model, &args.from, None)?;
    let path = args.file.display();
    // `create_new`: a file that is there already is never written over.
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&args.file)
        .and_then(|mut file| file.write_all(found.source.text.as_bytes()));
    if let Err(error) = written {
        return Err(Failure::Usage(match error.kind() {
            ErrorKind::AlreadyExists => {
                format!("`{path}` is there already; choose another name or move it away")
            }
            _ => format!("cannot write `{path}`: {error}"),
        }));
    }
    print(&format!("{path} written. Change it, then: failsim run {path}\n"))?;
    Ok(Exit::Good)
}

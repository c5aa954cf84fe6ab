//! The command line from outside: what each command prints, where, and how it ends.

mod commands;
mod files;
mod mistakes;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder of its own for one test, with the small model, experiment and scenario in it; removed at its end.
struct Desk(PathBuf);

/// How a command ended.
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Desk {
    fn new(test: &str) -> Desk {
        let path = std::env::temp_dir().join(format!("failsim-cli-{test}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
        for file in ["pair.toml", "two.toml", "crash.toml"] {
            std::fs::copy(data.join(file), path.join(file)).unwrap();
        }
        Desk(path)
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_failsim"));
        command.current_dir(&self.0).args(line.split_whitespace());
        command
    }

    /// Runs a command line whose words hold no blanks.
    fn run(&self, line: &str) -> Said {
        self.said(&mut self.command(line))
    }

    /// Runs a command that was prepared further.
    fn said(&self, command: &mut Command) -> Said {
        let Output { status, stdout, stderr } = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is text");
        Said { code: status.code(), out: text(stdout), err: text(stderr) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// A copy of a file with one text replaced.
    fn change(&self, from: &str, to: &str, old: &str, new: &str) {
        let text = self.read(from);
        assert!(text.contains(old), "`{old}` is not in {from}");
        self.write(to, &text.replace(old, new));
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Said {
    /// Asserts how it ended and what it printed on either stream, wherever its sentences are broken into lines.
    #[track_caller]
    fn ends(&self, code: i32, parts: &[&str]) -> &Said {
        let all = format!("{}\n{}", self.out, self.err);
        let flowing = all.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(self.code, Some(code), "{all}");
        for part in parts {
            assert!(all.contains(part) || flowing.contains(part), "`{part}` is missing in:\n{all}");
        }
        self
    }

    /// Asserts that it is bad input: exit 2, nothing on standard output, no panic.
    #[track_caller]
    fn is_mistake(&self, parts: &[&str]) {
        self.ends(2, parts);
        assert_eq!(self.out, "", "a mistake belongs on standard error");
        assert!(!self.err.contains("panicked"), "{}", self.err);
    }
}

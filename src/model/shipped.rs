//! Files built into the program: models, experiments and scenarios by their bare names, from any folder.
//!
//! A path on disk wins when it exists. A new file in `models/`, `experiments/` or `experiments/scenarios/` is added
//! to the list below; a test names those that are missing.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::input::nearest::nearest;
use crate::input::{Files, Folder, Problem, Source};

/// A file built into the program.
#[derive(Clone, Copy, Debug)]
pub struct ShippedFile {
    /// Its path from the top of the project.
    pub path: &'static str,
    /// Its text.
    pub text: &'static str,
}

macro_rules! shipped {
    ($($path:literal),* $(,)?) => {
        &[$(ShippedFile { path: $path, text: include_str!(concat!("../../", $path)) }),*]
    };
}

/// Every file built in, in the order of their paths.
#[rustfmt::skip]
pub const SHIPPED: &[ShippedFile] = shipped![
    "experiments/geo-scada.toml",
    "experiments/policies-as-shipped.toml",
    "experiments/policies.toml",
    "experiments/scenarios/changeover.toml",
    "experiments/scenarios/cut-under-remain.toml",
    "experiments/scenarios/cut-with-fencing.toml",
    "experiments/scenarios/cut-without-fencing.toml",
    "experiments/scenarios/device-buffer.toml",
    "experiments/scenarios/fence-answer-waits.toml",
    "experiments/scenarios/heartbeats-counted.toml",
    "experiments/scenarios/history-backlog.toml",
    "experiments/scenarios/isolated-main-forfeits.toml",
    "experiments/scenarios/main-crash.toml",
    "experiments/scenarios/main-dies-in-cut-under-remain.toml",
    "experiments/scenarios/main-main-both.toml",
    "experiments/scenarios/main-main-duty.toml",
    "experiments/scenarios/main-main.toml",
    "experiments/scenarios/main-time-survives-restart.toml",
    "experiments/scenarios/monitor-broken.toml",
    "experiments/scenarios/monitor-poll.toml",
    "experiments/scenarios/narrow-link.toml",
    "experiments/scenarios/pause-makes-main-main.toml",
    "experiments/scenarios/power-outage.toml",
    "experiments/scenarios/priority-decides.toml",
    "experiments/scenarios/process-dies.toml",
    "experiments/scenarios/stale-reads.toml",
    "experiments/scenarios/stall-called-off.toml",
    "experiments/scenarios/takeover.toml",
    "experiments/scenarios/third-host.toml",
    "experiments/scenarios/two-cuts.toml",
    "experiments/timeout-vs-false-failover.toml",
    "models/active-active-multiwriter.toml",
    "models/active-active-web.toml",
    "models/active-passive-cold.toml",
    "models/active-passive-hot.toml",
    "models/active-passive-warm.toml",
    "models/db-pair-async.toml",
    "models/db-pair-sync.toml",
    "models/geo-scada-pair.toml",
    "models/geo-scada-third-host.toml",
    "models/heartbeat-pair.toml",
    "models/n-plus-m.toml",
    "models/server-pair.toml",
    "models/single-server.toml",
];

/// What kind of file a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A model.
    Model,
    /// An experiment.
    Experiment,
    /// A scenario.
    Scenario,
}

impl FileKind {
    /// The folder, from the top of the project.
    pub const fn folder(self) -> &'static str {
        match self {
            FileKind::Model => "models",
            FileKind::Experiment => "experiments",
            FileKind::Scenario => "experiments/scenarios",
        }
    }

    /// In messages.
    pub const fn noun(self) -> &'static str {
        match self {
            FileKind::Model => "model",
            FileKind::Experiment => "experiment",
            FileKind::Scenario => "scenario",
        }
    }
}

/// A text found by path or bare name, and where the files it names are looked for.
#[derive(Clone)]
pub struct Found {
    /// The text.
    pub source: Arc<Source>,
    /// Finds the files it names.
    pub files: Arc<dyn Files>,
    /// Its folder on disk; `None` for a file built in.
    pub folder: Option<PathBuf>,
}

/// Why a name leads to no file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FindError {
    /// A path on disk that cannot be read, and why.
    Unreadable(String, String),
    /// A file on disk that holds something other than text.
    NoText(Box<Problem>),
    /// Neither a path nor a shipped name; the nearest shipped name.
    Unknown(FileKind, String, Option<String>),
}

impl std::fmt::Display for FindError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            FindError::Unreadable(path, reason) => write!(f, "cannot read `{path}`: {reason}"),
            FindError::NoText(problem) => write!(f, "{}: {}", problem.place, problem.message),
            FindError::Unknown(kind, name, nearest) => {
                let noun = kind.noun();
                write!(f, "no {noun} is called `{name}`, and there is no such file")?;
                match nearest {
                    Some(nearest) => write!(f, "; did you mean `{nearest}`?"),
                    None => write!(f, "; `failsim list {noun}s` shows those there are"),
                }
            }
        }
    }
}

impl std::error::Error for FindError {}

/// The bare names of the shipped files of a kind, in order.
pub fn names(kind: FileKind) -> Vec<&'static str> {
    SHIPPED.iter().filter_map(|file| bare_name(kind, file.path)).collect()
}

fn bare_name(kind: FileKind, path: &'static str) -> Option<&'static str> {
    let name = path.strip_prefix(kind.folder())?.strip_prefix('/')?.strip_suffix(".toml")?;
    (!name.contains('/')).then_some(name)
}

/// Finds a file: a path on disk if it exists (also without `.toml`, also beside the file that names it, whose folder
/// is `beside`), otherwise the shipped file of that bare name.
///
/// # Errors
/// When there is no such file, or it cannot be read.
pub fn find(kind: FileKind, name: &str, beside: Option<&Path>) -> Result<Found, FindError> {
    let mut no_file = None;
    for base in [beside, Some(Path::new(""))].into_iter().flatten() {
        for ending in ["", ".toml"] {
            let path = base.join(format!("{name}{ending}"));
            if path.is_file() {
                return read(&path);
            }
            if path.exists() {
                no_file = no_file.or(Some(path));
            }
        }
    }
    let file = SHIPPED.iter().find(|file| bare_name(kind, file.path) == Some(name));
    match (file, no_file) {
        (Some(file), _) => {
            let source = Source::new(file.path, file.text);
            Ok(Found { source, files: Arc::new(ShippedFolder(kind.folder())), folder: None })
        }
        (None, Some(path)) => {
            let what = if path.is_dir() { "it is a folder" } else { "it is no ordinary file" };
            let reason = format!("{what}; a {} is a TOML file or a bare name", kind.noun());
            Err(FindError::Unreadable(path.display().to_string(), reason))
        }
        (None, None) => {
            let nearest = nearest(name, names(kind)).map(str::to_owned);
            Err(FindError::Unknown(kind, name.to_owned(), nearest))
        }
    }
}

fn read(path: &Path) -> Result<Found, FindError> {
    let name = path.display().to_string();
    let bytes =
        std::fs::read(path).map_err(|error| FindError::Unreadable(name.clone(), error.to_string()))?;
    let source = Source::of_bytes(name, bytes).map_err(FindError::NoText)?;
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    Ok(Found { source, files: Arc::new(Folder(folder.clone())), folder: Some(folder) })
}

/// Files beside a shipped one.
#[derive(Clone, Copy, Debug)]
struct ShippedFolder(&'static str);

impl Files for ShippedFolder {
    fn text(&self, path: &str) -> Result<Arc<Source>, String> {
        let full = format!("{}/{path}", self.0);
        let file = SHIPPED.iter().find(|file| file.path == full);
        file.map(|file| Source::new(file.path, file.text))
            .ok_or_else(|| "it is not built into the program".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_on_disk_is_listed() {
        let top = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut missing = Vec::new();
        for kind in [FileKind::Model, FileKind::Experiment, FileKind::Scenario] {
            let Ok(entries) = std::fs::read_dir(top.join(kind.folder())) else { continue };
            for entry in entries {
                let file = entry.expect("an entry of the folder").file_name().to_string_lossy().into_owned();
                let path = format!("{}/{file}", kind.folder());
                let is_input = file.ends_with(".toml") || file.ends_with(".csv");
                if is_input && !SHIPPED.iter().any(|shipped| shipped.path == path) {
                    missing.push(path);
                }
            }
        }
        missing.sort();
        assert!(missing.is_empty(), "add to SHIPPED in {}: {missing:#?}", file!());
        assert!(SHIPPED.windows(2).all(|pair| pair[0].path < pair[1].path), "SHIPPED is not in order");
    }

    #[test]
    fn a_folder_of_a_shipped_name_does_not_stand_before_it() {
        let folder = std::env::temp_dir().join(format!("failsim-shipped-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("policies")).unwrap();
        let found = find(FileKind::Experiment, "policies", Some(&folder));
        let error = find(FileKind::Model, "policies", Some(&folder)).err();
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(found.ok().unwrap().source.name, "experiments/policies.toml");
        assert!(error.unwrap().to_string().contains("it is a folder"));
    }

    #[test]
    fn an_unknown_name_is_answered() {
        let error = find(FileKind::Model, "no-such-model-at-all", None).err().unwrap();
        assert!(error.to_string().starts_with("no model is called `no-such-model-at-all`"), "{error}");
    }
}

//! Publishing a result folder whole: readers see the old one or the new one, never a mixture.
//!
//! Work happens in a hidden folder beside the target, `.NAME.partial`. Publishing moves an earlier result aside to
//! `.NAME.failsim-previous`, renames the partial folder to the target and deletes the earlier one. Whatever interrupts this,
//! one complete result survives: if that happens between the two renames, the next [`Publication::begin`] moves the
//! earlier result back.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use super::manifest::Outline;

/// Marks a partial folder as ours, so that no other folder of that name is ever emptied.
const MARK: &str = ".failsim-partial";

const REPOSITORY: &str = "holds a repository (`.git`)";

/// Why a result folder could not be written.
#[derive(Debug)]
pub enum PublishError {
    /// The target holds something other than an earlier result of this experiment.
    Foreign {
        /// The target.
        path: PathBuf,
        /// What it holds instead.
        holds: String,
    },
    /// The target is something that no result may take the place of, whatever is asked for.
    Protected {
        /// The target.
        path: PathBuf,
        /// What it is: `is the working directory`.
        why: &'static str,
    },
    /// The target has no name of its own, such as `/` or `..`.
    Nameless {
        /// The target.
        path: PathBuf,
    },
    /// The system refused.
    Io {
        /// What was being done: `create`, `rename`.
        action: &'static str,
        /// The folder concerned.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign { path, holds } => write!(
                f,
                "`{}` {holds}; nothing was written. Choose another folder with `--out`, or overwrite it with `--replace`",
                path.display()
            ),
            Self::Protected { path, why } => write!(
                f,
                "`{}` {why} and is never replaced, nothing was written; choose a folder of its own with `--out`, such \
                 as `results/mine`",
                path.display()
            ),
            Self::Nameless { path } => {
                write!(
                    f,
                    "`{}` cannot be a result folder; name one with `--out`, such as `results/mine`",
                    path.display()
                )
            }
            Self::Io { action, path, source } => {
                write!(f, "cannot {action} `{}`: {source}", path.display())?;
                let advice = match source.kind() {
                    io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                        "you may not write there; choose another folder with `--out`"
                    }
                    io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                        "the disk is full; make room or choose another folder with `--out`"
                    }
                    io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
                        "a file stands where a folder should be; move it or choose another folder with `--out`"
                    }
                    _ => return Ok(()),
                };
                write!(f, "; {advice}")
            }
        }
    }
}

impl std::error::Error for PublishError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// A result folder in the making. Dropped without [`publish`](Self::publish), it leaves the target untouched and the
/// partial folder where it is.
///
/// ```no_run
/// use failsim::record::{Manifest, Publication};
/// let work = Publication::begin("results/mttf".as_ref(), "mttf", false)?;
/// std::fs::write(work.folder().join("manifest.json"), Manifest::new("mttf", 1).to_json())?;
/// work.publish()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Publication {
    target: PathBuf,
    partial: PathBuf,
    previous: PathBuf,
    experiment: String,
    replace: bool,
}

impl Publication {
    /// Makes an empty partial folder beside the target, which may not exist yet. What an interrupted attempt left is
    /// cleared away, and an earlier result it had moved aside is moved back.
    ///
    /// # Errors
    /// Where the target holds anything but an earlier result of `experiment` and `replace` does not say to overwrite
    /// it; where it is a file, holds a repository, or is or contains the working directory or the home directory,
    /// whatever `replace` says; or where the folder cannot be written.
    pub fn begin(target: &Path, experiment: &str, replace: bool) -> Result<Self, PublishError> {
        let Some(name) = target.file_name() else {
            return Err(PublishError::Nameless { path: target.to_owned() });
        };
        let beside = |end: &str| {
            let mut hidden = OsString::from(".");
            hidden.push(name);
            hidden.push(end);
            target.with_file_name(hidden)
        };
        let work = Self {
            target: target.to_owned(),
            partial: beside(".partial"),
            previous: beside(".failsim-previous"),
            experiment: experiment.to_owned(),
            replace,
        };
        work.check_protected()?;
        if work.previous.exists() {
            if work.target.exists() {
                run("remove", &work.previous, fs::remove_dir_all)?;
            } else {
                run("restore", &work.previous, |previous| fs::rename(previous, &work.target))?;
            }
        }
        work.check_target()?;
        if work.partial.exists() {
            if !work.partial.join(MARK).exists() {
                let holds = "was not made by failsim, and results are prepared there".to_owned();
                return Err(PublishError::Foreign { path: work.partial, holds });
            }
            run("clear", &work.partial, fs::remove_dir_all)?;
        }
        run("create", &work.partial, fs::create_dir_all)?;
        run("write", &work.partial.join(MARK), |mark| fs::write(mark, ""))?;
        Ok(work)
    }

    /// Where to write the files of the result.
    pub fn folder(&self) -> &Path {
        &self.partial
    }

    /// Puts the finished folder in the place of the target.
    ///
    /// # Errors
    /// Where the target has become something else meanwhile, or the system refuses; the target is then as it was.
    pub fn publish(self) -> Result<PathBuf, PublishError> {
        self.check_protected()?;
        self.check_target()?;
        let mark = self.partial.join(MARK);
        run("remove", &mark, fs::remove_file)?;
        let moved = self.exchange();
        if moved.is_err() {
            // Marked again, so that the next attempt knows it for its own. If even that fails, the first error counts.
            let _ = fs::write(mark, "");
        }
        moved?;
        // The new result is in place: an earlier one that cannot be deleted now is deleted by the next attempt.
        let _ = fs::remove_dir_all(&self.previous);
        Ok(self.target)
    }

    /// Gives up and removes what was written so far.
    ///
    /// # Errors
    /// Where the system refuses.
    pub fn discard(self) -> Result<(), PublishError> {
        run("remove", &self.partial, fs::remove_dir_all)
    }

    fn exchange(&self) -> Result<(), PublishError> {
        let has_earlier = self.target.exists();
        if has_earlier {
            run("move aside", &self.target, |target| fs::rename(target, &self.previous))?;
        }
        let moved = run("publish", &self.target, |target| fs::rename(&self.partial, target));
        if moved.is_err() && has_earlier {
            run("restore", &self.target, |target| fs::rename(&self.previous, target))?;
        }
        moved
    }

    /// Whether the target is something whose loss `--replace` cannot have meant.
    fn check_protected(&self) -> Result<(), PublishError> {
        let target = match self.target.canonicalize() {
            Ok(target) => target,
            Err(error) if is_absent(&error) => return Ok(()),
            Err(source) => {
                return Err(PublishError::Io { action: "look at", path: self.target.clone(), source });
            }
        };
        let holds = |folder: Option<PathBuf>| {
            folder
                .and_then(|folder| folder.canonicalize().ok())
                .is_some_and(|folder| folder.starts_with(&target))
        };
        let why = if !target.is_dir() {
            "is a file"
        } else if holds(std::env::current_dir().ok()) {
            "is or contains the working directory"
        } else if holds(std::env::home_dir()) {
            "is or contains the home directory"
        } else if target.join(".git").exists() {
            REPOSITORY
        } else {
            return Ok(());
        };
        Err(PublishError::Protected { path: self.target.clone(), why })
    }

    /// Whether the target may be replaced: it is not there, empty, or holds an earlier result of this experiment; with
    /// `--replace` whatever it holds, unless a repository stands anywhere in it.
    fn check_target(&self) -> Result<(), PublishError> {
        let refuse = |holds: String| Err(PublishError::Foreign { path: self.target.clone(), holds });
        if !self.target.exists() {
            return Ok(());
        }
        if self.replace {
            if holds_repository(&self.target)? {
                return Err(PublishError::Protected { path: self.target.clone(), why: REPOSITORY });
            }
            return Ok(());
        }
        match fs::read_to_string(self.target.join("manifest.json")) {
            Ok(text) => match Outline::from_json(&text) {
                Ok(outline) if outline.experiment == self.experiment => Ok(()),
                Ok(outline) => {
                    refuse(format!("holds a result of another experiment, `{}`", outline.experiment))
                }
                Err(error) => refuse(format!("holds a `manifest.json` that is none of ours ({error})")),
            },
            Err(_) => {
                let mut entries = fs::read_dir(&self.target).map_err(|source| PublishError::Io {
                    action: "read",
                    path: self.target.clone(),
                    source,
                })?;
                if entries.next().is_none() {
                    Ok(())
                } else {
                    refuse("holds files that are no result".to_owned())
                }
            }
        }
    }
}

/// Whether there is nothing there; a file in the place of a parent folder is found out when something is made there.
fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Whether a `.git` stands in a folder or anywhere below it. Links to other folders are not followed, as deleting does
/// not follow them either.
fn holds_repository(folder: &Path) -> Result<bool, PublishError> {
    let refused = |source| PublishError::Io { action: "read", path: folder.to_owned(), source };
    for entry in fs::read_dir(folder).map_err(refused)? {
        let entry = entry.map_err(refused)?;
        let is_folder = entry.file_type().map_err(refused)?.is_dir();
        if entry.file_name() == ".git" || (is_folder && holds_repository(&entry.path())?) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn run<'a>(
    action: &'static str,
    path: &'a Path,
    work: impl FnOnce(&'a Path) -> io::Result<()>,
) -> Result<(), PublishError> {
    work(path).map_err(|source| PublishError::Io { action, path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Manifest;

    /// A fresh folder for one test, removed at its end.
    struct Place(PathBuf);

    impl Place {
        fn new(test: &str) -> Self {
            let path = std::env::temp_dir().join(format!("failsim-publish-{test}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn target(&self) -> PathBuf {
            self.0.join("mttf")
        }

        fn begin(&self, replace: bool) -> Result<Publication, PublishError> {
            Publication::begin(&self.target(), "mttf", replace)
        }

        fn publish(&self, seed: u64) {
            let work = self.begin(false).unwrap();
            write(&work, seed);
            work.publish().unwrap();
        }

        fn seed(&self) -> u64 {
            Manifest::from_json(&fs::read_to_string(self.target().join("manifest.json")).unwrap())
                .unwrap()
                .seed
        }

        fn names(&self) -> Vec<OsString> {
            let mut names: Vec<_> =
                fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn write(work: &Publication, seed: u64) {
        fs::write(work.folder().join("manifest.json"), Manifest::new("mttf", seed).to_json()).unwrap();
    }

    #[test]
    fn a_result_appears_whole_and_leaves_nothing_beside_it() {
        let place = Place::new("whole");
        let work = place.begin(false).unwrap();
        write(&work, 1);
        assert!(!place.target().exists());
        work.publish().unwrap();
        assert_eq!(place.seed(), 1);
        assert_eq!(place.names(), ["mttf"]);
        assert!(!place.target().join(MARK).exists());
    }

    #[test]
    fn a_result_of_the_same_experiment_is_replaced() {
        let place = Place::new("same");
        place.publish(1);
        fs::write(place.target().join("stale.csv"), "").unwrap();
        place.publish(2);
        assert_eq!(place.seed(), 2);
        assert!(!place.target().join("stale.csv").exists());
        assert_eq!(place.names(), ["mttf"]);
    }

    #[test]
    fn anything_else_is_refused_unless_told() {
        let place = Place::new("foreign");
        fs::create_dir(place.target()).unwrap();
        fs::write(place.target().join("thesis.tex"), "three years").unwrap();
        let error = place.begin(false).unwrap_err().to_string();
        assert!(error.contains("holds files that are no result") && error.contains("--replace"), "{error}");
        assert_eq!(fs::read_to_string(place.target().join("thesis.tex")).unwrap(), "three years");

        let work = place.begin(true).unwrap();
        write(&work, 3);
        work.publish().unwrap();
        assert_eq!(place.seed(), 3);
    }

    #[test]
    fn files_and_repositories_are_never_replaced() {
        let place = Place::new("protected");
        let refused = |ways: &[bool], why: &str| {
            for &replace in ways {
                let error = place.begin(replace).unwrap_err();
                assert!(matches!(error, PublishError::Protected { .. }), "{error}");
                assert!(error.to_string().contains(why), "{error}");
            }
        };
        fs::write(place.target(), "three years").unwrap();
        refused(&[false, true], "is a file");
        assert_eq!(fs::read_to_string(place.target()).unwrap(), "three years");
        fs::remove_file(place.target()).unwrap();
        // Deep inside it is only looked for where everything would be taken away.
        for (git, ways) in [(".git", &[false, true][..]), ("below/.git", &[true])] {
            fs::create_dir_all(place.target().join(git)).unwrap();
            refused(ways, "holds a repository");
            assert!(place.target().join(git).exists());
            fs::remove_dir_all(place.target()).unwrap();
        }
        assert_eq!(place.names(), [""; 0], "nothing was prepared");
    }

    #[test]
    fn what_became_protected_meanwhile_is_left_alone() {
        let place = Place::new("meanwhile");
        let work = place.begin(true).unwrap();
        write(&work, 1);
        fs::create_dir_all(place.target().join(".git")).unwrap();
        assert!(matches!(work.publish(), Err(PublishError::Protected { .. })));
        assert!(place.target().join(".git").exists());
    }

    #[test]
    fn a_result_of_another_experiment_is_refused() {
        let place = Place::new("other");
        place.publish(1);
        let error = Publication::begin(&place.target(), "other", false).unwrap_err().to_string();
        assert!(error.contains("another experiment, `mttf`"), "{error}");
    }

    #[test]
    fn an_interrupted_attempt_leaves_the_earlier_result() {
        let place = Place::new("interrupted");
        place.publish(1);
        let work = place.begin(false).unwrap();
        write(&work, 2);
        drop(work);
        assert_eq!(place.seed(), 1);
        let again = place.begin(false).unwrap();
        assert!(!again.folder().join("manifest.json").exists(), "the leftovers were not cleared");
        again.discard().unwrap();
        assert_eq!(place.names(), ["mttf"]);
    }

    #[test]
    fn an_interruption_between_the_renames_is_undone() {
        let place = Place::new("between");
        place.publish(1);
        fs::rename(place.target(), place.0.join(".mttf.failsim-previous")).unwrap();
        let work = place.begin(false).unwrap();
        assert_eq!(place.seed(), 1);
        work.discard().unwrap();
    }

    #[test]
    fn a_partial_folder_of_somebody_else_is_not_emptied() {
        let place = Place::new("mark");
        let partial = place.0.join(".mttf.partial");
        fs::create_dir(&partial).unwrap();
        fs::write(partial.join("download"), "half").unwrap();
        assert!(matches!(place.begin(false), Err(PublishError::Foreign { .. })));
        assert!(partial.join("download").exists());
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named_with_advice() {
        let place = Place::new("blocked");
        fs::write(place.0.join("file"), "").unwrap();
        let error =
            Publication::begin(&place.0.join("file").join("mttf"), "mttf", false).unwrap_err().to_string();
        assert!(error.contains("file/.mttf.partial") && error.contains("--out"), "{error}");
    }
}

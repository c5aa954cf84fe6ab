//! Every command that README.md shows works: each is run with the built program, in the order in which it stands
//! there, in one folder, with fewer and shorter runs. `.ci/run` runs the two set-up commands as they are written.

use std::path::{Path, PathBuf};
use std::process::Command;

const RUNS: &str = "4";
const HORIZON: &str = "90d";

/// Commands of the README that need more than the built program.
const RUN_ELSEWHERE: &[&str] = &[
    "cargo test",
    // tests/my_policy.rs and tests/bank_queue.rs run these.
    "cargo run --release --example my_policy -- run examples/my_policy.toml",
    "cargo run --release --example bank_queue",
    "cargo install --path .",
    "cargo bench",
    ".ci/run",
];

/// The lines behind a prompt in `console` blocks, comments cut off.
fn commands(text: &str) -> Vec<String> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if let (true, Some(command)) = (inside, line.strip_prefix("$ ")) {
            found.push(command.split(" # ").next().unwrap_or(command).trim().to_owned());
        }
    }
    found
}

/// The words of a command line as a shell would take them, as far as the README goes: quotes keep blanks.
fn words(line: &str) -> Vec<String> {
    let (mut list, mut word, mut quote) = (Vec::new(), String::new(), None);
    for c in line.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            None if c == '\'' || c == '"' => quote = Some(c),
            None if c == ' ' => list.extend((!word.is_empty()).then(|| std::mem::take(&mut word))),
            _ => word.push(c),
        }
    }
    assert!(quote.is_none(), "an open quote in `{line}`");
    list.extend((!word.is_empty()).then_some(word));
    list
}

/// The value of an option is replaced, or the option added.
fn set(words: &mut Vec<String>, option: &str, value: &str) {
    match words.iter().position(|word| word == option) {
        Some(place) => words[place + 1] = value.to_owned(),
        None => words.extend([option.to_owned(), value.to_owned()]),
    }
}

struct Desk(PathBuf);

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Desk {
    #[track_caller]
    fn run(&self, shown: &str, words: &[String]) {
        let done =
            Command::new(env!("CARGO_BIN_EXE_failsim")).current_dir(&self.0).args(words).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let said = format!("{}\n{}", text(&done.stdout), text(&done.stderr));
        // A gate may need more runs than there are here to say anything.
        let is_good = done.status.code() == Some(0) || (words[0] == "check" && done.status.code() == Some(3));
        assert!(is_good, "`{shown}`, run as `failsim {}`:\n{said}", words.join(" "));
    }
}

fn readme() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap()
}

#[test]
fn commands_are_found_in_console_blocks_only() {
    let text = "$ no\n```console\n$ failsim run a --set 'b = c'   # why\nout\n$ x\n```\n```toml\n$ no\n```\n";
    assert_eq!(commands(text), ["failsim run a --set 'b = c'", "x"]);
    assert_eq!(words("run a --set 'b = c'"), ["run", "a", "--set", "b = c"]);
}

#[test]
fn every_command_works() {
    let desk = Desk(std::env::temp_dir().join(format!("failsim-readme-{}", std::process::id())));
    std::fs::create_dir_all(&desk.0).unwrap();
    let commands = commands(&readme());
    assert!(commands.len() >= 15, "the README shows {} commands", commands.len());
    for line in &commands {
        // The set-up command in short, for the commands behind it that read its results.
        let short = line.replace("cargo run --release -- ", "failsim ");
        let Some(rest) = short.strip_prefix("failsim ") else {
            assert!(RUN_ELSEWHERE.contains(&line.as_str()), "nothing runs `{line}`");
            continue;
        };
        let mut words = words(rest);
        if ["run", "sweep", "check"].contains(&words[0].as_str()) {
            set(&mut words, "--runs", RUNS);
            set(&mut words, "--horizon", HORIZON);
        }
        if words[0] == "check" && !words.iter().any(|word| word == "--bless" || word == "--gates-only") {
            // The baseline that a reader has from the repository, made with as few runs.
            let mut bless = words.clone();
            bless.push("--bless".into());
            desk.run(line, &bless);
        }
        desk.run(line, &words);
    }
}

/// Blocks of one language.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    text.split(&format!("```{language}\n")).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

#[test]
fn the_model_and_the_experiment_it_shows_are_right() {
    let desk = Desk(std::env::temp_dir().join(format!("failsim-readme-files-{}", std::process::id())));
    std::fs::create_dir_all(&desk.0).unwrap();
    let text = readme();
    let [model, experiment] = blocks(&text, "toml")[..] else { panic!("a model and an experiment") };
    std::fs::write(desk.0.join("mine.toml"), format!("title = \"Mine\"\n{model}")).unwrap();
    std::fs::write(desk.0.join("question.toml"), experiment).unwrap();
    for line in ["run mine.toml --runs 4 --horizon 90d", "sweep question.toml --runs 4 --horizon 90d"] {
        desk.run(line, &words(line));
    }
}

#[test]
fn every_file_that_is_linked_exists() {
    let text = readme();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    for link in links.filter(|link| !link.starts_with("http") && !link.starts_with('#')) {
        let path = root.join(link);
        assert!(path.exists(), "README.md links to `{link}`");
        if link.ends_with(".svg") {
            assert!(std::fs::read_to_string(path).unwrap().starts_with("<svg "), "`{link}` is no picture");
        }
    }
}

#[test]
fn every_heading_that_is_linked_exists() {
    let text = readme();
    let is_word = |c: &char| c.is_alphanumeric() || "-_ ".contains(*c);
    let headings: Vec<String> = text
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            line.trim_start_matches(['#', ' ']).to_lowercase().chars().filter(is_word).collect::<String>()
        })
        .map(|heading| heading.replace(' ', "-"))
        .collect();
    let links = text.split("](#").skip(1).filter_map(|rest| rest.split(')').next());
    for link in links {
        assert!(headings.iter().any(|heading| heading == link), "no heading is `#{link}`: {headings:?}");
    }
}

#[test]
fn what_it_says_of_benches_and_stats_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = readme();
    let file = |path: &str| {
        let text = std::fs::read_to_string(root.join(path));
        text.unwrap_or_else(|error| panic!("README.md speaks of `{path}`: {error}"))
    };
    let cargo = file("Cargo.toml");
    let benches =
        text.split("--bench ").skip(1).filter_map(|rest| rest.split(|c: char| !c.is_alphanumeric()).next());
    for bench in benches {
        assert!(cargo.contains(&format!("[[bench]]\nname = \"{bench}\"\n")), "no bench is called `{bench}`");
        file(&format!("benches/{bench}.rs"));
    }
    let desk = Desk(std::env::temp_dir().join(format!("failsim-readme-stats-{}", std::process::id())));
    std::fs::create_dir_all(&desk.0).unwrap();
    let lines: Vec<&str> = blocks(&text, "sh").into_iter().flat_map(str::lines).collect();
    assert_eq!(lines.len(), 4, "{lines:#?}");
    for line in lines {
        let words = words(line.split(" # ").next().unwrap());
        match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["cargo", "bench", "--bench", _] => {}
            ["cargo", "bench", "--bench", bench, "--", part] => {
                let known = file(&format!("benches/{bench}.rs")).contains(&format!("\"{part}\""));
                assert!(known, "the bench `{bench}` knows no `{part}`");
            }
            ["cargo", "run", "--release", "--manifest-path", manifest] => {
                file(manifest);
                file(&manifest.replace("Cargo.toml", "src/main.rs"));
            }
            ["failsim", ..] => {
                let mut words = words[1..].to_vec();
                set(&mut words, "--runs", RUNS);
                set(&mut words, "--horizon", HORIZON);
                desk.run(line, &words);
            }
            _ => panic!("nothing looks at `{line}`"),
        }
    }
}

#[test]
fn everything_shipped_is_named() {
    let text = readme();
    for experiment in failsim::model::shipped::names(failsim::model::shipped::FileKind::Experiment) {
        assert!(text.contains(&format!("`{experiment}`")), "README.md does not name `{experiment}`");
    }
}

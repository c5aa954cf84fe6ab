//! The rules of the house, read off the source text: which module may use which, what the simulation may not see,
//! and what every file owes its reader. ARCHITECTURE.md gives the reasons. Each rule is shown a bad line first.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What each module of `src/` may use, besides itself: the arrows of ARCHITECTURE.md, no others.
const ARROWS: &[(&str, &[&str])] = &[
    ("maths", &[]),
    ("record", &[]),
    ("engine", &["maths"]),
    ("stats", &["maths"]),
    ("theory", &["maths", "engine"]),
    ("input", &["engine"]),
    ("system", &["engine"]),
    ("service", &["maths", "engine", "system"]),
    ("policy", &["maths", "engine", "input", "system", "service"]),
    ("measure", &["engine", "stats", "system", "service", "policy"]),
    ("model", &["engine", "input", "system"]),
    ("report", &["maths", "record"]),
    ("experiment", &["engine", "input", "stats", "system", "policy", "measure", "model", "record", "report"]),
    ("check", &["input", "model", "record", "experiment"]),
];

/// What the files of a protocol may use: they see neither hardware, nor the host, nor true time.
const PROTOCOL_MAY_USE: &[&str] = &[
    "engine::dist",
    "engine::time",
    "input",
    "service",
    "system::ids",
    "policy::contract",
    "policy::registry",
    "choice",
];

/// Modules of `policy` that are no protocols.
const NO_PROTOCOLS: &[&str] = &["contract", "facts", "host", "registry"];

/// Modules that a run can reach. They see no clock, no file, no environment, no thread.
const SIMULATION: &[&str] = &["engine", "maths", "stats", "system", "service", "policy", "measure"];

const OUTSIDE_WORLD: &[&str] =
    &["std::time", "std::env", "std::fs", "std::net", "std::process", "std::thread", "std::io", "ThreadId"];

/// What makes a world that cannot be cloned, or an order that is not fixed.
const NOT_PLAIN_DATA: &[&str] = &["Rc<", "RefCell<", "Cell<", "Mutex<", "RwLock<", "async fn", "static mut"];

const NO_ORDER: &[&str] = &["HashMap", "HashSet"];

/// Functions whose last bit differs between machines.
const NOT_PORTABLE: &[&str] = &[
    "ln", "ln_1p", "log", "log2", "log10", "exp", "exp2", "exp_m1", "powf", "powi", "sin", "cos", "tan",
    "cbrt", "tanh", "mul_add",
];

const LINES_MAX: usize = 600;

/// Files that tell one story and are longer all the same, with the most they may have.
const LONGER: &[(&str, usize)] = &[
    // A list of closed forms, one after the other.
    ("tests/against_theory.rs", 800),
];

struct File {
    /// From the top of the project, with `/`.
    path: String,
    text: String,
}

impl File {
    fn of(path: &str, text: &str) -> File {
        File { path: path.into(), text: text.into() }
    }

    /// `a::b` for `src/a/b.rs`.
    fn module(&self) -> Vec<&str> {
        let inside = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        let mut parts: Vec<&str> = inside.split('/').collect();
        if parts.last() == Some(&"mod") {
            parts.pop();
        }
        parts
    }

    fn top(&self) -> &str {
        self.module()[0]
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn collect(folder: &Path, ending: &str, files: &mut Vec<File>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect(&path, ending, files);
        } else if path.extension().is_some_and(|found| found == ending) {
            let name = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
            files.push(File { path: name, text: std::fs::read_to_string(&path).unwrap() });
        }
    }
}

fn files(folders: &[&str], ending: &str) -> Vec<File> {
    let mut files = Vec::new();
    folders.iter().for_each(|folder| collect(&root().join(folder), ending, &mut files));
    assert!(!files.is_empty(), "no files in {folders:?}");
    files
}

/// The text with comments, strings and characters blanked out; lines keep their numbers.
fn code(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    let end_of =
        |from: usize, stop: &str| text[from..].find(stop).map_or(bytes.len(), |n| from + n + stop.len());
    while at < bytes.len() {
        let rest = &text.as_bytes()[at..];
        let before = at.checked_sub(1).map_or(b' ', |i| bytes[i]);
        let end = if rest.starts_with(b"//") {
            end_of(at, "\n")
        } else if rest.starts_with(b"/*") {
            end_of(at, "*/")
        } else if rest[0] == b'r' && !before.is_ascii_alphanumeric() && before != b'_' && is_raw(rest) {
            let hashes = rest[1..].iter().take_while(|&&b| b == b'#').count();
            end_of(at + 2 + hashes, &format!("\"{}", "#".repeat(hashes)))
        } else if rest[0] == b'"' {
            let mut end = at + 1;
            while end < bytes.len() && bytes[end] != b'"' {
                end += if bytes[end] == b'\\' { 2 } else { 1 };
            }
            (end + 1).min(bytes.len())
        } else if rest.starts_with(b"'\\") {
            end_of(at + 3, "'")
        } else if rest[0] == b'\'' && char_ends(&text[at + 1..]) {
            end_of(at + 1, "'")
        } else {
            at += 1;
            continue;
        };
        out[at..end].iter_mut().filter(|b| **b != b'\n').for_each(|b| *b = b' ');
        at = end;
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn is_raw(rest: &[u8]) -> bool {
    let hashes = rest[1..].iter().take_while(|&&b| b == b'#').count();
    rest.get(1 + hashes) == Some(&b'"')
}

/// Whether a quote that has just been opened is a character and not a lifetime.
fn char_ends(rest: &str) -> bool {
    rest.chars().nth(1) == Some('\'')
}

/// Paths into the crate that a file uses, from its top, with line numbers.
fn uses(file: &File) -> Vec<(usize, Vec<String>)> {
    let text = code(&file.text);
    let mut found = Vec::new();
    for start in ["crate::", "super::"] {
        for (at, _) in text.match_indices(start) {
            let before = text[..at].chars().next_back().unwrap_or(' ');
            if before.is_alphanumeric() || before == '_' || before == ':' || before == '$' {
                continue;
            }
            let line = text[..at].matches('\n').count() + 1;
            let mut base: Vec<String> = Vec::new();
            let mut rest = &text[at + start.len()..];
            if start == "super::" {
                base = file.module().iter().map(|&part| part.to_owned()).collect();
                base.pop();
                while let Some(next) = rest.strip_prefix("super::") {
                    base.pop();
                    rest = next;
                }
            }
            for leaf in leaves(rest) {
                found.push((line, base.iter().cloned().chain(leaf).collect()));
            }
        }
    }
    found
}

/// `a::{b, c::d}` as `a::b` and `a::c::d`.
fn leaves(text: &str) -> Vec<Vec<String>> {
    let text = text.trim_start();
    if let Some(inner) = text.strip_prefix('{') {
        let (mut depth, mut from, mut all) = (0, 0, Vec::new());
        for (at, c) in inner.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => {
                    all.extend(leaves(&inner[from..at]));
                    return all;
                }
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    all.extend(leaves(&inner[from..at]));
                    from = at + 1;
                }
                _ => {}
            }
        }
        return all;
    }
    let length = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    if length == 0 {
        return Vec::new();
    }
    let name = text[..length].to_owned();
    let Some(rest) = text[length..].strip_prefix("::") else { return vec![vec![name]] };
    let inner = leaves(rest);
    if inner.is_empty() {
        return vec![vec![name]];
    }
    inner.into_iter().map(|leaf| std::iter::once(name.clone()).chain(leaf).collect()).collect()
}

fn arrows(file: &File) -> Vec<String> {
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    let top = file.top();
    if ["cli", "lib", "main"].contains(&top) {
        return Vec::new(); // they may use everything
    }
    let Some(may) = allowed.get(top) else {
        return vec![format!("{}: `{top}` is not in the list of modules; where does it stand?", file.path)];
    };
    uses(file)
        .into_iter()
        .filter(|(_, path)| {
            let other = path[0].as_str();
            (allowed.contains_key(other) || other == "cli") && other != top && !may.contains(&other)
        })
        .map(|(line, path)| format!("{}:{line}: `{top}` may not use `{}`", file.path, path.join("::")))
        .collect()
}

/// The protocol that a file belongs to: `x` for `src/policy/x.rs` and everything in `src/policy/x/`.
fn protocol(file: &File) -> Option<&str> {
    let module = file.module();
    let name = *module.get(1).filter(|_| module[0] == "policy")?;
    (!NO_PROTOCOLS.contains(&name)).then_some(name)
}

fn protocol_uses(file: &File) -> Vec<String> {
    let own = format!("policy::{}", protocol(file).expect("a protocol"));
    let own = [own.as_str(), "policy"]; // `super` inside the tests of a file leads to the file itself
    let may = |path: &str| {
        let mut all = PROTOCOL_MAY_USE.iter().chain(&own[..1]);
        all.any(|may| path == *may || path.starts_with(&format!("{may}::"))) || own.contains(&path)
    };
    uses(file)
        .into_iter()
        .map(|(line, path)| (line, path.join("::")))
        .filter(|(_, path)| !path.is_empty() && !may(path))
        .map(|(line, path)| format!("{}:{line}: a protocol may not use `{path}`", file.path))
        .collect()
}

fn lines_with<'a>(file: &'a File, text: &'a str, word: &'a str) -> impl Iterator<Item = String> + 'a {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let stands_alone = move |line: &str| {
        line.match_indices(word).any(|(at, _)| {
            let before = line[..at].chars().next_back().is_some_and(is_name);
            let after = line[at + word.len()..].chars().next().is_some_and(is_name);
            !before && (!after || !word.ends_with(is_name))
        })
    };
    text.lines()
        .enumerate()
        .filter(move |(_, line)| stands_alone(line))
        .map(move |(index, _)| format!("{}:{}: `{word}`", file.path, index + 1))
}

fn words(file: &File, banned: &[&str]) -> Vec<String> {
    let text = code(&file.text);
    banned.iter().flat_map(|word| lines_with(file, &text, word).collect::<Vec<_>>()).collect()
}

fn platform_maths(file: &File) -> Vec<String> {
    let text = code(&file.text);
    let mut found = Vec::new();
    for name in NOT_PORTABLE {
        for call in [format!(".{name}("), format!("f64::{name}"), format!("f32::{name}")] {
            let hits = text.lines().enumerate().filter(|(_, line)| {
                let after = |at: usize| line[at + call.len()..].chars().next();
                let is_whole =
                    |at| call.ends_with('(') || !after(at).is_some_and(|c| c.is_alphanumeric() || c == '_');
                line.match_indices(call.as_str()).any(|(at, _)| is_whole(at))
            });
            found.extend(hits.map(|(index, _)| format!("{}:{}: `{call}`", file.path, index + 1)));
        }
    }
    found
}

fn length(file: &File) -> Option<String> {
    let lines = file.text.lines().count();
    let most = LONGER.iter().find(|(path, _)| *path == file.path).map_or(LINES_MAX, |(_, most)| *most);
    let advice = "look for the second story inside";
    (lines > most).then(|| format!("{}: {lines} lines, {most} at most: {advice}", file.path))
}

fn left_undone(file: &File) -> Vec<String> {
    // Put together here, so that this file does not hold them.
    let words =
        [["TO", "DO"], ["FIX", "ME"], ["XX", "X"], ["todo", "!"], ["unimplemented", "!"]].map(|w| w.concat());
    words.iter().flat_map(|word| lines_with(file, &file.text, word).collect::<Vec<_>>()).collect()
}

/// What the documentation of a protocol does not speak of.
fn unsaid(file: &File) -> Vec<&'static str> {
    let doc: String = file.text.lines().take_while(|line| line.starts_with("//!")).collect();
    let doc = doc.to_lowercase();
    ["source", "timers", "claims"].into_iter().filter(|word| !doc.contains(word)).collect()
}

fn undocumented(file: &File) -> Option<String> {
    (!file.text.starts_with("//!")).then(|| format!("{}: does not begin by saying what it is for", file.path))
}

fn unregistered(files: &[File], listed: &[&str]) -> Vec<String> {
    let missing = files.iter().filter(|file| !listed.contains(&file.path.as_str()));
    missing.map(|file| format!("{}: add it to the list in src/model/shipped.rs", file.path)).collect()
}

#[track_caller]
fn none(found: Vec<String>) {
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

fn source() -> Vec<File> {
    files(&["src"], "rs")
}

fn all_rust() -> Vec<File> {
    files(&["src", "tests", "examples", "benches"], "rs")
}

fn in_simulation(file: &File) -> bool {
    SIMULATION.contains(&file.top())
}

#[test]
fn comments_strings_and_characters_are_no_code() {
    let text = "a // b\n\"c\\\" d\" r#\"e\" f\"# 'g' '\\'' &'h i /* j */";
    let kept: String = code(text).split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(kept, "a &'h i");
}

#[test]
fn modules_use_only_what_stands_below_them() {
    for bad in [
        "use crate::policy::contract::Policy;",
        "use crate::{engine::time::Span, cli};",
        "fn f() { crate::measure::find(\"x\"); }",
        "use super::super::policy;",
    ] {
        let file = File::of("src/engine/deep/new.rs", &bad.replace("super::super", "super::super::super"));
        assert_eq!(arrows(&file).len(), 1, "{bad}");
    }
    assert_eq!(arrows(&File::of("src/brand_new/mod.rs", "")).len(), 1);
    assert!(arrows(&File::of("src/engine/new.rs", "use super::time::Span; // crate::cli")).is_empty());
    none(source().iter().flat_map(arrows).collect());
}

#[test]
fn the_list_of_arrows_has_no_circle() {
    for (index, (name, may)) in ARROWS.iter().enumerate() {
        for other in *may {
            let place = ARROWS.iter().position(|(known, _)| known == other);
            assert!(
                place.is_some_and(|place| place < index),
                "`{name}` uses `{other}`, which does not stand before it"
            );
        }
    }
}

#[test]
fn a_protocol_sees_neither_hardware_nor_the_host_nor_true_time() {
    for bad in [
        "use crate::system::spec::Model;",
        "use crate::engine::sim::Ctx;",
        "use super::host::World;",
        "use super::facts::Fact;",
        "use super::active_passive::Params;",
    ] {
        let file = File::of("src/policy/new.rs", bad);
        assert_eq!(protocol(&file), Some("new"));
        assert_eq!(protocol_uses(&file).len(), 1, "{bad}");
    }
    let inside = File::of("src/policy/new/params.rs", "use crate::policy::new::X; use super::Y;");
    assert!(protocol_uses(&inside).is_empty());
    let protocols: Vec<File> = source().into_iter().filter(|file| protocol(file).is_some()).collect();
    assert!(protocols.len() >= 4);
    none(protocols.iter().flat_map(protocol_uses).collect());
}

#[test]
fn the_simulation_sees_nothing_of_the_world_outside() {
    for bad in ["let now = std::time::Instant::now();", "use std::{env, fs};", "std::thread::current().id()"]
    {
        let bad = bad.replace("{env, fs}", "env");
        assert_eq!(words(&File::of("src/engine/new.rs", &bad), OUTSIDE_WORLD).len(), 1, "{bad}");
    }
    let simulation = source().into_iter().filter(in_simulation);
    none(simulation.flat_map(|file| words(&file, OUTSIDE_WORLD)).collect());
}

#[test]
fn the_state_of_a_run_is_plain_data() {
    assert_eq!(words(&File::of("src/policy/new.rs", "x: Rc<RefCell<u8>>"), NOT_PLAIN_DATA).len(), 2);
    let simulation = source().into_iter().filter(in_simulation);
    none(simulation.flat_map(|file| words(&file, NOT_PLAIN_DATA)).collect());
}

#[test]
fn nothing_has_a_hash_order_or_a_platforms_logarithm() {
    assert_eq!(words(&File::of("src/record/new.rs", "use std::collections::HashMap;"), NO_ORDER).len(), 1);
    for bad in ["let y = x.ln();", "let y = 10_f64.powi(3);", "let f = f64::exp;"] {
        assert_eq!(platform_maths(&File::of("src/report/new.rs", bad)).len(), 1, "{bad}");
    }
    assert!(platform_maths(&File::of("src/x.rs", "f64::exponent(x); a.expect(1); ln(x)")).is_empty());
    none(source().iter().flat_map(|file| words(file, NO_ORDER)).collect());
    none(source().iter().flat_map(platform_maths).collect());
}

#[test]
fn only_the_command_line_prints_or_ends_the_program() {
    const VOICE: &[&str] = &["println!", "eprintln!", "print!", "eprint!", "dbg!", "process::exit"];
    assert_eq!(words(&File::of("src/model/new.rs", "println!(\"x\");"), VOICE).len(), 1);
    let silent = source().into_iter().filter(|file| file.top() != "cli");
    none(silent.flat_map(|file| words(&file, VOICE)).collect());
}

#[test]
fn no_file_is_unsafe_or_too_long_or_left_undone() {
    assert_eq!(words(&File::of("src/x.rs", "unsafe { f() }"), &["unsafe"]).len(), 1);
    assert!(length(&File::of("src/x.rs", &"\n".repeat(601))).is_some());
    assert!(length(&File::of("src/x.rs", &"\n".repeat(600))).is_none());
    assert_eq!(left_undone(&File::of("src/x.rs", &["// TO", "DO: later"].concat())).len(), 1);
    for (path, _) in LONGER {
        assert!(root().join(path).exists(), "{path} is gone: take it off the list");
    }
    let all = all_rust();
    none(all.iter().flat_map(|file| words(file, &["unsafe"])).collect());
    none(all.iter().filter_map(length).collect());
    none(all.iter().chain(&files(&["models", "experiments"], "toml")).flat_map(left_undone).collect());
}

#[test]
fn every_file_says_what_it_is_for() {
    assert!(undocumented(&File::of("src/x.rs", "use std::fmt;")).is_some());
    none(all_rust().iter().filter_map(undocumented).collect());
}

#[test]
fn every_protocol_states_its_source_its_timers_and_its_claims() {
    let bad = File::of("src/policy/new.rs", "//! A protocol.\n//! Claims: none.\n\nuse x;");
    assert_eq!(unsaid(&bad), ["source", "timers"]);
    let heads = |file: &File| protocol(file).is_some() && file.module().len() == 2;
    for file in source().iter().filter(|file| heads(file)) {
        let name = protocol(file).expect("a protocol");
        let unsaid = unsaid(file);
        assert!(unsaid.is_empty(), "{name}: its documentation says nothing of its {unsaid:?}");
    }
}

#[test]
fn every_model_and_experiment_is_built_in() {
    let listed: Vec<&str> = failsim::model::shipped::SHIPPED.iter().map(|file| file.path).collect();
    assert_eq!(unregistered(&[File::of("models/new.toml", "")], &listed).len(), 1);
    none(unregistered(&files(&["models", "experiments"], "toml"), &listed));
}

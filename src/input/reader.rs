//! Reads one table by its described keys. A getter never fails: on a mistake it notes the problem and returns the
//! default, or a harmless value, so that the rest of the file is read as well.
//!
//! Unknown keys, missing ones and pairs that exclude each other are found when a table is opened, before any
//! getter is called. Asking for a key that is not described, or in another kind than described, is a bug of the
//! program: a panic in builds with debug assertions ([`Reader::check`] is the test that looks for it).

use std::sync::Arc;

use super::key::{Key, Kind};
use super::problem::Problem;
use super::session::{NoFiles, Session};
use super::source::{Name, Place, Source};
use super::tree::{self, Entry, Item, TableItem, Value};

/// A table whose keys are described once and read into a value.
///
/// ```
/// use failsim::engine::time::Span;
/// use failsim::input::{Key, Kind, Mark, NoFiles, Reader, Session, Source, Table, tree};
///
/// struct Timing { heartbeat: Span }
/// impl Table for Timing {
///     const KEYS: &'static [Key] = &[Key::new("heartbeat", Kind::SpanPositive, "Time between two heartbeats.")
///         .default("1s", Mark::Assumption, "common practice")];
///     fn read(reader: &mut Reader<'_>) -> Self {
///         Timing { heartbeat: reader.span("heartbeat") }
///     }
/// }
///
/// let source = Source::new("timing.toml", "hartbeat = \"2s\"");
/// let mut session = Session::new(std::sync::Arc::new(NoFiles));
/// let table = tree::parse(&source, &mut session.problems);
/// let timing: Timing = Reader::root(&table, &source.whole(), &mut session);
/// assert_eq!(timing.heartbeat, Span::from_whole_secs(1));
/// assert!(session.problems.render(false).contains("did you mean `heartbeat`?"));
/// ```
pub trait Table: Sized {
    /// Its keys.
    const KEYS: &'static [Key];
    /// Reads it; every mistake is noted in the reader.
    fn read(reader: &mut Reader<'_>) -> Self;
}

/// Named alternatives with keys of their own, such as policies: `[groups.x.policy.hot-standby]`.
pub trait Choice: Sized + Clone {
    /// The names there are.
    fn names() -> Vec<&'static str>;
    /// The keys of one of them.
    fn keys(name: &str) -> Option<&'static [Key]>;
    /// Reads one of them; `None` if there is none of that name.
    fn read(name: &str, reader: &mut Reader<'_>) -> Option<Self>;
    /// Whether it fits so many members.
    ///
    /// # Errors
    /// What it needs.
    fn fits(&self, members: usize) -> Result<(), String> {
        let _ = members;
        Ok(())
    }
}

/// Reads one table.
pub struct Reader<'a> {
    keys: &'static [Key],
    table: &'a TableItem,
    place: Place,
    path: String,
    pattern: String,
    session: &'a mut Session,
}

impl Reader<'_> {
    /// Reads a whole file as one table. `place` is where a missing key is reported.
    pub fn root<T: Table>(table: &TableItem, place: &Place, session: &mut Session) -> T {
        let place = place.part(0..0);
        let mut reader =
            Reader { keys: T::KEYS, table, place, path: String::new(), pattern: String::new(), session };
        reader.check_keys();
        T::read(&mut reader)
    }

    /// Reads an empty table and every default of `T`.
    ///
    /// # Panics
    /// If `T` asks for a key it does not describe, describes one twice, or has a default that is no value.
    pub fn check<T: Table>() {
        Reader::check_keys_of(T::KEYS, &mut |reader| drop(T::read(reader)));
    }

    /// As [`Reader::check`] for each alternative of `C`.
    ///
    /// # Panics
    /// As [`Reader::check`]; and if a name has no keys or cannot be read.
    pub fn check_choice<C: Choice>() {
        for name in C::names() {
            let keys = C::keys(name).unwrap_or_else(|| panic!("`{name}` has no keys"));
            Reader::check_keys_of(keys, &mut |reader| {
                assert!(C::read(name, reader).is_some(), "`{name}` cannot be read");
            });
        }
    }

    fn check_keys_of(keys: &'static [Key], read: &mut dyn FnMut(&mut Reader<'_>)) {
        for (index, key) in keys.iter().enumerate() {
            assert!(keys[..index].iter().all(|other| other.name != key.name), "`{}` stands twice", key.name);
            for other in key.excludes {
                let back = keys.iter().find(|key| key.name == *other);
                let back =
                    back.unwrap_or_else(|| panic!("`{}` excludes `{other}`, which is no key", key.name));
                assert!(
                    back.excludes.contains(&key.name),
                    "`{}` and `{other}` must exclude each other",
                    key.name
                );
            }
        }
        let empty = TableItem::default();
        let mut session = Session::new(Arc::new(NoFiles));
        let place = Source::new("empty", "").whole();
        let pattern = String::new();
        read(&mut Reader { keys, table: &empty, place, path: String::new(), pattern, session: &mut session });
    }

    fn check_keys(&mut self) {
        let names: Vec<&str> = self.keys.iter().map(|key| key.name).collect();
        for entry in &self.table.entries {
            if names.contains(&entry.key.as_str()) {
                continue;
            }
            let inside = if self.path.is_empty() { String::new() } else { format!(" in `{}`", self.path) };
            let problem =
                Problem::new(entry.key_place.clone(), format!("unknown key `{}`{inside}", entry.key))
                    .expected(format!("one of {}", names.join(", ")))
                    .nearest(&entry.key, names.iter().copied());
            self.session.problems.add(problem);
        }
        for key in self.keys {
            let given = self.table.get(key.name);
            if key.is_required && given.is_none() {
                let message = format!("`{}` is missing", self.full(key.name));
                let problem = Problem::new(self.place.clone(), message).derived();
                self.session.problems.add(problem.expected(format!("`{}`: {}", key.name, key.expected())));
            }
            let clash = key.excludes.iter().filter_map(|other| self.table.get(other)).next();
            if let (Some(entry), Some(clash)) = (given, clash)
                && entry.key_place.span.start > clash.key_place.span.start
            {
                let message = format!("`{}` and `{}` say the same in two ways", clash.key, entry.key);
                let problem = Problem::new(entry.key_place.clone(), message);
                self.session.problems.add(problem.expected("one of the two"));
            }
        }
    }

    /// The dotted path of this table, empty for the whole file.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Where this table begins.
    pub fn place(&self) -> Place {
        self.place.clone()
    }

    /// Whether a key is written in this table.
    pub fn is_given(&self, key: &str) -> bool {
        self.key(key);
        self.table.get(key).is_some()
    }

    /// Where the value of a key stands; the table's own place if it was left out.
    pub fn place_of(&self, key: &str) -> Place {
        self.key(key);
        self.table.get(key).map_or_else(|| self.place.clone(), |entry| entry.item.place.clone())
    }

    /// The value of a key as it was written.
    pub fn item(&self, key: &str) -> Option<&Item> {
        self.key(key);
        self.table.get(key).map(|entry| &entry.item)
    }

    /// Notes a mistake at a key's value, or at the table if the key was left out.
    pub fn problem_at(&mut self, key: &str, message: impl Into<String>, expected: impl Into<String>) {
        let problem = Problem::new(self.place_of(key), message).expected(expected);
        self.session.problems.add(problem);
    }

    /// Notes a mistake.
    pub fn problem(&mut self, problem: Problem) {
        self.session.problems.add(problem);
    }

    /// Says that some keys play no part as the others stand: the defaults taken for them are none that a result rests on.
    pub fn plays_no_part(&mut self, keys: &[&str]) {
        for key in keys {
            self.key(key);
            let path = self.full(key);
            self.session.defaults.forget(&path);
        }
    }

    /// What is shared with the other tables of the file.
    pub fn session(&mut self) -> &mut Session {
        self.session
    }

    fn full(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn key(&self, name: &str) -> &'static Key {
        static STRANGER: Key = Key::new("?", Kind::Any, "");
        let key = self.keys.iter().find(|key| key.name == name);
        debug_assert!(key.is_some(), "`{name}` is asked for and not described");
        key.unwrap_or(&STRANGER)
    }

    /// The value of a key, else its default, else nothing.
    pub(super) fn get<T>(
        &mut self,
        name: &str,
        parse: impl Fn(&'static Key, &Item, &mut Session) -> Option<T>,
    ) -> Option<T> {
        let key = self.key(name);
        if let Some(entry) = self.table.get(name)
            && let Some(value) = parse(key, &entry.item, self.session)
        {
            return Some(value);
        }
        let text = key.default?;
        if self.table.get(name).is_none() && !key.excludes.iter().any(|other| self.table.get(other).is_some())
        {
            let pattern = join(&self.pattern, name);
            self.session.defaults.note(self.full(name), pattern, key);
        }
        let mut apart = Session::new(Arc::new(NoFiles));
        let source = Source::new(format!("default of `{name}`"), text);
        let item = tree::parse_value(&source, &mut apart.problems);
        let value = parse(key, &item, &mut apart);
        debug_assert!(apart.problems.is_empty(), "{}", apart.problems.render(false));
        value
    }

    /// A table of described keys; left out, it is read as an empty one, so that its defaults hold.
    pub fn table<T: Table>(&mut self, name: &str) -> T {
        let key = self.key(name);
        debug_assert!(is_table_of::<T>(key), "`{name}` is not described as this table");
        let empty = TableItem::default();
        let (table, place) = match self.table.get(name) {
            Some(entry) => match self.as_table(key, entry) {
                Some(table) => (table, entry.key_place.clone()),
                None => (&empty, entry.key_place.clone()),
            },
            None => (&empty, self.place.clone()),
        };
        let (path, pattern) = (self.full(name), join(&self.pattern, name));
        let mut reader = Reader { keys: T::KEYS, table, place, path, pattern, session: self.session };
        reader.check_keys();
        T::read(&mut reader)
    }

    /// The same; left out, there is none.
    pub fn table_opt<T: Table>(&mut self, name: &str) -> Option<T> {
        self.is_given(name).then(|| self.table(name))
    }

    /// Tables under names of the user's choice, in the order of the file.
    pub fn named<T: Table>(&mut self, name: &str) -> Vec<(Name, T)> {
        let key = self.key(name);
        debug_assert!(is_table_of::<T>(key), "`{name}` is not described as these tables");
        let Some(entry) = self.table.get(name) else { return Vec::new() };
        let Some(tables) = self.as_table(key, entry) else { return Vec::new() };
        let mut list = Vec::new();
        for entry in &tables.entries {
            let Some(table) = self.as_table(key, entry) else { continue };
            let path = format!("{}.{}", self.full(name), entry.key);
            let pattern = join(&join(&self.pattern, name), "*");
            let place = entry.key_place.clone();
            let mut reader = Reader { keys: T::KEYS, table, place, path, pattern, session: self.session };
            reader.check_keys();
            let name = Name { text: entry.key.clone(), place: entry.key_place.clone() };
            list.push((name, T::read(&mut reader)));
        }
        list
    }

    /// The tables of a list (`[[name]]`), in order.
    pub fn many<T: Table>(&mut self, name: &str) -> Vec<(Place, T)> {
        let key = self.key(name);
        debug_assert!(is_table_of::<T>(key), "`{name}` is not described as these tables");
        let Some(entry) = self.table.get(name) else { return Vec::new() };
        let Value::Array(items) = &entry.item.value else {
            self.wrong(key, &entry.item);
            return Vec::new();
        };
        let mut list = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let Value::Table(table) = &item.value else {
                self.wrong(key, item);
                continue;
            };
            let path = format!("{}[{}]", self.full(name), index + 1);
            let pattern = join(&self.pattern, name);
            let place = item.place.clone();
            let mut reader = Reader { keys: T::KEYS, table, place, path, pattern, session: self.session };
            reader.check_keys();
            list.push((item.place.clone(), T::read(&mut reader)));
        }
        list
    }

    /// The one alternative named under a key.
    pub fn alternative<C: Choice>(&mut self, name: &str) -> Option<C> {
        let key = self.key(name);
        debug_assert!(matches!(key.kind, Kind::Alternatives), "`{name}` is not described as alternatives");
        let entry = self.table.get(name)?;
        let names = C::names();
        let table = match &entry.item.value {
            Value::Table(table) => table,
            other => {
                let problem =
                    Problem::new(entry.item.place.clone(), format!("{} is not a table", other.kind()))
                        .expected(format!("a table `{}.{name}.NAME`", self.path))
                        .nearest(entry.item.as_text().unwrap_or(""), names.iter().copied());
                self.session.problems.add(problem);
                return None;
            }
        };
        let [chosen] = table.entries.as_slice() else {
            let place = table.entries.get(1).map_or(&entry.key_place, |second| &second.key_place);
            let message = format!("`{}` names {} of its alternatives", self.full(name), table.entries.len());
            let problem = Problem::new(place.clone(), message);
            self.session.problems.add(problem.expected(format!("exactly one of {}", names.join(", "))));
            return None;
        };
        let Some(keys) = C::keys(&chosen.key) else {
            let problem =
                Problem::new(chosen.key_place.clone(), format!("no {name} is called `{}`", chosen.key))
                    .expected(format!("one of {}", names.join(", ")))
                    .nearest(&chosen.key, names.iter().copied());
            self.session.problems.add(problem);
            return None;
        };
        let table = self.as_table(key, chosen)?;
        let path = format!("{}.{}", self.full(name), chosen.key);
        let pattern = join(&join(&self.pattern, name), &chosen.key);
        let place = chosen.key_place.clone();
        let mut reader = Reader { keys, table, place, path, pattern, session: self.session };
        reader.check_keys();
        C::read(&chosen.key, &mut reader)
    }

    fn as_table<'b>(&mut self, key: &Key, entry: &'b Entry) -> Option<&'b TableItem> {
        if entry.item.as_table().is_none() {
            self.wrong(key, &entry.item);
        }
        entry.item.as_table()
    }

    fn wrong(&mut self, key: &Key, item: &Item) {
        self.session.problems.add(wrong_kind(key, item));
    }
}

/// Says that a value is of another kind than its key wants.
pub(super) fn wrong_kind(key: &Key, item: &Item) -> Problem {
    let message = format!("{} is no value for `{}`", item.value.kind(), key.name);
    Problem::new(item.place.clone(), message).expected(key.expected())
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn is_table_of<T: Table>(key: &Key) -> bool {
    let keys = key.below();
    keys.len() == T::KEYS.len() && keys.iter().zip(T::KEYS).all(|(a, b)| a.name == b.name)
}

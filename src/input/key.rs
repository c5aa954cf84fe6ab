//! What a key of a table means: its kind, default, range, unit, source. Described once, used by the reader, by
//! `explain` and by the account of defaults.

/// How well a value is founded, as in the domain reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// Checked against the source's own text or code.
    Checked,
    /// As commonly cited from the named publication.
    Cited,
    /// An assumption, an engineering judgement.
    Assumption,
    /// No evidence is called for: a neutral value such as "no loss", a matter of the modeller's choice.
    Neutral,
}

impl Mark {
    /// The letter used in reports.
    pub const fn letter(self) -> &'static str {
        match self {
            Mark::Checked => "S",
            Mark::Cited => "P",
            Mark::Assumption => "A",
            Mark::Neutral => "-",
        }
    }

    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Mark::Checked => "checked against its source",
            Mark::Cited => "as commonly cited",
            Mark::Assumption => "an assumption",
            Mark::Neutral => "neutral",
        }
    }
}

/// What a key holds.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A length of time within 500 years.
    Span,
    /// The same above zero.
    SpanPositive,
    /// The same, or `never`.
    SpanOrNever,
    /// A length of time in seconds, above zero, without a limit (a mean).
    Mean,
    /// A length of time in seconds that may be negative (`-2s`).
    Offset,
    /// Events per second.
    Rate,
    /// A fraction from 0 to 1.
    Probability,
    /// A fraction from 0, possibly above 1.
    Fraction,
    /// A number in this range.
    Number(f64, f64),
    /// A whole number in this range.
    Count(u64, u64),
    /// A flag.
    Flag,
    /// Text.
    Text,
    /// The name of something: of what, in words (`a node`).
    Name(&'static str),
    /// A list of such names, at least one.
    Names(&'static str),
    /// A list of such names, possibly empty.
    NamesOrNone(&'static str),
    /// A table from names of one thing to names of another (`a node`, `a link`).
    NameMap(&'static str, &'static str),
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A list of these words.
    Choices(&'static [&'static str]),
    /// A law of time.
    Law,
    /// Arrivals: `poisson`, `fixed` or `{ trace = "file.csv" }`.
    Arrivals,
    /// Bytes.
    Size,
    /// Bytes per second.
    Bandwidth,
    /// A number with any unit: time in seconds, rates per year, fractions and sizes as they are.
    Quantity,
    /// Any value at all; its reader looks for itself.
    Any,
    /// A table with these keys.
    Table(&'static [Key]),
    /// A table of tables with these keys, under names of the user's choice.
    Named(&'static [Key]),
    /// A list of tables (`[[name]]`) with these keys.
    Many(&'static [Key]),
    /// One alternative by its name, with its own keys: a policy.
    Alternatives,
}

/// One key of a table.
///
/// ```
/// use failsim::input::{Key, Kind, Mark};
/// const HEARTBEAT: Key = Key::new("heartbeat", Kind::SpanPositive, "Time between two heartbeats.")
///     .default("1s", Mark::Assumption, "common practice");
/// assert_eq!(HEARTBEAT.default, Some("1s"));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// As it is written.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// What it means, in a sentence or two.
    pub doc: &'static str,
    /// Its value when it is left out, as it would be written.
    pub default: Option<&'static str>,
    /// Whether it may not be left out.
    pub is_required: bool,
    /// How well the default is founded.
    pub mark: Mark,
    /// Where the default comes from.
    pub source: &'static str,
    /// Other keys of the table that say the same in other words: at most one of them is given.
    pub excludes: &'static [&'static str],
}

impl Key {
    /// A key that may be left out and then has no value.
    pub const fn new(name: &'static str, kind: Kind, doc: &'static str) -> Key {
        Key {
            name,
            kind,
            doc,
            default: None,
            is_required: false,
            mark: Mark::Neutral,
            source: "",
            excludes: &[],
        }
    }

    /// With a value for when it is left out, and where that comes from.
    #[must_use]
    pub const fn default(mut self, text: &'static str, mark: Mark, source: &'static str) -> Key {
        self.default = Some(text);
        self.mark = mark;
        self.source = source;
        self
    }

    /// With a neutral value for when it is left out.
    #[must_use]
    pub const fn neutral(self, text: &'static str) -> Key {
        self.default(text, Mark::Neutral, "")
    }

    /// It may not be left out.
    #[must_use]
    pub const fn required(mut self) -> Key {
        self.is_required = true;
        self
    }

    /// At most one of this and these is given.
    #[must_use]
    pub const fn excludes(mut self, names: &'static [&'static str]) -> Key {
        self.excludes = names;
        self
    }

    /// What the value looks like, for messages and `explain`.
    pub fn expected(&self) -> String {
        use super::units;
        let words = |list: &[&str]| list.iter().map(|w| format!("\"{w}\"")).collect::<Vec<_>>().join(", ");
        match self.kind {
            Kind::Span => units::TIME_EXPECTED.into(),
            Kind::SpanPositive | Kind::Mean => {
                units::TIME_EXPECTED.replacen("a time", "a time above zero", 1)
            }
            Kind::SpanOrNever => format!("\"never\" or {}", units::TIME_EXPECTED),
            Kind::Offset => "a time such as `5ms` or `-2s`".into(),
            Kind::Rate => units::RATE_EXPECTED.into(),
            Kind::Probability => "a probability from 0 to 1, such as `0.1%`, `50ppm` or `0.001`".into(),
            Kind::Fraction => units::FRACTION_EXPECTED.into(),
            Kind::Number(low, high) if high == f64::INFINITY => format!("a number from {low} up"),
            Kind::Number(low, high) => format!("a number from {low} to {high}"),
            Kind::Count(low, high) if high >= u64::from(u32::MAX) => format!("a whole number from {low} up"),
            Kind::Count(low, high) => format!("a whole number from {low} to {high}"),
            Kind::Flag => "true or false".into(),
            Kind::Text => "a text in quotes".into(),
            Kind::Name(what) => format!("the name of {what}"),
            Kind::Names(what) | Kind::NamesOrNone(what) => format!("a list of names, each of {what}"),
            Kind::NameMap(from, to) => format!("a table: name of {from} = name of {to}"),
            Kind::Choice(list) => format!("one of {}", words(list)),
            Kind::Choices(list) => format!("a list out of {}", words(list)),
            Kind::Law => super::law::EXPECTED.into(),
            Kind::Arrivals => "\"poisson\", \"fixed\" or { trace = \"file.csv\" }".into(),
            Kind::Size => units::SIZE_EXPECTED.into(),
            Kind::Bandwidth => units::BANDWIDTH_EXPECTED.into(),
            Kind::Quantity => "a number, with its unit where it has one".into(),
            Kind::Any => "a value".into(),
            Kind::Table(keys) => format!("a table with {}", names(keys)),
            Kind::Named(keys) => format!("tables with names of your own, each with {}", names(keys)),
            Kind::Many(keys) => format!("a list of tables, each with {}", names(keys)),
            Kind::Alternatives => "one table named after the alternative".into(),
        }
    }

    /// The keys of the tables below this one.
    pub fn below(&self) -> &'static [Key] {
        match self.kind {
            Kind::Table(keys) | Kind::Named(keys) | Kind::Many(keys) => keys,
            _ => &[],
        }
    }
}

fn names(keys: &[Key]) -> String {
    let list: Vec<String> = keys.iter().take(6).map(|key| format!("`{}`", key.name)).collect();
    if keys.len() > 6 { format!("{}, …", list.join(", ")) } else { list.join(", ") }
}

//! TOML as a tree whose every key and value knows its place, tables in the order of the file.

use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use super::problem::{Problem, Problems};
use super::source::{Place, Source};

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Where.
    pub place: Place,
    /// What.
    pub value: Value,
}

/// What a value can be.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A string.
    Text(String),
    /// A whole number; wider than any key allows, so that too large is told from malformed.
    Integer(i128),
    /// A number with a fraction, also `nan` and `inf`.
    Float(f64),
    /// `true` or `false`.
    Flag(bool),
    /// A date or time, which no key expects.
    Date,
    /// A list.
    Array(Vec<Item>),
    /// A table.
    Table(TableItem),
}

/// The entries of a table in the order of the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TableItem {
    /// Key and value, each key once.
    pub entries: Vec<Entry>,
}

/// A key with its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub key_place: Place,
    /// The value.
    pub item: Item,
}

impl Value {
    /// What kind of value this is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Text(_) => "a string",
            Value::Integer(_) => "a whole number",
            Value::Float(_) => "a number",
            Value::Flag(_) => "a flag",
            Value::Date => "a date",
            Value::Array(_) => "a list",
            Value::Table(_) => "a table",
        }
    }
}

impl Item {
    /// The string, if this is one.
    pub fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The table, if this is one.
    pub fn as_table(&self) -> Option<&TableItem> {
        match &self.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The number, if this is one.
    pub fn as_number(&self) -> Option<f64> {
        match &self.value {
            Value::Integer(number) => Some(*number as f64),
            Value::Float(number) => Some(*number),
            _ => None,
        }
    }

    /// A stretch of this string's text, or the whole value where escapes make positions differ.
    pub fn part(&self, range: std::ops::Range<usize>) -> Place {
        let Value::Text(text) = &self.value else { return self.place.clone() };
        let here = self.place.text();
        if here == text {
            return self.place.part(range);
        }
        if here.len() == text.len() + 2 && here[1..].starts_with(text.as_str()) {
            return self.place.part(range.start + 1..range.end + 1);
        }
        self.place.clone()
    }
}

impl TableItem {
    /// The entry of a key.
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// The value of a key, to change it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.key == key)
    }

    /// Sets a key, in its old position if it was there.
    pub fn set(&mut self, entry: Entry) {
        match self.get_mut(&entry.key) {
            Some(old) => *old = entry,
            None => self.entries.push(entry),
        }
    }

    /// Removes a key.
    pub fn remove(&mut self, key: &str) {
        self.entries.retain(|entry| entry.key != key);
    }
}

/// Reads a whole file. Mistakes of syntax go to `problems`; what could be read is returned all the same.
pub fn parse(source: &Arc<Source>, problems: &mut Problems) -> TableItem {
    let (table, errors) = DeTable::parse_recoverable(&source.text);
    for error in &errors {
        let span = error.span().unwrap_or(0..source.text.len());
        let message = error.message();
        let place = Place::new(source, span);
        problems.add(if message == "duplicate key" {
            Problem::new(place.clone(), format!("`{}` stands here twice", place.text()))
                .expected("each name once in its table")
        } else {
            Problem::new(place, format!("not valid TOML: {message}"))
        });
    }
    convert_table(table.get_ref(), source)
}

/// Whether `problems` holds a mistake of syntax that may have hidden part of the text.
pub fn is_damaged(problems: &Problems) -> bool {
    problems.iter().any(|problem| problem.message.starts_with("not valid TOML"))
}

/// Reads the value of an option or a default: TOML if it is TOML, otherwise the text itself as a string, so that
/// `5s` needs no quotes. Text that begins like a table, a list or a quoted string has to be TOML.
pub fn parse_value(source: &Arc<Source>, problems: &mut Problems) -> Item {
    let text = source.text.trim();
    if let Ok(value) = DeValue::parse(&source.text) {
        let item = convert(value.get_ref(), value.span(), source);
        if item.value != Value::Date {
            return item;
        }
    } else if text.starts_with(['{', '[', '"', '\'']) {
        let (value, errors) = DeValue::parse_recoverable(&source.text);
        for error in &errors {
            let place = Place::new(source, error.span().unwrap_or(0..source.text.len()));
            problems.add(Problem::new(place, format!("not valid TOML: {}", error.message())));
        }
        return convert(value.get_ref(), value.span(), source);
    }
    let start = source.text.len() - source.text.trim_start().len();
    let place = Place::new(source, start..start + text.len());
    Item { place, value: Value::Text(text.to_owned()) }
}

fn convert_table(table: &DeTable<'_>, source: &Arc<Source>) -> TableItem {
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref().to_string(),
            key_place: Place::new(source, key.span()),
            item: convert(value.get_ref(), value.span(), source),
        })
        .collect();
    entries.sort_by_key(|entry| entry.key_place.span.start);
    TableItem { entries }
}

fn convert(value: &DeValue<'_>, span: std::ops::Range<usize>, source: &Arc<Source>) -> Item {
    let value = match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => match i128::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Value::Integer(number),
            Err(_) => Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
        },
        DeValue::Float(number) => Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(flag) => Value::Flag(*flag),
        DeValue::Datetime(_) => Value::Date,
        DeValue::Array(array) => {
            Value::Array(array.iter().map(|item| convert(item.get_ref(), item.span(), source)).collect())
        }
        DeValue::Table(table) => Value::Table(convert_table(table, source)),
    };
    Item { place: Place::new(source, span), value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_keep_the_order_of_the_file_and_the_place_of_every_part() {
        let source = Source::new("m.toml", "[z]\nb = 1\na = 'ä'\n[a]\n");
        let mut problems = Problems::new();
        let table = parse(&source, &mut problems);
        assert!(problems.is_empty());
        assert_eq!(table.entries.iter().map(|e| e.key.as_str()).collect::<Vec<_>>(), ["z", "a"]);
        let z = table.get("z").unwrap().item.as_table().unwrap();
        assert_eq!(z.entries[0].key, "b");
        assert_eq!(z.entries[1].item.place.to_string(), "m.toml:3:5");
        assert_eq!(z.entries[1].item.part(0..2).text(), "ä");
    }

    #[test]
    fn several_mistakes_of_syntax_are_reported() {
        let source = Source::new("m.toml", "a = \nb = 2\nc = [1,,\nd = 4\nb = 3\n");
        let mut problems = Problems::new();
        let table = parse(&source, &mut problems);
        assert!(problems.len() >= 2, "{}", problems.render(false));
        assert!(table.get("b").is_some());
    }

    #[test]
    fn an_option_needs_no_quotes() {
        let read = |text: &str| parse_value(&Source::new("--set", text), &mut Problems::new()).value;
        assert_eq!(read("5s"), Value::Text("5s".into()));
        assert_eq!(read("\"5s\""), Value::Text("5s".into()));
        assert_eq!(read("true"), Value::Flag(true));
        assert_eq!(read("0.25"), Value::Float(0.25));
        assert!(matches!(read("{ fixed = \"1s\" }"), Value::Table(_)));
    }
}

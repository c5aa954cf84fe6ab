//! Texts that were read, and places in them.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::problem::Problem;

/// A text with the name it is known by: a file, or a piece of the command line.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// Path of the file, or what stands for it (`--set`).
    pub name: String,
    /// The text in full.
    pub text: String,
}

impl Source {
    /// A text under its name.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<Source> {
        Arc::new(Source { name: name.into(), text: text.into() })
    }

    /// The text that bytes hold.
    ///
    /// # Errors
    /// Where they stop being text.
    pub fn of_bytes(name: impl Into<String>, bytes: Vec<u8>) -> Result<Arc<Source>, Box<Problem>> {
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Source::new(name, text)),
            Err(error) => {
                let start = error.utf8_error().valid_up_to();
                let byte = error.as_bytes()[start];
                let readable = Source::new(name, String::from_utf8_lossy(error.as_bytes()));
                let end = start + char::REPLACEMENT_CHARACTER.len_utf8();
                let message = format!("the byte 0x{byte:02x} is no UTF-8");
                let place = Place::new(&readable, start..end);
                let problem = Problem::new(place, message);
                Err(Box::new(problem.expected("text in UTF-8; save the file in that encoding")))
            }
        }
    }

    /// The place of the whole text.
    pub fn whole(self: &Arc<Source>) -> Place {
        Place::new(self, 0..self.text.len())
    }
}

/// A stretch of bytes in a source.
#[derive(Clone, PartialEq, Eq)]
pub struct Place {
    /// The text.
    pub source: Arc<Source>,
    /// Bytes of the text; always inside it and on character boundaries.
    pub span: Range<usize>,
}

impl Place {
    /// A place; a span that does not fit the text is trimmed until it does.
    pub fn new(source: &Arc<Source>, span: Range<usize>) -> Place {
        let text = &source.text;
        let trim = |at: usize| {
            let at = at.min(text.len());
            (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
        };
        let (start, end) = (trim(span.start), trim(span.end));
        Place { source: Arc::clone(source), span: start..end.max(start) }
    }

    /// The text that stands here.
    pub fn text(&self) -> &str {
        &self.source.text[self.span.clone()]
    }

    /// A part of this place, counted from its start.
    pub fn part(&self, range: Range<usize>) -> Place {
        let end = (self.span.start + range.end).min(self.span.end);
        Place::new(&self.source, (self.span.start + range.start).min(end)..end)
    }

    /// Line and column of the start, both from 1, the column in characters.
    pub fn line_column(&self) -> (usize, usize) {
        let before = &self.source.text[..self.span.start];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        (line, column)
    }
}

/// `file:line:column`.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = self.line_column();
        write!(f, "{}:{line}:{column}", self.source.name)
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A name written in a file, with its place, so that a name that leads nowhere is reported where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The name.
    pub text: String,
    /// Where it stands.
    pub place: Place,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text_are_found() {
        assert_eq!(Source::of_bytes("x", "ä".as_bytes().to_vec()).unwrap().text, "ä");
        let problem = Source::of_bytes("x", b"a = 1\nb = \"caf\xe9 \xff\"".to_vec()).unwrap_err();
        assert_eq!((problem.place.to_string().as_str(), problem.place.text()), ("x:2:9", "\u{fffd}"));
        assert_eq!(problem.message, "the byte 0xe9 is no UTF-8");
    }

    #[test]
    fn places_stay_inside_their_text() {
        let source = Source::new("x", "ä\nbc");
        assert_eq!(Place::new(&source, 1..99).span, 0..5);
        assert_eq!(Place::new(&source, 4..5).line_column(), (2, 2));
        assert_eq!(Place::new(&source, 3..5).text(), "bc");
        assert_eq!(Place::new(&source, 3..5).part(1..9).text(), "c");
    }
}

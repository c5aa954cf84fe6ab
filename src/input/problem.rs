//! Mistakes in a text: what is wrong, where, what was expected, what was probably meant.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::source::Place;

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// What is wrong: a lower-case fragment.
    pub message: String,
    /// What would have been right.
    pub expected: Option<String>,
    /// How to go on.
    pub help: Option<String>,
    /// The right name closest to what was written.
    pub nearest: Option<String>,
    /// May merely follow from a part of the text that could not be read: dropped when there are such parts.
    pub is_derived: bool,
}

impl Problem {
    /// A mistake at a place.
    pub fn new(place: Place, message: impl Into<String>) -> Problem {
        Problem {
            place,
            message: message.into(),
            expected: None,
            help: None,
            nearest: None,
            is_derived: false,
        }
    }

    /// Says what would have been right.
    #[must_use]
    pub fn expected(mut self, text: impl Into<String>) -> Problem {
        self.expected = Some(text.into());
        self
    }

    /// Says how to go on.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Problem {
        self.help = Some(text.into());
        self
    }

    /// Offers the name among `candidates` closest to `name`, if one is close.
    #[must_use]
    pub fn nearest<'a>(mut self, name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Problem {
        self.nearest = super::nearest::nearest(name, candidates).map(str::to_owned);
        self
    }

    /// Marks a mistake that may only follow from another one.
    #[must_use]
    pub fn derived(mut self) -> Problem {
        self.is_derived = true;
        self
    }
}

/// All mistakes found so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    list: Vec<Problem>,
}

impl Problems {
    /// None yet.
    pub fn new() -> Problems {
        Problems::default()
    }

    /// Adds one.
    pub fn add(&mut self, problem: Problem) {
        self.list.push(problem);
    }

    /// Adds all of another collection.
    pub fn extend(&mut self, others: Problems) {
        self.list.extend(others.list);
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Each in turn.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.list.iter()
    }

    /// Drops what may only follow from unreadable parts.
    pub fn drop_derived(&mut self) {
        self.list.retain(|problem| !problem.is_derived);
    }

    /// Brings the mistakes into the order of their places (texts in the order in which they first had a mistake)
    /// and drops repetitions.
    #[must_use]
    pub fn sorted(mut self) -> Problems {
        let mut texts = Vec::new();
        for problem in &self.list {
            if !texts.contains(&problem.place.source) {
                texts.push(problem.place.source.clone());
            }
        }
        let order = |problem: &Problem| texts.iter().position(|text| *text == problem.place.source);
        self.list.sort_by(|a, b| {
            let key = |p: &Problem| (order(p), p.place.span.start, p.place.span.end);
            key(a).cmp(&key(b)).then_with(|| a.expected.cmp(&b.expected))
        });
        // One mistake inherited by several tables is one mistake: same place, same expectation.
        self.list.dedup_by(|a, b| {
            let same_advice = a.expected.is_some() && a.expected == b.expected;
            a.place == b.place && (a.message == b.message || same_advice)
        });
        self
    }

    /// As a person reads them: place, line with caret, what was expected, advice. Ends with a line break.
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let renderer = renderer.decor_style(DecorStyle::Ascii);
        let mut out = String::new();
        for problem in &self.list {
            out.push_str(&renderer.render(&[group(problem)]));
            out.push_str("\n\n");
        }
        if self.list.len() > 1 {
            out.push_str(&format!("{} mistakes\n", self.list.len()));
        }
        out
    }
}

fn group(problem: &Problem) -> Group<'_> {
    let place = &problem.place;
    let label = problem.expected.as_ref().map(|text| format!("expected {text}"));
    let mut annotation = AnnotationKind::Primary.span(place.span.clone());
    if let Some(label) = label {
        annotation = annotation.label(label);
    }
    let snippet = Snippet::source(place.source.text.as_str()).path(place.source.name.as_str());
    let mut group =
        Level::ERROR.primary_title(problem.message.as_str()).element(snippet.annotation(annotation));
    if let Some(name) = &problem.nearest {
        group = group.element(Level::HELP.message(format!("did you mean `{name}`?")));
    }
    if let Some(help) = &problem.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    group
}

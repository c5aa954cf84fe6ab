//! Laws of time as they are written: `"5s"`, `{ exponential = "3h" }`, `{ lognormal = { median, p95 } }` and so on.
//!
//! A lognormal given by mean and quantile: two shapes can fit, the narrower is taken; if none fits, that is an
//! error that says why (for the 95 % quantile at most 3.868 means, for the 99 % quantile at most 14.97). Prefer the
//! median with a quantile, which is always unique.

use super::problem::Problem;
use super::session::Session;
use super::source::Place;
use super::tree::{Entry, Item, TableItem, Value};
use super::units;
use crate::engine::dist::{Law, LawError};

/// Laws in messages.
pub const EXPECTED: &str = "a time such as \"5s\", or a law such as { exponential = \"3h\" } or \
                            { lognormal = { median = \"3h\", p95 = \"12h\" } }";

const KINDS: &[&str] = &["fixed", "exponential", "weibull", "lognormal", "gamma", "uniform", "empirical"];

/// Reads a law; `None` after reporting what is wrong.
pub fn read(item: &Item, session: &mut Session) -> Option<Law> {
    match &item.value {
        Value::Text(_) => {
            let value = time(item, session)?;
            made(Law::fixed(value), &item.place, session)
        }
        Value::Table(table) => match table.entries.as_slice() {
            [entry] => by_name(entry, session),
            [] => fail(Problem::new(item.place.clone(), "no law is named").expected(EXPECTED), session),
            [_, second, ..] => {
                let message = format!("a law has one name, and `{}` is a second", second.key);
                let problem = Problem::new(second.key_place.clone(), message);
                fail(problem.expected(format!("one of {}", KINDS.join(", "))), session)
            }
        },
        other => {
            let message = format!("{} is not a law of time", other.kind());
            let problem = Problem::new(item.place.clone(), message).expected(EXPECTED);
            let number = item.as_number().is_some();
            fail(if number { problem.help("a time needs its unit") } else { problem }, session)
        }
    }
}

fn by_name(entry: &Entry, session: &mut Session) -> Option<Law> {
    let item = &entry.item;
    match entry.key.as_str() {
        "fixed" => made(Law::fixed(time(item, session)?), &item.place, session),
        "exponential" => {
            let mean = match parameters(entry, &["mean"], session) {
                Some(table) => table.time("mean", session)?,
                None => time(item, session)?,
            };
            made(Law::exponential(mean), &item.place, session)
        }
        "weibull" => {
            let table = needs_table(entry, &["mean", "scale", "shape"], session)?;
            let shape = table.number("shape", session);
            let (name, size) = table.one_of(&["mean", "scale"], session)?;
            let law = if name == "mean" { Law::weibull_mean } else { Law::weibull };
            made(law(size, shape?), &item.place, session)
        }
        "gamma" => {
            let table = needs_table(entry, &["mean", "scale", "shape"], session)?;
            let shape = table.number("shape", session);
            let (name, size) = table.one_of(&["mean", "scale"], session)?;
            let shape = shape?;
            let scale = if name == "mean" { size / shape } else { size };
            made(Law::gamma(shape, scale), &item.place, session)
        }
        "lognormal" => lognormal(entry, session),
        "uniform" => uniform(item, session),
        "empirical" => {
            let column = session.column(item)?;
            let values: Vec<f64> = column.into_iter().map(|(value, _)| value).collect();
            made(Law::empirical(&values), &item.place, session)
        }
        other => {
            let problem = Problem::new(entry.key_place.clone(), format!("no law is called `{other}`"));
            fail(
                problem
                    .expected(format!("one of {}", KINDS.join(", ")))
                    .nearest(other, KINDS.iter().copied()),
                session,
            )
        }
    }
}

fn lognormal(entry: &Entry, session: &mut Session) -> Option<Law> {
    let table = needs_table(entry, &["median", "mean", "p95", "p99", "sigma"], session)?;
    let (centre, size) = table.one_of(&["median", "mean"], session)?;
    let place = &entry.item.place;
    if table.table.get("sigma").is_some() {
        for other in ["p95", "p99"] {
            if let Some(extra) = table.table.get(other) {
                let problem = Problem::new(extra.key_place.clone(), "`sigma` already says how wide it is");
                return fail(problem.expected("one of `p95`, `p99`, `sigma`"), session);
            }
        }
        let sigma = table.number("sigma", session)?;
        if centre == "mean" {
            let place = table.table.get("sigma")?.key_place.clone();
            let problem = Problem::new(place, "`sigma` goes with `median`");
            return fail(problem.expected("`p95` or `p99` beside `mean`"), session);
        }
        return made(Law::lognormal_median(size, sigma), place, session);
    }
    let (name, value) = table.one_of(&["p95", "p99"], session)?;
    let p = if name == "p95" { 0.95 } else { 0.99 };
    let law = if centre == "median" { Law::lognormal_median_quantile } else { Law::lognormal_mean_quantile };
    match law(size, p, value) {
        Ok(law) => Some(law),
        Err(error) => {
            let (limit, at) = if name == "p95" { (3.868, "95 %") } else { (14.97, "99 %") };
            let problem = Problem::new(table.table.get(name)?.item.place.clone(), error.to_string());
            let problem = if centre == "median" {
                problem.expected(format!("more than the median `{}`", place_text(&table, "median")))
            } else {
                problem.expected(format!("more than the mean and at most {limit} times the mean"))
            };
            let help = format!(
                "whatever its width, the {at} quantile of a lognormal is at most {limit} times its mean"
            );
            fail(
                if centre == "mean" { problem.help(help + "; give `median` instead") } else { problem },
                session,
            )
        }
    }
}

fn place_text<'a>(table: &Parameters<'a>, key: &str) -> &'a str {
    table.table.get(key).and_then(|entry| entry.item.as_text()).unwrap_or("")
}

fn uniform(item: &Item, session: &mut Session) -> Option<Law> {
    let Value::Array(ends) = &item.value else {
        let problem = Problem::new(item.place.clone(), format!("{} is not a range", item.value.kind()));
        return fail(problem.expected("its two ends, such as [\"1s\", \"20s\"]"), session);
    };
    let [low, high] = ends.as_slice() else {
        let problem = Problem::new(item.place.clone(), format!("a range has two ends, not {}", ends.len()));
        return fail(problem.expected("its two ends, such as [\"1s\", \"20s\"]"), session);
    };
    let (low, high) = (time(low, session), time(high, session));
    made(Law::uniform(low?, high?), &item.place, session)
}

/// The parameters of a law, of which only `names` are known.
struct Parameters<'a> {
    table: &'a TableItem,
    place: &'a Place,
    law: &'a str,
}

impl Parameters<'_> {
    fn entry(&self, key: &str, session: &mut Session) -> Option<&Entry> {
        let found = self.table.get(key);
        if found.is_none() {
            let message = format!("{} {} needs `{key}`", article(self.law), self.law);
            session.problems.add(Problem::new(self.place.clone(), message).derived());
        }
        found
    }

    fn time(&self, key: &str, session: &mut Session) -> Option<f64> {
        let entry = self.entry(key, session)?;
        time(&entry.item, session)
    }

    fn number(&self, key: &str, session: &mut Session) -> Option<f64> {
        let entry = self.entry(key, session)?;
        match entry.item.as_number() {
            Some(number) if number.is_finite() && number > 0.0 => Some(number),
            _ => {
                let problem = Problem::new(entry.item.place.clone(), format!("not a possible `{key}`"));
                fail(problem.expected("a number above zero"), session)
            }
        }
    }

    /// The one of several keys that is given.
    fn one_of(&self, keys: &[&'static str], session: &mut Session) -> Option<(&'static str, f64)> {
        let given: Vec<&'static str> =
            keys.iter().copied().filter(|key| self.table.get(key).is_some()).collect();
        let all = keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(" or ");
        match given.as_slice() {
            [key] => Some((key, self.time(key, session)?)),
            [] => {
                let message = format!("{} {} needs {all}", article(self.law), self.law);
                fail(Problem::new(self.place.clone(), message).derived(), session)
            }
            [_, second, ..] => {
                let place = self.table.get(second)?.key_place.clone();
                fail(Problem::new(place, "two keys say the same").expected(format!("either {all}")), session)
            }
        }
    }
}

fn article(law: &str) -> &'static str {
    if law.starts_with('e') { "an" } else { "a" }
}

/// The table of parameters, if the value is a table; unknown keys in it are reported.
fn parameters<'a>(entry: &'a Entry, names: &[&'static str], session: &mut Session) -> Option<Parameters<'a>> {
    let table = entry.item.as_table()?;
    for inner in &table.entries {
        if !names.contains(&inner.key.as_str()) {
            let message = format!("unknown key `{}`", inner.key);
            let problem = Problem::new(inner.key_place.clone(), message)
                .expected(format!("one of {}", names.join(", ")))
                .nearest(&inner.key, names.iter().copied());
            session.problems.add(problem);
        }
    }
    Some(Parameters { table, place: &entry.key_place, law: &entry.key })
}

fn needs_table<'a>(
    entry: &'a Entry,
    names: &[&'static str],
    session: &mut Session,
) -> Option<Parameters<'a>> {
    let found = parameters(entry, names, session);
    if found.is_none() {
        let message = format!("{} {} needs parameters of its own", article(&entry.key), entry.key);
        let problem = Problem::new(entry.item.place.clone(), message);
        session.problems.add(problem.expected(format!("a table with some of {}", names.join(", "))));
    }
    found
}

/// A length of time in seconds.
fn time(item: &Item, session: &mut Session) -> Option<f64> {
    let Some(text) = item.as_text() else {
        let message = match item.as_number() {
            Some(_) => "a time needs a unit".to_owned(),
            None => format!("{} is not a time", item.value.kind()),
        };
        return fail(Problem::new(item.place.clone(), message).expected(units::TIME_EXPECTED), session);
    };
    match units::seconds(text) {
        Ok(secs) => Some(secs),
        Err(error) => {
            let mut problem = Problem::new(item.part(error.range), error.message).expected(error.expected);
            problem.nearest = error.nearest.map(str::to_owned);
            fail(problem, session)
        }
    }
}

fn made(law: Result<Law, LawError>, place: &Place, session: &mut Session) -> Option<Law> {
    match law {
        Ok(law) => Some(law),
        Err(error) => {
            fail(Problem::new(place.clone(), error.to_string()).expected("a possible law"), session)
        }
    }
}

fn fail<T>(problem: Problem, session: &mut Session) -> Option<T> {
    session.problems.add(problem);
    None
}

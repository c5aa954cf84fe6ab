//! What came out, as the tables that are recorded.

use super::execute::{Results, pairs};
use super::plan::Plan;
use super::reports::Asked;
use super::view::View;
use super::{CONFIDENCE, replay};
use crate::measure::{self, Figure, Summary};
use crate::policy::contract::{Bounds, Policy};
use crate::policy::registry::PolicySet;
use crate::record::{Estimate, Fingerprints, Manifest, Pair, Pairs, Points, Row};

/// Everything that is reported of an experiment.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Title of the experiment.
    pub title: String,
    /// What it asks.
    pub question: Option<String>,
    /// Every measure of every policy at every point.
    pub points: Points,
    /// Differences between policies.
    pub pairs: Pairs,
    /// What is to be reported.
    pub asked: Asked,
    /// What made it.
    pub manifest: Manifest,
    /// Years per run.
    pub years: f64,
    /// Promises by point and policy; of the group that the measures speak of.
    pub bounds: Vec<Vec<Option<Bounds>>>,
    /// Bounds that did not hold.
    pub breaches: Vec<BreachLine>,
    /// The sentence on defaults and assumptions.
    pub defaults: String,
}

impl Outcome {
    /// Its tables, as tables, sentences and charts look at them.
    pub fn view(&self) -> View<'_> {
        View::new(&self.points, &self.pairs).asking(&self.asked)
    }
}

/// A bound that did not hold.
#[derive(Clone, Debug)]
pub struct BreachLine {
    /// What happened.
    pub message: String,
    /// The command that replays the run.
    pub replay: String,
}

/// Figures of a summary by the column they are recorded in: the service's by their names; those of the groups under
/// the same names where there is one group, else as `group.name`.
pub fn columns(summary: &Summary, groups: &[String]) -> Vec<(String, &'static measure::Measure, Figure)> {
    let mut list: Vec<_> = summary
        .service(CONFIDENCE)
        .into_iter()
        .map(|(measure, figure)| (measure.name.to_owned(), measure, figure))
        .collect();
    for (index, group) in groups.iter().enumerate() {
        for (measure, figure) in summary.group(index, CONFIDENCE) {
            let is_only = groups.len() == 1;
            let name = if is_only { measure.name.to_owned() } else { format!("{group}.{}", measure.name) };
            if !list.iter().any(|(other, ..)| *other == name) {
                list.push((name, measure, figure));
            }
        }
    }
    list
}

/// Figures by column.
type Named = Vec<(String, Option<Estimate>)>;

/// A figure as it is recorded; none where there is no number at all. An upper limit that the runs cannot give is left
/// out, and the lower one tells that there is an interval.
pub fn estimate(figure: &Figure) -> Option<Estimate> {
    let finite = |value: Option<f64>| value.filter(|value| value.is_finite());
    let low = if figure.zero { Some(0.0) } else { finite(figure.low) };
    let high = finite(figure.high);
    figure.estimate.is_finite().then_some(Estimate { estimate: figure.estimate, low, high })
}

/// Puts the tables together. Points that were not finished are left out.
pub fn collect<P: PolicySet>(plan: &Plan<P>, results: &Results) -> Outcome {
    let mut manifest = Manifest::new(&plan.name, plan.seed);
    manifest.inputs = plan.inputs.clone();
    manifest.axes = plan.axes.clone();
    let mut names: Vec<String> = Vec::new();
    let mut figures: Vec<Vec<Named>> = Vec::new();
    for (point, result) in plan.points.iter().zip(&results.points) {
        let mut of_point = Vec::new();
        for (case, summary) in point.cases.iter().zip(&result.summaries) {
            let groups: Vec<String> =
                case.setup.model.groups.iter().map(|group| group.name.clone()).collect();
            let columns = columns(summary, &groups);
            names.extend(columns.iter().map(|(name, ..)| name.clone()));
            of_point.push(columns.into_iter().map(|(name, _, figure)| (name, estimate(&figure))).collect());
        }
        figures.push(of_point);
    }
    let names = in_report_order(names);
    let mut points = Points { axes: plan.axes.clone(), measures: names, rows: Vec::new() };
    let mut table = Pairs { axes: plan.axes.clone(), rows: Vec::new() };
    for ((point, result), figures) in plan.points.iter().zip(&results.points).zip(&figures) {
        for ((policy, summary), figures) in plan.policies.iter().zip(&result.summaries).zip(figures) {
            let find = |name: &String| figures.iter().find(|(other, _)| other == name).and_then(|(_, e)| *e);
            points.rows.push(Row {
                axes: point.axes.clone(),
                policy: policy.clone(),
                runs: summary.runs(),
                seed: plan.seed,
                fingerprint: format!("{:032x}", summary.fingerprint()),
                measures: points.measures.iter().map(find).collect(),
            });
            manifest.points.push(Fingerprints {
                axes: point.axes.iter().map(crate::record::AxisValue::text).collect(),
                policy: policy.clone(),
                runs: summary.runs(),
                first_run: format!("{:032x}", summary.first_fingerprint()),
                all_runs: format!("{:032x}", summary.fingerprint()),
            });
        }
        for ((a, b), pair) in pairs(plan.policies.len()).zip(&result.pairs) {
            let has = |policy: usize, measure: &str| figures[policy].iter().any(|(name, _)| name == measure);
            for row in pair.rows(CONFIDENCE) {
                let (paired, unpaired) = (row.paired, row.unpaired);
                let ends = [row.difference, paired.0, paired.1, unpaired.0, unpaired.1];
                let name = row.measure.name;
                if !(has(a, name) && has(b, name) && ends.iter().all(|end| end.is_finite())) {
                    continue;
                }
                table.rows.push(Pair {
                    axes: point.axes.clone(),
                    policy_a: plan.policies[a].clone(),
                    policy_b: plan.policies[b].clone(),
                    measure: row.measure.name.to_owned(),
                    difference: row.difference,
                    paired_low: paired.0,
                    paired_high: paired.1,
                    unpaired_low: unpaired.0,
                    unpaired_high: unpaired.1,
                });
            }
        }
    }
    Outcome {
        title: plan.title.clone(),
        question: plan.question.clone(),
        points,
        pairs: table,
        asked: plan.asked.clone(),
        manifest,
        years: plan.horizon.as_secs() / crate::engine::time::SECS_PER_YEAR,
        bounds: plan
            .points
            .iter()
            .map(|point| point.cases.iter().map(|case| only(&case.setup.bounds)).collect())
            .collect(),
        breaches: breaches(plan, results),
        defaults: plan.defaults.sentence(),
    }
}

/// The bounds of a model with one group; those of several are told by `bounds`.
fn only(bounds: &[Bounds]) -> Option<Bounds> {
    match bounds {
        [bounds] => Some(bounds.clone()),
        _ => None,
    }
}

/// Measures in the order of reports, those of groups behind; each once.
fn in_report_order(names: Vec<String>) -> Vec<String> {
    let rank = |name: &str| {
        let measure = name.rsplit('.').next().unwrap_or(name);
        let place = measure::measures().iter().position(|known| known.name == measure);
        (name.contains('.'), place.unwrap_or(usize::MAX))
    };
    let mut list: Vec<String> = Vec::new();
    for name in names {
        if !list.contains(&name) {
            list.push(name);
        }
    }
    list.sort_by_key(|name| rank(name));
    list
}

fn breaches<P: Policy>(plan: &Plan<P>, results: &Results) -> Vec<BreachLine> {
    let mut list = Vec::new();
    for (point, result) in results.points.iter().enumerate() {
        for (policy, summary) in result.summaries.iter().enumerate() {
            let Some((run, breach)) = summary.breach() else { continue };
            let group = &plan.points[point].cases[policy].setup.model.groups[breach.group].name;
            let message = format!("`{}`, run {run}: {}", plan.policies[policy], breach.describe(group));
            list.push(BreachLine { message, replay: replay::command(plan, point, policy, run) });
        }
    }
    list
}

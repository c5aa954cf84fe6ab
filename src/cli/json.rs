//! The JSON of `run`, as the interface describes it.

use serde_json::{Map, Value, json};

use super::work::Done;
use crate::experiment::CONFIDENCE;
use crate::experiment::execute::{Results, pairs};
use crate::experiment::plan::Plan;
use crate::measure::{Figure, Measure};
use crate::policy::contract::{Bound, Bounds, Policy};
use crate::record::FORMAT;

/// One policy of a plan without axes.
pub(super) fn run<P: Policy>(plan: &Plan<P>, results: &Results, policy: usize) -> Value {
    let case = &plan.points[0].cases[policy];
    let summary = &results.points[0].summaries[policy];
    let model = &case.setup.model;
    let groups: Map<String, Value> = model
        .groups
        .iter()
        .enumerate()
        .map(|(index, group)| (group.name.clone(), figures(&summary.group(index, CONFIDENCE))))
        .collect();
    let bounds: Map<String, Value> = model
        .groups
        .iter()
        .zip(&case.setup.bounds)
        .map(|(group, promised)| (group.name.clone(), promises(promised)))
        .collect();
    json!({
        "format": FORMAT,
        "model": plan.name,
        "seed": plan.seed,
        "runs": summary.runs(),
        "horizon_s": plan.horizon.as_secs(),
        "fingerprint": format!("{:032x}", summary.fingerprint()),
        "measures": figures(&summary.service(CONFIDENCE)),
        "groups": groups,
        "bounds": bounds,
    })
}

/// Every value of a plan that varies a key, and the differences.
pub(super) fn varied<P: Policy>(plan: &Plan<P>, done: &Done) -> Value {
    let values: Vec<Value> = plan
        .policies
        .iter()
        .enumerate()
        .map(|(index, name)| {
            let mut value = run(plan, &done.results, index);
            value["value"] = json!(name);
            value
        })
        .collect();
    let mut differences = Vec::new();
    for ((a, b), pair) in pairs(plan.policies.len()).zip(&done.results.points[0].pairs) {
        for row in pair.rows(CONFIDENCE) {
            differences.push(json!({
                "a": plan.policies[a], "b": plan.policies[b], "measure": row.measure.name,
                "difference": row.difference, "low": row.paired.0, "high": row.paired.1,
                "unpaired_low": row.unpaired.0, "unpaired_high": row.unpaired.1,
                "gain": row.gain, "confidence": CONFIDENCE,
            }));
        }
    }
    json!({
        "format": FORMAT, "model": plan.name, "seed": plan.seed, "runs": plan.runs,
        "horizon_s": plan.horizon.as_secs(), "values": values, "differences": differences,
    })
}

fn figures(list: &[(&'static Measure, Figure)]) -> Value {
    let figure = |figure: &Figure, measure: &Measure| {
        json!({
            "estimate": figure.estimate, "low": figure.low, "high": figure.high, "confidence": CONFIDENCE,
            "unit": measure.unit, "n": figure.n, "method": figure.method,
        })
    };
    let entries = list.iter().map(|(measure, value)| (measure.name.to_owned(), figure(value, measure)));
    Value::Object(entries.collect())
}

/// The promises of one group.
pub(super) fn promises(bounds: &Bounds) -> Value {
    let mut map = Map::new();
    if let Some(loss) = &bounds.loss_age {
        map.insert("loss_age".into(), promise(loss));
    }
    map.insert("split_brain".into(), promise(&bounds.split_brain));
    Value::Object(map)
}

fn promise(bound: &Bound) -> Value {
    match bound.secs {
        Some(secs) => json!({"value": secs, "unit": "s", "formula": bound.formula, "class": bound.class}),
        None => {
            json!({"value": null, "unbounded": true, "formula": bound.formula, "grows_with": bound.class})
        }
    }
}

//! Draws one chart of each kind from made-up figures, to look at: `cargo run --example chart_gallery -- FOLDER`.

use std::path::Path;
use std::{env, fs, io};

use failsim::report::chart::{
    Axis, Bar, BarLength, Bound, BoundChart, BoundRow, CAUSES, Chart, Group, LineChart, Mark, MarkKind,
    Point, Series, StackedBars, Ticks, Twin,
};

const POLICIES: [&str; 6] = [
    "single server",
    "active-passive",
    "hot standby",
    "active-active",
    "hot standby with witness and fencing",
    "three replicas, majority quorum",
];

fn main() -> io::Result<()> {
    let folder = env::args().nth(1).unwrap_or_else(|| "target/gallery".to_owned());
    let folder = Path::new(&folder);
    fs::create_dir_all(folder)?;
    let charts: [(&str, Chart); 6] = [
        ("unavailability", unavailability().into()),
        ("split-brain", split_brain().into()),
        ("lost-writes", lost_writes().into()),
        ("downtime", downtime().into()),
        ("downtime-by-policy", by_policy(downtime()).into()),
        ("loss-bound", loss_bound().into()),
    ];
    for (name, chart) in charts {
        fs::write(folder.join(format!("{name}.svg")), chart.svg())?;
        fs::write(folder.join(format!("{name}.png")), chart.png())?;
        fs::write(folder.join(format!("{name}.csv")), chart.csv())?;
    }
    Ok(())
}

/// Nine values from 10 to 1000, equally far apart in ratio.
fn sweep() -> impl Iterator<Item = (usize, f64)> {
    (0..9).map(|step| (step, libm::pow(10.0, 1.0 + step as f64 / 4.0)))
}

/// A little scatter that is the same every time.
fn scatter(series: usize, step: usize) -> f64 {
    1.0 + 0.12 * (((series * 7 + step * 5) % 9) as f64 / 4.0 - 1.0)
}

fn unavailability() -> LineChart {
    let levels = [(0.125, 1.0), (6e-3, 1.1), (9e-4, 1.05), (8e-4, 1.0), (4e-4, 1.5), (5e-4, 1.6)];
    let series = levels.into_iter().enumerate().map(|(slot, (level, slope))| {
        let points = sweep().map(|(step, days)| {
            let value = level * libm::pow(days / 10.0, -slope) * scatter(slot, step);
            let width = 0.04 + 0.7 * libm::sqrt(1e-6 / value) * f64::from(slot as u32 + 1) / 4.0;
            if value < 1.2e-6 {
                Point::below(days, 1.5e-6 * scatter(slot, step + 1))
            } else {
                Point::seen(days, value, value * (1.0 - libm::fmin(width, 0.9)), value * (1.0 + 1.3 * width))
            }
        });
        Series { name: POLICIES[slot].to_owned(), slot, points: points.collect(), ..Series::default() }
    });
    let mut chart = LineChart::new(
        "A second server gains two nines; a third only matters once crashes are rare",
        "400 runs of 10 years per point and policy · 95 % simulation intervals · seed 20261121",
        Axis::log("server MTTF, days"),
        Axis::log("unavailability"),
    );
    chart.series = series.collect();
    chart.twin = Some(Twin::time_per_year());
    chart.top = Some(Twin {
        label: "crashes per server and year".to_owned(),
        ticks: [30.0, 10.0, 3.0, 1.0, 0.5].map(|rate| (365.25 / rate, format!("{rate}"))).to_vec(),
    });
    chart
}

fn split_brain() -> LineChart {
    let series = [
        (1, 62.0, "active-passive"),
        (2, 12.0, "hot standby"),
        (3, 2.2, "active-active"),
        (4, 0.0, "with witness and fencing"),
    ];
    let series = series.into_iter().map(|(slot, level, name)| {
        let points = sweep().map(|(step, minutes)| {
            let value = level * libm::pow(minutes / 10.0, 0.55) * scatter(slot, step);
            if value > 0.0 {
                Point::seen(minutes * 60.0, value, value * 0.86, value * 1.15)
            } else {
                Point::below(minutes * 60.0, 0.75)
            }
        });
        Series { name: name.to_owned(), slot, points: points.collect(), ..Series::default() }
    });
    let mut chart = LineChart::new(
        "Only fencing ends split brain; a longer cut hurts everybody else alike",
        "400 runs of 10 years per point and policy · 95 % simulation intervals · seed 20261121",
        Axis::log("mean length of a cut").ticked(Ticks::Durations),
        Axis::log("split brain, seconds per year"),
    );
    chart.series = series.collect();
    chart.notes =
        vec!["Both sides accepted writes at the same time; dual belief alone does not count.".to_owned()];
    chart
}

fn lost_writes() -> LineChart {
    let periods = [1.0, 2.0, 5.0, 10.0, 20.0, 30.0];
    let line = |name: &str, slot, dashed, factor: f64| {
        let points = periods.iter().map(|period| {
            let value = factor * period + 0.4;
            if dashed {
                Point::exact(*period, value)
            } else {
                Point::seen(*period, value, value * 0.93, value * 1.07)
            }
        });
        Series { name: name.to_owned(), slot, dashed, points: points.collect() }
    };
    let mut chart = LineChart::new(
        "What a crash loses grows with the transfer interval and never passes its bound",
        "400 runs of 10 years per point · hot standby · 95 % simulation intervals · seed 20261121",
        Axis::linear("transfer interval, seconds"),
        Axis::linear("age of the oldest lost write, seconds"),
    );
    chart.series = vec![
        line("bound: interval + delivery", 2, true, 1.05),
        line("largest seen", 1, false, 0.98),
        line("95 % stay below", 0, false, 0.93),
        line("mean", 3, false, 0.48),
    ];
    chart
}

fn downtime() -> StackedBars {
    let weights: [[f64; 14]; 6] = [
        [0.2, 0.0, 0.0, 0.0, 0.0, 0.3, 0.2, 8.0, 0.2, 0.0, 0.0, 0.1, 0.6, 0.4],
        [3.0, 1.5, 0.0, 2.0, 0.5, 0.3, 0.6, 0.0, 0.2, 0.7, 0.0, 0.0, 0.4, 0.3],
        [4.0, 0.0, 0.0, 1.0, 0.5, 0.3, 0.0, 0.0, 0.3, 1.0, 0.0, 0.0, 0.3, 0.1],
        [1.0, 0.0, 0.0, 0.0, 2.0, 2.0, 0.0, 0.0, 1.3, 0.5, 0.0, 2.0, 0.0, 0.1],
        [2.0, 3.0, 0.0, 1.0, 0.5, 0.3, 0.0, 0.0, 0.3, 0.2, 0.0, 0.0, 0.3, 0.1],
        [1.0, 0.0, 2.5, 0.5, 0.5, 0.3, 0.0, 0.0, 0.3, 0.1, 2.0, 0.0, 0.0, 0.1],
    ];
    let groups =
        [(10.0, "server MTTF 10 days"), (100.0, "server MTTF 100 days"), (1000.0, "server MTTF 1000 days")];
    let groups = groups.into_iter().map(|(days, name)| {
        let bars = weights.iter().enumerate().map(|(slot, weights)| {
            let total = [1100.0, 46.0, 7.2, 6.6, 3.1, 4.0][slot] / libm::pow(days, 1.0)
                * scatter(slot, days as usize);
            let whole: f64 = weights.iter().sum();
            let is_none = slot == 4 && days > 500.0;
            let amounts =
                weights.iter().map(|weight| if is_none { 0.0 } else { weight / whole * total }).collect();
            let total = if is_none {
                Point::below(0.0, 0.0026)
            } else {
                Point::seen(0.0, total, total * 0.9, total * 1.1)
            };
            Bar { name: POLICIES[slot].to_owned(), slot, amounts, total }
        });
        Group { name: name.to_owned(), bars: bars.collect() }
    });
    let groups: Vec<Group> = groups.collect();
    assert!(groups.iter().flat_map(|group| &group.bars).all(|bar| bar.amounts.len() == CAUSES.len()));
    let mut chart = StackedBars::downtime(
        "With a spare, most downtime is spent noticing the fault, not repairing it",
        "400 runs of 10 years per point and policy · 95 % simulation intervals · seed 20261121",
        "h/yr",
    );
    chart.groups = groups;
    chart
}

/// The same figures with a group for each policy, which shows how one policy changes along the axis.
fn by_policy(chart: StackedBars) -> StackedBars {
    let group = |slot: usize| Group {
        name: POLICIES[slot].to_owned(),
        bars: chart
            .groups
            .iter()
            .map(|group| Bar { name: group.name.clone(), ..group.bars[slot].clone() })
            .collect(),
    };
    StackedBars { length: BarLength::Amount, groups: (1..4).map(group).collect(), ..chart }
}

fn loss_bound() -> BoundChart {
    let row = |slot: usize, mean: f64, bound: Bound| BoundRow {
        group: String::new(),
        name: POLICIES[slot].to_owned(),
        slot,
        marks: vec![
            Mark { kind: MarkKind::Mean, value: Point::seen(0.0, mean, mean * 0.9, mean * 1.1) },
            Mark { kind: MarkKind::P95, value: Point::seen(0.0, mean * 1.9, mean * 1.85, mean * 1.94) },
            Mark { kind: MarkKind::Max, value: Point::exact(0.0, mean * 2.3) },
        ],
        bound: Some(bound),
    };
    let limit = |value: f64, text: &str, class: &str| Bound::Limit {
        value,
        text: text.to_owned(),
        class: class.to_owned(),
    };
    let none = BoundRow {
        marks: vec![Mark { kind: MarkKind::Max, value: Point::below(0.0, 0.02) }],
        ..row(5, 1.0, limit(0.03, "30ms", "any one crash; a majority holds every write"))
    };
    let mut chart = BoundChart::new(
        "No policy lost more than it promised; active-active promises nothing",
        "400 runs of 10 years · 95 % simulation intervals · seed 20261121",
        Axis::log("age of the oldest lost write").ticked(Ticks::Durations),
    );
    chart.rows = vec![
        row(1, 27.0, limit(65.0, "1m 5s", "one crash of Main while in step")),
        row(2, 2.5, limit(6.0, "6s", "one crash of Main while in step")),
        row(3, 410.0, Bound::Unbounded { grows_with: "the length of the cut".to_owned() }),
        row(4, 0.4, limit(1.1, "1.1s", "one crash of Main, witness reachable throughout")),
        none,
    ];
    chart
}

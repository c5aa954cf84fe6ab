//! What must hold for every chart: nothing cut, nothing overlapping, the same bytes each time.

use super::*;
use crate::report::scene::Scene;

/// Every text lies within the picture and no two overlap.
fn check(scene: &Scene) {
    let (width, height) = scene.size();
    let labels = scene.labels();
    for (index, (label, area)) in labels.iter().enumerate() {
        let inside = area.left >= 0.0 && area.top >= 0.0 && area.right <= width && area.bottom <= height;
        assert!(inside, "`{}` is cut: {area:?}", label.text);
        for (other, other_area) in &labels[..index] {
            assert!(!area.overlaps(other_area), "`{}` and `{}` overlap", label.text, other.text);
        }
    }
}

/// Lines that end in nearly the same place, with names of every length.
fn crowded() -> LineChart {
    let names = [
        "a",
        "hot standby",
        "three replicas with a majority quorum and a witness elsewhere",
        "b",
        "c",
        "d",
        "e",
    ];
    let series = names.into_iter().enumerate().map(|(slot, name)| {
        let level = 1e-5 * (1.0 + slot as f64 / 50.0);
        let mut points = vec![Point::seen(10.0, level * 100.0, level * 90.0, level * 110.0)];
        points.push(if slot == 3 {
            Point::below(100.0, level)
        } else {
            Point::seen(100.0, level, 0.0, level * 1.2)
        });
        Series { name: name.to_owned(), slot, points, ..Series::default() }
    });
    LineChart {
        series: series.collect(),
        twin: Some(Twin::time_per_year()),
        top: Some(Twin { label: "crashes a year".into(), ticks: vec![(36.525, "10".into())] }),
        notes: vec!["A note that goes on for longer than a line of the picture has room for, ".repeat(3)],
        ..LineChart::new(
            &"A finding that takes more than one line to state. ".repeat(3),
            "400 runs",
            Axis::log("MTTF, days"),
            Axis::log("unavailability"),
        )
    }
}

fn bars() -> StackedBars {
    let bar = |slot: usize, total: f64| Bar {
        name: "hot standby with fencing and a witness in a third building".to_owned(),
        slot,
        amounts: (0..14).map(|part| total * f64::from(part) / 91.0).collect(),
        total: Point::seen(0.0, total, total * 0.9, total * 1.1),
    };
    let none = Bar { name: "none".into(), slot: 2, amounts: vec![0.0; 14], total: Point::below(0.0, 0.003) };
    let group = Group { name: "MTTF 10 days".into(), bars: vec![bar(0, 100.0), bar(1, 0.01), none] };
    StackedBars {
        groups: vec![group.clone(), group],
        ..StackedBars::downtime("Detection dominates", "400 runs", "h/yr")
    }
}

fn bounds() -> BoundChart {
    let row = |group: &str, slot, bound| BoundRow {
        group: group.to_owned(),
        name: "hot standby with a witness".to_owned(),
        slot,
        marks: vec![
            Mark { kind: MarkKind::Mean, value: Point::seen(0.0, 2.0, 1.9, 2.1) },
            Mark { kind: MarkKind::P95, value: Point::exact(0.0, 4.0) },
            Mark { kind: MarkKind::Max, value: Point::exact(0.0, 5.9) },
        ],
        bound,
    };
    let class =
        "one crash of Main while in step, with the witness reachable from both sides all the time".to_owned();
    let limit = Bound::Limit { value: 6.0, text: "6s".into(), class };
    BoundChart {
        rows: vec![
            row("10 days", 0, Some(limit)),
            row("10 days", 1, Some(Bound::Unbounded { grows_with: "the length of the cut".into() })),
            row("100 days", 2, None),
        ],
        ..BoundChart::new("Nothing beyond the bound", "400 runs", Axis::log("age").ticked(Ticks::Durations))
    }
}

#[test]
fn nothing_is_cut_or_overlaps() {
    check(&crowded().scene());
    check(&bars().scene());
    check(&StackedBars { length: BarLength::Amount, ..bars() }.scene());
    check(&bounds().scene());
}

#[test]
fn an_empty_chart_is_still_a_chart() {
    let axis = || Axis::log("x");
    check(&LineChart::new("Nothing", "0 runs", axis(), axis()).scene());
    check(&StackedBars::downtime("Nothing", "0 runs", "h/yr").scene());
    check(&BoundChart::new("Nothing", "0 runs", axis()).scene());
}

#[test]
fn the_same_chart_gives_the_same_bytes() {
    assert_eq!(Chart::from(crowded()).svg(), Chart::from(crowded()).svg());
    assert_eq!(Chart::from(bars()).svg(), Chart::from(bars()).svg());
    assert_eq!(Chart::from(bounds()).svg(), Chart::from(bounds()).svg());
    assert_eq!(Chart::from(bounds()).png(), Chart::from(bounds()).png());
}

#[test]
fn lines_that_lie_on_each_other_are_drawn_by_turns() {
    let line = |slot: usize, level: f64| Series {
        name: format!("policy {slot}"),
        slot,
        points: (0..4).map(|x| Point::exact(f64::from(x), level)).collect(),
        ..Series::default()
    };
    let colours = |levels: [f64; 2]| {
        let chart = LineChart {
            series: levels.into_iter().enumerate().map(|(slot, level)| line(slot, level)).collect(),
            ..LineChart::new("Two", "400 runs", Axis::linear("x"), Axis::linear("y"))
        };
        let svg = Chart::from(chart).svg();
        ["#0072B2", "#D55E00"].map(|colour| svg.to_uppercase().matches(&colour.to_uppercase()).count())
    };
    // Each has its dashes, as many as the other's.
    let (together, apart) = (colours([5.0, 5.0]), colours([5.0, 2.0]));
    assert!(together[0] > apart[0] + 5 && together[1] > apart[1] + 5, "{together:?}, {apart:?}");
}

#[test]
fn a_linear_axis_begins_at_zero() {
    let points = vec![Point::seen(10.0, 3700.0, 3500.0, 3900.0), Point::seen(100.0, 3870.0, 3600.0, 4100.0)];
    let chart = LineChart {
        series: vec![Series { name: "a".into(), points, ..Series::default() }],
        ..LineChart::new("Flat", "400 runs", Axis::log("MTTF, days"), Axis::linear("split brain, s/yr"))
    };
    let scene = chart.scene();
    assert!(scene.labels().iter().any(|(label, _)| label.text == "0"));
}

#[test]
fn shares_too_small_to_see_are_named_below() {
    let mut chart = bars();
    for bar in chart.groups.iter_mut().flat_map(|group| &mut group.bars) {
        bar.amounts = vec![0.0; 14];
        (bar.amounts[0], bar.amounts[7]) = (99.9, 0.1);
    }
    let svg = Chart::from(chart).svg();
    assert!(svg.contains("below 0.5 % everywhere: restart"));
    assert!(!svg.contains(">restart<"));
    assert!(svg.contains("detect 100 %"));
}

#[test]
fn the_picture_says_what_the_chart_says() {
    let svg = Chart::from(crowded()).svg();
    for text in [
        "hot standby",
        "unavailability",
        "10⁻⁵",
        "none seen: upper bound (95 %)",
        "time per year",
        "crashes a year",
    ] {
        assert!(svg.contains(text), "{text}");
    }
    assert!(svg.starts_with("<svg width=\"860\" height=\""));
    assert!(svg.contains("<title>A finding"));
    assert!(Chart::from(bounds()).svg().contains("grows with the length of the cut"));
    assert!(Chart::from(bars()).svg().contains("none seen"));
}

#[test]
fn what_a_name_holds_cannot_break_the_picture() {
    let mut chart = crowded();
    chart.title = "a < b & \"c\"".into();
    chart.series[0].name = "<script>".into();
    let svg = Chart::from(chart).svg();
    assert!(svg.contains("<title>a &lt; b &amp; \"c\"</title>"));
    assert!(!svg.contains("<script>"));
}

#[test]
fn a_bound_is_no_point_of_a_line() {
    let csv = Chart::from(crowded()).csv();
    assert!(csv.starts_with("series,kind,x,y,low,high\n"));
    assert!(csv.contains("b,upper_bound,100.0,,,1.06"), "{csv}");
}

#[test]
fn the_data_behind_bars_and_bounds_is_complete() {
    assert!(Chart::from(bars()).csv().contains("MTTF 10 days,none,total,,,0.003\n"));
    assert_eq!(Chart::from(bars()).csv().lines().count(), 1 + 6 * 15);
    assert!(Chart::from(bounds()).csv().contains("bound,,,,grows with the length of the cut\n"));
}

#[test]
fn a_recorded_estimate_is_shown_as_what_it_is() {
    assert_eq!(Point::recorded(1.0, Some(Estimate::seen(0.5, 0.4, 0.6))), Point::seen(1.0, 0.5, 0.4, 0.6));
    assert_eq!(Point::recorded(1.0, Some(Estimate::below(3e-4))), Point::below(1.0, 3e-4));
    assert_eq!(Point::recorded(1.0, Some(Estimate::exact(0.5))), Point::exact(1.0, 0.5));
    assert_eq!(Point::recorded(1.0, None), Point { x: 1.0, ..Point::default() });
}

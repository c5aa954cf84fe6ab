//! The points that axes span, and how their values are recorded.

use crate::record::AxisValue;

/// Every combination of indexes, the first slowest.
pub(super) fn combinations(sizes: &[usize]) -> Vec<Vec<usize>> {
    let mut list = vec![Vec::new()];
    for &size in sizes {
        list = list
            .into_iter()
            .flat_map(|before| (0..size).map(move |index| before.iter().copied().chain([index]).collect()))
            .collect();
    }
    list
}

/// Heading and values of an axis: numbers where all values are numbers of one unit, which then stands in the heading.
pub(super) fn column(name: &str, labels: &[String]) -> (String, Vec<AxisValue>) {
    let parts: Vec<Option<(f64, &str)>> = labels.iter().map(|label| number_and_unit(label)).collect();
    let unit = parts.first().and_then(|part| part.map(|(_, unit)| unit));
    if let Some(unit) = unit
        && parts.iter().all(|part| part.is_some_and(|(_, other)| other == unit))
    {
        let values = parts.iter().flatten().map(|(value, _)| AxisValue::Number(*value)).collect();
        return (if unit.is_empty() { name.to_owned() } else { format!("{name} ({unit})") }, values);
    }
    let seconds: Result<Vec<f64>, _> =
        labels.iter().map(|label| crate::input::units::seconds(label)).collect();
    match seconds {
        Ok(values) => (format!("{name} (s)"), values.into_iter().map(AxisValue::Number).collect()),
        Err(_) => (name.to_owned(), labels.iter().map(|label| AxisValue::Name(label.clone())).collect()),
    }
}

fn number_and_unit(label: &str) -> Option<(f64, &str)> {
    let ends = (1..=label.len()).rev().filter(|end| label.is_char_boundary(*end));
    let (value, unit) = ends
        .filter_map(|end| Some((label[..end].trim_end().parse::<f64>().ok()?, label[end..].trim())))
        .next()?;
    (value.is_finite() && !unit.contains(|c: char| c.is_ascii_digit() || c.is_whitespace()))
        .then_some((value, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_become_numbers_of_one_unit_where_they_can() {
        let labels = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let of = |list: &[&str]| column("x", &labels(list));
        let numbers = |list: &[f64]| list.iter().map(|n| AxisValue::Number(*n)).collect::<Vec<_>>();
        assert_eq!(of(&["10d", "17.8d"]), ("x (d)".into(), numbers(&[10.0, 17.8])));
        assert_eq!(of(&["0.1%", "1%"]), ("x (%)".into(), numbers(&[0.1, 1.0])));
        assert_eq!(of(&["1", "2.5"]), ("x".into(), numbers(&[1.0, 2.5])));
        assert_eq!(of(&["30s", "1m 30s"]), ("x (s)".into(), numbers(&[30.0, 90.0])));
        assert_eq!(of(&["on", "off"]).1[0], AxisValue::Name("on".into()));
    }

    #[test]
    fn the_first_axis_is_the_slowest() {
        assert_eq!(combinations(&[2, 2]), [[0, 0], [0, 1], [1, 0], [1, 1]]);
        assert_eq!(combinations(&[]), [[0_usize; 0]; 1]);
    }
}

//! The name somebody probably meant.

/// The candidate closest to `name`, if any is close enough to be meant: at most a third of its letters differ
/// (and at least one may), or one is a beginning of the other. Ties go to the candidate of
/// most equal length, then to the first.
///
/// ```
/// use failsim::input::nearest::nearest;
/// assert_eq!(nearest("latncy", ["loss", "latency"]), Some("latency"));
/// assert_eq!(nearest("colour", ["loss", "latency"]), None);
/// ```
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    nearest_preferring(name, candidates.into_iter().map(|candidate| (candidate, false)))
}

/// As [`nearest`], where of candidates equally close the preferred ones (`true`) come first.
pub fn nearest_preferring<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = (&'a str, bool)>,
) -> Option<&'a str> {
    let wanted = simplified(name);
    let mut best: Option<((usize, bool, usize), &'a str)> = None;
    for (candidate, is_preferred) in candidates {
        let offered = simplified(candidate);
        let longest = wanted.len().max(offered.len());
        let mut distance = edit_distance(&wanted, &offered);
        let shortest = wanted.len().min(offered.len());
        if shortest >= 3 && (wanted.starts_with(&offered) || offered.starts_with(&wanted)) {
            distance = distance.min(longest / 3);
        }
        let close = distance <= (longest / 3).max(1) && distance < longest;
        let rank = (distance, !is_preferred, longest - shortest);
        if close && best.is_none_or(|(least, _)| rank < least) {
            best = Some((rank, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Letters that carry meaning: case and the choice of separator do not.
fn simplified(name: &str) -> Vec<char> {
    name.chars()
        .flat_map(char::to_lowercase)
        .map(|c| if c == '_' || c == ' ' { '-' } else { c })
        .take(80)
        .collect()
}

/// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`.
fn edit_distance(a: &[char], b: &[char]) -> usize {
    let mut before_last = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replace = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replace.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before_last[j - 2] + 1);
            }
        }
        before_last = last;
        last = row;
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        assert_eq!(nearest("heartbaet", ["heartbeat", "hearing"]), Some("heartbeat"));
        assert_eq!(nearest("hot_standby", ["hot-standby"]), Some("hot-standby"));
        assert_eq!(nearest("c", ["a", "b"]), None);
        assert_eq!(nearest("wam", ["wan", "radio"]), Some("wan"));
        assert_eq!(nearest("", ["a"]), None);
        assert_eq!(nearest("mtf", ["mttf", "ttf"]), Some("ttf"));
        assert_eq!(nearest_preferring("mtf", [("mttf", true), ("ttf", false)]), Some("mttf"));
        assert_eq!(nearest_preferring("ttff", [("mttf", true), ("ttf", false)]), Some("ttf"));
    }
}

//! Damaged files are answered with problems, never with a panic.

use super::{SCADA, read};

/// A small generator of its own: the point is variety, not quality.
fn next(state: &mut u64) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) as usize
}

fn answer(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Err(problems) = read(&text) {
        assert!(!problems.is_empty());
        assert!(!problems.render(false).is_empty());
    }
}

#[test]
fn truncations() {
    for end in (0..SCADA.len()).step_by(7) {
        answer(&SCADA.as_bytes()[..end]);
    }
}

#[test]
fn mutations() {
    let mut state = 7;
    let alphabet = b"[]{}=\".,#\n -+0919eEaNinfysh\xff\xc3\xa4\\'%/";
    for _ in 0..1_500 {
        let mut bytes = SCADA.as_bytes().to_vec();
        for _ in 0..1 + next(&mut state) % 6 {
            let at = next(&mut state) % bytes.len();
            let letter = alphabet[next(&mut state) % alphabet.len()];
            match next(&mut state) % 4 {
                0 => bytes.insert(at, letter),
                1 => drop(bytes.remove(at)),
                2 => {
                    let end = (at + next(&mut state) % 40).min(bytes.len());
                    let piece = bytes[at..end].to_vec();
                    let to = next(&mut state) % bytes.len();
                    bytes.splice(to..to, piece);
                }
                _ => bytes[at] = letter,
            }
        }
        answer(&bytes);
    }
}

//! Colours and markers, fixed per slot so that a policy looks the same in every chart.
//!
//! The colours of Okabe & Ito (2008, "Color Universal Design") stay apart under all common kinds of colour blindness;
//! their yellow is left out, for it is too light for thin lines, and three of Tol's muted scheme (2021, "Colour Schemes")
//! follow. A marker per slot keeps lines apart in grey; colour and marker together are told apart up to slot 40.

use crate::report::scene::{Box2, Colour, Scene};

pub(super) const INK: Colour = Colour(0x22, 0x22, 0x22);
pub(super) const GREY: Colour = Colour(0x66, 0x66, 0x66);
pub(super) const AXIS: Colour = Colour(0x88, 0x88, 0x88);
pub(super) const GRID: Colour = Colour(0xE4, 0xE4, 0xE4);
pub(super) const WHITE: Colour = Colour(0xFF, 0xFF, 0xFF);

const LINES: [Colour; 10] = [
    Colour(0x00, 0x72, 0xB2),
    Colour(0xD5, 0x5E, 0x00),
    Colour(0x00, 0x9E, 0x73),
    Colour(0xCC, 0x79, 0xA7),
    Colour(0xE6, 0x9F, 0x00),
    Colour(0x56, 0xB4, 0xE9),
    Colour(0x00, 0x00, 0x00),
    Colour(0x99, 0x99, 0x33),
    Colour(0x88, 0x22, 0x55),
    Colour(0x33, 0x22, 0x88),
];

/// The same hues dark enough for small letters on white (contrast at least 4.5 to 1).
const TEXTS: [Colour; 10] = [
    Colour(0x00, 0x62, 0x9A),
    Colour(0xB0, 0x4A, 0x00),
    Colour(0x00, 0x7A, 0x58),
    Colour(0xA4, 0x4C, 0x7E),
    Colour(0x91, 0x63, 0x00),
    Colour(0x1B, 0x74, 0xAC),
    Colour(0x00, 0x00, 0x00),
    Colour(0x6C, 0x6C, 0x1C),
    Colour(0x88, 0x22, 0x55),
    Colour(0x33, 0x22, 0x88),
];

pub(super) fn line(slot: usize) -> Colour {
    LINES[slot % LINES.len()]
}

pub(super) fn text(slot: usize) -> Colour {
    TEXTS[slot % TEXTS.len()]
}

/// Segment colours in the order of [`CAUSES`](super::CAUSES): the protocol's own steps in blues to greens, what it
/// could not help in yellows to reds, people's doing in greys. Neighbours differ in lightness too.
const SEGMENTS: [Colour; 14] = [
    Colour(0x08, 0x45, 0x7E), // detect
    Colour(0x4A, 0x90, 0xC6), // fence
    Colour(0xA3, 0xCB, 0xE8), // elect
    Colour(0x00, 0x6B, 0x57), // promote
    Colour(0x3F, 0xB0, 0x8F), // redirect
    Colour(0xA8, 0xDD, 0xC3), // reconnect
    Colour(0x7B, 0x9A, 0x2E), // warm
    Colour(0xF2, 0xC1, 0x4E), // restart
    Colour(0xD9, 0x82, 0x1F), // network
    Colour(0x9B, 0x2F, 0x1F), // no_spare
    Colour(0xE2, 0x77, 0x6A), // no_quorum
    Colour(0xB7, 0x6A, 0xA8), // overload
    Colour(0x9A, 0x9A, 0x9A), // planned
    Colour(0x4D, 0x4D, 0x4D), // human
];

pub(super) fn segment(index: usize) -> Colour {
    SEGMENTS[index % SEGMENTS.len()]
}

/// Whether white letters read better than black ones on this colour (relative luminance by Rec. 709 weights).
pub(super) fn is_dark(colour: Colour) -> bool {
    let Colour(r, g, b) = colour;
    0.2126 * f64::from(r) + 0.7152 * f64::from(g) + 0.0722 * f64::from(b) < 135.0
}

fn polygon(x: f64, y: f64, radius: f64, corners: u32, turn: f64) -> Vec<(f64, f64)> {
    (0..corners)
        .map(|corner| {
            let angle = (f64::from(corner) / f64::from(corners) + turn) * std::f64::consts::TAU;
            (x + radius * libm::sin(angle), y - radius * libm::cos(angle))
        })
        .collect()
}

/// The marker of a slot, filled for the first four, then hollow.
pub(super) fn marker(scene: &mut Scene, x: f64, y: f64, slot: usize) {
    let shape = |size: f64| match slot % 4 {
        0 => polygon(x, y, 3.4 * size, 24, 0.0),
        1 => polygon(x, y, 4.1 * size, 4, 0.125),
        2 => polygon(x, y + 0.5, 4.6 * size, 3, 0.0),
        _ => polygon(x, y, 4.6 * size, 4, 0.0),
    };
    scene.fill(shape(1.35), WHITE, 1.0);
    scene.fill(shape(1.0), line(slot), 1.0);
    if slot % 8 >= 4 {
        scene.fill(shape(0.5), WHITE, 1.0);
    }
}

/// A round mark, full or hollow.
pub(super) fn dot(scene: &mut Scene, x: f64, y: f64, colour: Colour, is_full: bool) {
    scene.fill(polygon(x, y, 6.2, 28, 0.0), WHITE, 1.0);
    scene.fill(polygon(x, y, 5.0, 28, 0.0), colour, 1.0);
    if !is_full {
        scene.fill(polygon(x, y, 3.0, 28, 0.0), WHITE, 1.0);
    }
}

/// Which way a hollow triangle points: towards where the true value may lie.
#[derive(Clone, Copy)]
pub(super) enum Towards {
    Down,
    Left,
}

/// Upper bound of something never seen: a hollow triangle whose flat side stands at the bound.
pub(super) fn bound_marker(scene: &mut Scene, x: f64, y: f64, colour: Colour, towards: Towards) {
    // Nested filled triangles rather than an outline: every renderer agrees on the corners of a filled shape.
    for (inset, colour) in [(-1.2, WHITE), (0.0, colour), (1.7, WHITE)] {
        let (half, depth) = (5.8, 9.6);
        let slope = libm::hypot(half, depth);
        let tip = depth - inset * slope / half;
        let half = half * (1.0 - inset / depth) - inset * slope / depth;
        scene.fill(
            match towards {
                Towards::Down => vec![(x - half, y + inset), (x + half, y + inset), (x, y + tip)],
                Towards::Left => vec![(x - inset, y - half), (x - inset, y + half), (x - tip, y)],
            },
            colour,
            1.0,
        );
    }
}

/// A filled rectangle with corners given as numbers.
pub(super) fn block(scene: &mut Scene, left: f64, top: f64, right: f64, bottom: f64, colour: Colour) {
    scene.rect(Box2 { left, top, right, bottom }, colour);
}

//! The detectors that active-passive may be given instead of a time-out: `detector = { lease = { ttl = "10s" } }`.

use crate::engine::time::Span;
use crate::input::{Key, Kind, Mark, Reader, Table};
use crate::service::detector::{Silence, Tail};

/// A detector as written; the interval of heartbeats comes from beside it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Detector {
    /// At least `missing` of the last `of` ticks without a beat.
    MissedOf {
        /// m.
        missing: u8,
        /// n.
        of: u8,
    },
    /// VRRP's master-down interval.
    MasterDown {
        /// Advertisement intervals.
        adverts: u32,
        /// Of the first node of the group.
        priority: u8,
        /// By how much that of each further node is lower.
        step: u8,
    },
    /// A lease, by the instant of sending, and its margin.
    Lease(Span),
    /// NFD-E.
    Expected {
        /// Arrivals that count.
        window: u16,
        /// After the expected arrival.
        margin: Span,
    },
    /// phi-accrual.
    Accrual {
        /// The law fitted to gaps.
        tail: Tail,
        /// Gaps that count.
        window: u16,
        /// Φ.
        threshold: f64,
    },
}

impl Detector {
    /// The rule that it is for heartbeats `every` so often, at the node in this place of the group.
    pub fn silence(self, every: Span, place: usize) -> Silence {
        match self {
            Detector::MissedOf { missing, of } => Silence::MissedOf { missing, of, every },
            Detector::MasterDown { adverts, priority, step } => {
                let lower = usize::from(step).saturating_mul(place).min(usize::from(u8::MAX)) as u8;
                Silence::master_down(every, adverts, priority.saturating_sub(lower).max(1))
            }
            Detector::Lease(after) => Silence::Lease(after),
            Detector::Expected { window, margin } => Silence::Expected { window, every, margin },
            Detector::Accrual { tail, window, threshold } => {
                Silence::Accrual { tail, window, threshold, every }
            }
        }
    }
}

/// The table of detectors: one of them is named.
pub(super) struct DetectorTable(pub(super) Option<Detector>);

impl Table for DetectorTable {
    const KEYS: &'static [Key] = &[
        Key::new("m-of-n", Kind::Table(MissedOf::KEYS), "Suspects at a tick (one a heartbeat interval, by its own clock) when at least `missing` of the last `of` ticks were without a beat; trusts again when fewer are.")
            .excludes(&["vrrp", "lease", "chen", "phi-accrual"]),
        Key::new("vrrp", Kind::Table(MasterDown::KEYS), "Suspects after VRRP's master-down interval: `adverts` heartbeat intervals and a skew of (256 − priority)/256 of one (RFC 9568).")
            .excludes(&["m-of-n", "lease", "chen", "phi-accrual"]),
        Key::new("lease", Kind::Table(Lease::KEYS), "Each heartbeat renews a lease, which runs from the instant the heartbeat was sent; suspects `margin` after it has run out.")
            .excludes(&["m-of-n", "vrrp", "chen", "phi-accrual"]),
        Key::new("chen", Kind::Table(Expected::KEYS), "NFD-E of Chen, Toueg and Aguilera: suspects `margin` after the next heartbeat was expected, by the mean of the last `window` arrivals.")
            .excludes(&["m-of-n", "vrrp", "lease", "phi-accrual"]),
        Key::new("phi-accrual", Kind::Table(Accrual::KEYS), "Suspects when −log10 P(a gap lasts longer than this silence) reaches `threshold`, with the law of gaps fitted to the last `window` ones (Hayashibara and others, 2004).")
            .excludes(&["m-of-n", "vrrp", "lease", "chen"]),
    ];
    fn read(r: &mut Reader<'_>) -> Self {
        let found = [
            r.table_opt::<MissedOf>("m-of-n").map(|table| table.0),
            r.table_opt::<MasterDown>("vrrp").map(|table| table.0),
            r.table_opt::<Lease>("lease").map(|table| table.0),
            r.table_opt::<Expected>("chen").map(|table| table.0),
            r.table_opt::<Accrual>("phi-accrual").map(|table| table.0),
        ];
        DetectorTable(found.into_iter().flatten().next())
    }
}

struct MissedOf(Detector);

impl Table for MissedOf {
    const KEYS: &'static [Key] = &[
        Key::new("missing", Kind::Count(1, 64), "m: ticks without a heartbeat that are too many.").required(),
        Key::new("of", Kind::Count(1, 64), "n: ticks that are looked at.").required(),
    ];
    fn read(r: &mut Reader<'_>) -> Self {
        let (missing, of) = (r.count("missing"), r.count("of"));
        if missing > of && r.is_given("missing") && r.is_given("of") {
            let message = format!("{missing} of {of} ticks can never be without a heartbeat");
            r.problem_at("missing", message, format!("{of} at most"));
        }
        MissedOf(Detector::MissedOf { missing: missing as u8, of: of as u8 })
    }
}

struct MasterDown(Detector);

impl Table for MasterDown {
    const KEYS: &'static [Key] = &[
        Key::new("priority", Kind::Count(1, 254), "Of the first node of the group.").default(
            "100",
            Mark::Checked,
            "RFC 9568, Keepalived",
        ),
        Key::new("priority_step", Kind::Count(0, 253),
            "By how much that of each further node of the group is lower, down to 1: the nodes with a lower one wait \
             longer. 0: all have the same, and suspect after the same time. Whose turn it is, the order of the group decides.")
            .neutral("0"),
        Key::new("adverts", Kind::Count(1, 100), "Heartbeat intervals besides the skew.").default(
            "3",
            Mark::Checked,
            "RFC 9568; Keepalived down_timer_adverts",
        ),
    ];
    fn read(r: &mut Reader<'_>) -> Self {
        MasterDown(Detector::MasterDown {
            adverts: r.count("adverts") as u32,
            priority: r.count("priority") as u8,
            step: r.count("priority_step") as u8,
        })
    }
}

struct Lease(Detector);

impl Table for Lease {
    const KEYS: &'static [Key] = &[
        Key::new("ttl", Kind::SpanPositive, "How long a renewal is good for.").required(),
        Key::new("margin", Kind::Span, "For clocks that differ; counted on top.").neutral("0s"),
    ];
    fn read(r: &mut Reader<'_>) -> Self {
        Lease(Detector::Lease(r.span("ttl") + r.span("margin")))
    }
}

struct Expected(Detector);

impl Table for Expected {
    const KEYS: &'static [Key] = &[
        Key::new("margin", Kind::SpanPositive, "α: how much later than expected is too late.").required(),
        Key::new("window", Kind::Count(1, 10_000), "n: the arrivals that the expectation is made of.")
            .default("100", Mark::Assumption, "one to two minutes of heartbeats"),
    ];
    fn read(r: &mut Reader<'_>) -> Self {
        Expected(Detector::Expected { window: r.count("window") as u16, margin: r.span("margin") })
    }
}

struct Accrual(Detector);

impl Table for Accrual {
    const KEYS: &'static [Key] = &[
        Key::new("threshold", Kind::Number(0.1, 100.0), "Φ.").default("8", Mark::Checked, "Akka cluster, Cassandra"),
        Key::new("window", Kind::Count(2, 10_000), "Gaps that count.").default("1000", Mark::Checked, "Akka cluster, Cassandra"),
        Key::new("tail", Kind::Choice(&["normal", "exponential"]),
            "The law fitted to gaps: \"normal\" as Akka's, \"exponential\" as Cassandra's (which has neither `deviation_min` nor `pause`).")
            .neutral("normal"),
        Key::new("deviation_min", Kind::SpanPositive, "The standard deviation of gaps is not taken to be smaller.")
            .default("100ms", Mark::Checked, "Akka min-std-deviation"),
        Key::new("pause", Kind::Span, "Acceptable pause, added to the mean gap.")
            .default("3s", Mark::Checked, "Akka cluster acceptable-heartbeat-pause"),
    ];
    fn read(r: &mut Reader<'_>) -> Self {
        let tail = match r.choice("tail") {
            "exponential" => Tail::Exponential,
            _ => Tail::Normal { deviation_min: r.span("deviation_min"), pause: r.span("pause") },
        };
        if tail == Tail::Exponential {
            for key in ["deviation_min", "pause"] {
                if r.is_given(key) {
                    r.problem_at(
                        key,
                        format!("an exponential tail has no `{key}`"),
                        "tail = \"normal\", or no such key",
                    );
                }
            }
        }
        Accrual(Detector::Accrual {
            tail,
            window: r.count("window") as u16,
            threshold: r.number("threshold"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_are_described_as_they_are_read() {
        Reader::check::<DetectorTable>();
        Reader::check::<MissedOf>();
        Reader::check::<MasterDown>();
        Reader::check::<Lease>();
        Reader::check::<Expected>();
        Reader::check::<Accrual>();
    }

    #[test]
    fn a_lower_priority_waits_longer() {
        let of = |step, place| {
            let vrrp = Detector::MasterDown { adverts: 3, priority: 192, step };
            match vrrp.silence(Span::from_whole_secs(4), place) {
                Silence::TimeOut(after) => after.as_secs(),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!([of(0, 0), of(0, 1), of(0, 5)], [13.0; 3]);
        assert_eq!([of(64, 0), of(64, 1), of(64, 2)], [13.0, 14.0, 15.0]);
        // No priority is below 1.
        assert_eq!([of(64, 3), of(253, 31)], [12.0 + 255.0 / 64.0; 2]);
    }

    #[test]
    fn detectors_take_the_interval_of_heartbeats() {
        let every = Span::from_whole_secs(2);
        let of = Detector::MissedOf { missing: 3, of: 5 };
        assert_eq!(of.silence(every, 1), Silence::MissedOf { missing: 3, of: 5, every });
    }
}

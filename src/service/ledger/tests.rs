//! The book against hand-worked histories.

use super::*;
use crate::engine::stream::StreamKey;

fn at(secs: u64) -> Instant {
    Instant::ZERO + Span::from_whole_secs(secs)
}

/// One client that writes once a second.
fn client() -> Client {
    Client {
        name: "c".into(),
        is_field: false,
        site: None,
        to: 0.into(),
        write_rate: 1.0,
        read_rate: 0.0,
        arrivals: Arrivals::Fixed,
        reach: Vec::new(),
        weight: 1.0,
        deadline: Span::ZERO,
        timeout: Span::NEVER,
        attempts: 1,
        backoff: Span::ZERO,
        reconnect: Law::fixed(0.0).expect("a law"),
        during_dual: crate::system::spec::DuringDual::Both,
        buffer: Span::ZERO,
        write_bytes: 0.0,
    }
}

const DISCARD: Disposal = Disposal { windback: false, merge: false };

#[test]
fn what_the_loser_of_a_split_brain_accepted_is_lost_to_the_cut() {
    let stream = StreamKey::new(1, "test", "ledger").open(0);
    let (clients, client) = (vec![client()], ClientId::from(0));
    let mut ledger = Ledger::new(2, 1, 1.0, false, stream);
    ledger.activate(0, None, at(0));
    ledger.open(0, client, at(0));
    for (number, second) in [(1, 1_000), (2, 5_000)] {
        // Node 1 has everything up to the cut, takes over 40 s later and gives way 500 s after that.
        ledger.copied(0, 1, at(second), None);
        let cut = Incident { at: at(second), number, in_class: false };
        ledger.activate(1, Some(cut), at(second + 40));
        ledger.open(1, client, at(second + 40));
        ledger.close(1, client, at(second + 540));
        let losses = ledger.adopt(1, 0, at(second + 540), DISCARD, &clients);
        let [loss] = losses[..] else { panic!("{losses:?}") };
        assert_eq!((loss.count, loss.incident, loss.age), (500, Some(cut), Span::ZERO));
    }
}

#[test]
fn a_loss_found_late_belongs_to_the_fault_that_parted_the_histories() {
    let stream = StreamKey::new(1, "test", "ledger").open(0);
    let (clients, client) = (vec![client()], ClientId::from(0));
    let mut ledger = Ledger::new(2, 1, 1.0, false, stream);
    ledger.activate(0, None, at(0));
    ledger.open(0, client, at(0));
    // A cut at 100 s: node 1 takes over from what was there at the start.
    let cut = Incident { at: at(100), number: 1, in_class: false };
    ledger.activate(1, Some(cut), at(103));
    ledger.open(1, client, at(103));
    ledger.close(0, client, at(200));
    // Much later, and after the book has been settled, node 0 copies what node 1 has.
    ledger.settle();
    let losses = ledger.adopt(0, 1, at(1_000_000), DISCARD, &clients);
    let [loss] = losses[..] else { panic!("{losses:?}") };
    assert_eq!((loss.count, loss.incident), (200, Some(cut)));
    assert_eq!(loss.age, Span::from_secs(99.5).unwrap());
}

#[test]
fn what_a_device_had_kept_is_accepted_when_it_is_delivered() {
    let stream = StreamKey::new(1, "test", "ledger").open(0);
    let (clients, client) = (vec![client()], ClientId::from(0));
    let mut ledger = Ledger::new(2, 1, 1.0, false, stream);
    ledger.activate(0, None, at(0));
    ledger.open(0, client, at(0));
    ledger.close(0, client, at(100));
    // Nobody takes anything for 60 s; of that the device has kept 20 s. The copy is as of 150 s.
    ledger.open(0, client, at(160));
    ledger.deliver(0, client, at(140), at(160));
    ledger.copied(0, 1, at(150), None);
    // Node 0 fails at 165 s, and node 1 goes on from its copy.
    ledger.close(0, client, at(165));
    let crash = Incident { at: at(165), number: 1, in_class: true };
    ledger.activate(1, Some(crash), at(170));
    let losses = ledger.adopt(0, 1, at(300), DISCARD, &clients);
    let [loss] = losses[..] else { panic!("{losses:?}") };
    assert_eq!((loss.count, loss.incident), (25, Some(crash)), "20 delivered at once and 5 after them");
    assert_eq!(loss.age, Span::from_whole_secs(5), "accepted at 160 s, whenever they happened");
    let (totals, losses) = ledger.finish(Some(1), at(300), DISCARD, &clients);
    assert_eq!(losses, []);
    assert_eq!((totals.acked, totals.kept, totals.lost), (125, 100, 25));
}

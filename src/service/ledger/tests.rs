//! The book, kept by hand: small histories whose sums are known.

use super::*;
use crate::engine::stream::StreamKey;
use crate::system::ids::GroupId;
use crate::system::spec::{Arrivals, Content, DuringDual};

const PLAIN: Disposal = Disposal { windback: false, merge: None };
const USERS: ClientId = ClientId(0);

fn at(secs: u64) -> Instant {
    Instant::ZERO + Span::from_whole_secs(secs)
}

fn client(arrivals: Arrivals) -> Vec<Client> {
    vec![Client {
        name: "users".into(),
        is_field: true,
        site: None,
        to: GroupId(0),
        write_rate: 2.0,
        read_rate: 0.0,
        arrivals,
        reach: Vec::new(),
        weight: 0.0,
        deadline: Span::ZERO,
        timeout: Span::NEVER,
        attempts: 1,
        backoff: Span::ZERO,
        reconnect: Law::fixed(0.0).expect("a law"),
        during_dual: DuringDual::First,
        buffer: Span::from_whole_secs(10),
        write_bytes: 1.0,
        content: Content::Records,
    }]
}

fn ledger(members: usize, run: u64) -> Ledger {
    Ledger::new(members, 1, Part::of(0, 1), false, StreamKey::new(1, "ledger", "tests").open(run))
}

fn incident(secs: u64, number: u32) -> Option<Incident> {
    Some(Incident { at: at(secs), number, in_class: true })
}

/// When writes are made from one second to another: the calendar of two a second.
fn marks(from: u64, to: u64) -> impl Iterator<Item = Instant> {
    (2 * from..2 * to).map(|number| at(0) + Span::from_secs_saturating((number as f64 + 0.5) / 2.0))
}

/// Node 0 serves from the start.
fn serving(ledger: &mut Ledger) {
    ledger.activate(0, None, at(0));
    ledger.open(0, USERS, at(0));
}

#[test]
fn a_sole_holder_has_written_no_more_than_it_was_sent() {
    for arrivals in [Arrivals::Poisson, Arrivals::Fixed] {
        let clients = client(arrivals);
        let mut ledger = ledger(1, 0);
        serving(&mut ledger);
        for minute in 1..60 {
            ledger.settle(at(60 * minute), &clients);
        }
        let (totals, losses) = ledger.finish(Some(0), at(3600), PLAIN, &clients);
        assert!(losses.is_empty());
        assert!((6900..7500).contains(&totals.acked), "{totals:?}");
        assert_eq!((totals.kept, totals.lost), (totals.acked, 0));
    }
}

#[test]
fn what_was_settled_goes_with_the_last_disk() {
    let clients = client(Arrivals::Fixed);
    let mut ledger = ledger(1, 0);
    serving(&mut ledger);
    ledger.settle(at(100), &clients);
    ledger.close(0, USERS, at(150));
    let losses = ledger.lose_disk(0, incident(140, 1), at(150), PLAIN, &clients);
    // One loss, of one fault: its age counts from the fault and not from the loss of the disk.
    assert_eq!(losses.len(), 1);
    assert_eq!((losses[0].count, losses[0].age.as_secs()), (300, 139.75));
    assert!(!ledger.has_any_data());
    let (totals, _) = ledger.finish(None, at(200), PLAIN, &clients);
    assert_eq!(totals, Totals { acked: 300, kept: 0, lost: 300 });
}

/// Node 0 dies at 1000 s with writes under way, after the book was settled at `settled`; node 1 takes over and node 0
/// comes back.
fn dies_with_writes_under_way(clients: &[Client], settled: u64, run: u64) -> (Totals, Vec<Loss>) {
    let mut ledger = ledger(2, run);
    let flight = |until| {
        let lag = Law::uniform(0.0, 20.0).expect("a law");
        Some(InFlight { lag, until: at(until), since: at(0) })
    };
    serving(&mut ledger);
    ledger.copied(0, 1, at(settled), flight(settled));
    ledger.settle(at(settled), clients);
    ledger.copied(0, 1, at(1000), flight(1000));
    ledger.close(0, USERS, at(1000));
    ledger.activate(1, incident(1000, 1), at(1010));
    ledger.open(1, USERS, at(1010));
    let losses = ledger.adopt(0, 1, at(1500), PLAIN, clients);
    let (totals, more) = ledger.finish(Some(1), at(2010), PLAIN, clients);
    assert!(more.is_empty());
    (totals, losses)
}

#[test]
fn settling_forgets_nothing_that_is_under_way() {
    // A write is under way for 10 s in the mean: 20 of the 2000 are lost, whenever the book was settled.
    for arrivals in [Arrivals::Poisson, Arrivals::Fixed] {
        let clients = client(arrivals.clone());
        for settled in [500, 985, 995, 1000] {
            let runs = 400;
            let lost: u64 =
                (0..runs).map(|run| dies_with_writes_under_way(&clients, settled, run).0.lost).sum();
            // Five standard deviations of a Poisson sum; a calendar's varies less.
            let (mean, spread) = (20.0 * runs as f64, 5.0 * (20.0 * runs as f64).sqrt());
            assert!((lost as f64 - mean).abs() < spread, "{arrivals:?}, {settled}: {lost} of {mean}");
        }
        let (totals, losses) = dies_with_writes_under_way(&clients, 995, 0);
        assert_eq!(losses.len(), 1);
        assert!(losses[0].age <= Span::from_whole_secs(20) && losses[0].incident == incident(1000, 1));
        assert_eq!(totals.kept + totals.lost, totals.acked);
        if arrivals == Arrivals::Fixed {
            assert_eq!(totals.acked, 4000, "2000 s and then 1000 s of two writes a second");
        }
    }
}

/// Two nodes that both serve from 100 s to 300 s, after node 1 had taken over from node 0 in vain or in earnest.
fn split(ledger: &mut Ledger) {
    serving(ledger);
    ledger.copied(0, 1, at(95), None);
    ledger.activate(1, incident(100, 7), at(100));
    ledger.open(1, USERS, at(100));
}

#[test]
fn a_loss_belongs_to_the_fault_that_parted_the_two() {
    let clients = client(Arrivals::Fixed);
    for settles in [false, true] {
        // The one that was there before loses: it misses what it took after the last pass.
        let mut first = ledger(2, 0);
        split(&mut first);
        if settles {
            first.settle(at(200), &clients);
        }
        let losses = first.adopt(0, 1, at(300), PLAIN, &clients);
        assert_eq!(losses.len(), 1);
        assert_eq!((losses[0].count, losses[0].incident), (410, incident(100, 7)));
        assert_eq!(losses[0].age.as_secs(), 4.75);
        // The one that took over loses: everything it took is gone, and the fault is the same.
        let mut second = ledger(2, 0);
        split(&mut second);
        if settles {
            second.settle(at(200), &clients);
        }
        let losses = second.adopt(1, 0, at(300), PLAIN, &clients);
        assert_eq!(losses.len(), 1);
        assert_eq!((losses[0].count, losses[0].incident), (400, incident(100, 7)));
        assert_eq!(losses[0].age, Span::ZERO);
    }
}

#[test]
fn devices_replay_what_they_still_held_when_the_history_ended() {
    let how = Disposal { windback: true, merge: None };
    for arrivals in [Arrivals::Poisson, Arrivals::Fixed] {
        let clients = client(arrivals.clone());
        let mut recovered = 0;
        for run in 0..100 {
            let mut ledger = ledger(2, run);
            split(&mut ledger);
            // It stops at 250 s and copies the other's data later: the buffer of 10 s counts from there.
            ledger.close(1, USERS, at(250));
            let losses = ledger.adopt(1, 0, at(300), how, &clients);
            recovered += losses[0].recovered;
            assert!(losses[0].recovered < losses[0].count);
        }
        match arrivals {
            Arrivals::Fixed => assert_eq!(recovered, 2000),
            _ => assert!((1800..2200).contains(&recovered), "{recovered}"),
        }
    }
}

#[test]
fn what_a_device_had_kept_is_accepted_when_it_is_delivered() {
    // Two events a second, on a calendar.
    let clients = client(Arrivals::Fixed);
    let mut ledger = ledger(2, 0);
    serving(&mut ledger);
    ledger.close(0, USERS, at(100));
    // Nobody takes anything for 60 s; of that the device has kept 20 s. The copy is as of 150 s.
    ledger.open(0, USERS, at(160));
    ledger.deliver(0, USERS, at(140), at(160));
    ledger.copied(0, 1, at(150), None);
    // Node 0 fails at 165 s, and node 1 goes on from its copy.
    ledger.close(0, USERS, at(165));
    ledger.activate(1, incident(165, 1), at(170));
    let losses = ledger.adopt(0, 1, at(300), PLAIN, &clients);
    let [loss] = losses[..] else { panic!("{losses:?}") };
    assert_eq!((loss.count, loss.incident), (50, incident(165, 1)), "40 delivered at once and 10 after them");
    assert_eq!(loss.age, Span::from_whole_secs(5), "accepted at 160 s, whenever they happened");
    let (totals, losses) = ledger.finish(Some(1), at(300), PLAIN, &clients);
    assert_eq!(losses, []);
    assert_eq!((totals.acked, totals.kept, totals.lost), (250, 200, 50));
}

#[test]
fn a_delivery_is_replayed_as_far_as_the_device_still_holds_it() {
    let clients = client(Arrivals::Fixed);
    for noted in [false, true] {
        let mut book = Ledger::new(2, 1, Part::of(0, 1), noted, StreamKey::new(1, "ledger", "tests").open(0));
        serving(&mut book);
        // What happened from 140 s on is accepted at 150 s; the device still holds what is 10 s old when the disk goes.
        book.close(0, USERS, at(100));
        book.open(0, USERS, at(150));
        book.deliver(0, USERS, at(140), at(150));
        for mark in marks(140, 156).filter(|_| noted) {
            book.note_late(0, USERS, mark, mark.max(at(150)));
        }
        book.copied(0, 1, at(120), None);
        book.close(0, USERS, at(156));
        book.activate(1, incident(156, 1), at(160));
        let losses = book.adopt(0, 1, at(300), Disposal { windback: true, ..PLAIN }, &clients);
        let [loss] = losses[..] else { panic!("{losses:?}") };
        assert_eq!((loss.count, loss.recovered), (32, 20), "from 146 s to 156 s, noted: {noted}");
    }
}

#[test]
fn a_delivery_that_every_copy_has_is_settled_and_lost_only_with_all_of_them() {
    for arrivals in [Arrivals::Poisson, Arrivals::Fixed] {
        let clients = client(arrivals);
        let mut ledger = ledger(1, 0);
        ledger.activate(0, None, at(0));
        ledger.open(0, USERS, at(1000));
        ledger.deliver(0, USERS, at(500), at(1000));
        ledger.close(0, USERS, at(1000));
        ledger.settle(at(2000), &clients);
        let losses = ledger.lose_disk(0, incident(3000, 1), at(3000), PLAIN, &clients);
        let [loss] = losses[..] else { panic!("{losses:?}") };
        assert!(loss.count.abs_diff(1000) < 200, "{}", loss.count);
        let (totals, _) = ledger.finish(None, at(4000), PLAIN, &clients);
        assert_eq!((totals.acked, totals.kept, totals.lost), (loss.count, 0, loss.count));
    }
}

/// Node 1 loses its disk at 1500 s and copies records again from 2000 s on, oldest first; node 0 loses its own at 3000 s,
/// when node 1 has got as far as 500 s. The book is settled whenever it is asked to be.
fn the_last_complete_copy_goes(clients: &[Client], noted: bool, settled: &[u64]) -> (Totals, Vec<Loss>) {
    let mut book =
        Ledger::new(2, 1, Part::of(0, 1), noted, StreamKey::new(1, "ledger", "tests").open(0)).of_records();
    let settle = |book: &mut Ledger, now: u64| {
        if settled.contains(&now) {
            book.settle(at(now), clients);
        }
    };
    serving(&mut book);
    let write = |book: &mut Ledger, from: u64, to: u64| {
        for mark in marks(from, to).filter(|_| noted) {
            book.note(0, USERS, mark);
        }
    };
    write(&mut book, 0, 1200);
    book.copied(0, 1, at(1000), None);
    settle(&mut book, 1000);
    // Node 0 fails, is itself again, and goes on under a new number.
    book.close(0, USERS, at(1200));
    book.activate(0, incident(1200, 1), at(1300));
    book.open(0, USERS, at(1300));
    write(&mut book, 1300, 3000);
    book.copied(0, 1, at(1400), None);
    settle(&mut book, 1400);
    assert_eq!(book.lose_disk(1, None, at(1500), PLAIN, clients), []);
    settle(&mut book, 1900);
    book.first_copied(0, 1, at(0), None);
    for (now, upto) in [(2000, 0), (2500, 250), (3000, 500)] {
        book.copied(0, 1, at(upto), None);
        settle(&mut book, now);
    }
    book.close(0, USERS, at(3000));
    let losses = book.lose_disk(0, incident(3000, 2), at(3000), PLAIN, clients);
    let (totals, more) = book.finish(None, at(4000), PLAIN, clients);
    assert_eq!(more, []);
    (totals, losses)
}

#[test]
fn records_that_a_new_copy_begins_without_can_be_lost_after_all() {
    let clients = client(Arrivals::Fixed);
    for noted in [false, true] {
        for settled in [&[][..], &[1000], &[1400], &[1900], &[1000, 1400, 1900], &[1900, 2000, 2500, 3000]] {
            let (totals, losses) = the_last_complete_copy_goes(&clients, noted, settled);
            // Two a second: 1200 s and 1700 s of them, of which the first 500 s are kept.
            let expected = Totals { acked: 5800, kept: 1000, lost: 4800 };
            assert_eq!(totals, expected, "noted: {noted}, settled at {settled:?}");
            let [loss] = losses[..] else { panic!("{losses:?}") };
            assert_eq!((loss.count, loss.incident), (4800, incident(3000, 2)));
            assert_eq!(loss.age.as_secs(), 2499.75, "noted: {noted}, settled at {settled:?}");
        }
    }
}

#[test]
fn what_was_copied_to_a_disk_is_gone_with_it() {
    let clients = client(Arrivals::Fixed);
    let mut book = ledger(2, 0);
    serving(&mut book);
    assert_eq!(book.lose_disk(1, None, at(100), PLAIN, &clients), []);
    // That the connection is lost is noticed afterwards.
    book.copied(0, 1, at(95), None);
    assert!(!book.has_data(1), "a copy that has not begun again");
    let mut again = book.clone();
    again.first_copied(0, 1, at(150), None);
    for (mut book, kept) in [(book, 0), (again, 300)] {
        book.close(0, USERS, at(200));
        let losses = book.lose_disk(0, incident(200, 1), at(200), PLAIN, &clients);
        assert_eq!(losses.iter().map(|loss| loss.count).sum::<u64>(), 400 - kept);
        assert_eq!(book.has_any_data(), kept > 0);
    }
}

#[test]
fn a_fault_after_a_history_has_ended_did_not_part_it_from_the_others() {
    let clients = client(Arrivals::Fixed);
    let mut book = ledger(3, 0);
    // Node 2 takes over from node 0.
    serving(&mut book);
    book.copied(0, 2, at(100), None);
    book.close(0, USERS, at(100));
    book.activate(2, incident(100, 1), at(110));
    book.open(2, USERS, at(110));
    // Node 0 begins again beside it, is written to for a while, and leaves this part of the work.
    book.activate(0, incident(150, 2), at(200));
    book.open(0, USERS, at(200));
    book.close(0, USERS, at(250));
    // Node 1 follows node 2 and takes over from it.
    assert_eq!(book.adopt(1, 2, at(300), PLAIN, &clients), []);
    book.copied(2, 1, at(400), None);
    book.close(2, USERS, at(400));
    book.activate(1, incident(400, 3), at(410));
    book.open(1, USERS, at(410));
    // When node 0 takes that over, what it was told in those 50 s is gone.
    let losses = book.adopt(0, 1, at(500), PLAIN, &clients);
    let [loss] = losses[..] else { panic!("{losses:?}") };
    assert_eq!((loss.count, loss.incident, loss.age), (100, incident(150, 2), Span::ZERO));
}

#[test]
fn nor_did_one_of_the_node_that_had_served_all_along() {
    let clients = client(Arrivals::Fixed);
    let mut book = ledger(3, 0);
    // Node 1 takes over from node 0 by mistake, is written to for a while, and leaves this part of the work.
    serving(&mut book);
    book.copied(0, 1, at(150), None);
    book.activate(1, incident(150, 1), at(160));
    book.open(1, USERS, at(160));
    book.close(1, USERS, at(200));
    // Node 2 follows node 0, which has not stopped, and takes over from it.
    book.copied(0, 2, at(300), None);
    book.close(0, USERS, at(300));
    book.activate(2, incident(300, 2), at(310));
    book.open(2, USERS, at(310));
    let losses = book.adopt(1, 2, at(500), PLAIN, &clients);
    let [loss] = losses[..] else { panic!("{losses:?}") };
    assert_eq!((loss.count, loss.incident), (80, incident(150, 1)));
}

#[test]
fn an_old_copy_that_begins_again_is_parted_by_the_last_fault_and_not_by_those_it_had_missed() {
    let clients = client(Arrivals::Fixed);
    for (settled, node_1_wins) in [(false, false), (false, true), (true, false), (true, true)] {
        let mut book = ledger(2, 0).of_records();
        // Node 0 goes on after a first fault, and node 1 holds no more than what was written before that.
        serving(&mut book);
        book.close(0, USERS, at(100));
        book.activate(0, incident(100, 1), at(150));
        book.open(0, USERS, at(150));
        if settled {
            book.copied(0, 1, at(180), None);
            book.settle(at(200), &clients);
        }
        assert_eq!(book.lose_disk(1, None, at(200), PLAIN, &clients), []);
        book.first_copied(0, 1, at(50), None);
        // It takes over by a second one, and node 0 is there again when a third one takes node 1 away.
        book.close(0, USERS, at(300));
        book.activate(1, incident(300, 2), at(310));
        book.open(1, USERS, at(310));
        let (loser, number, count) = match node_1_wins {
            // From 50 to 100 s and from 150 to 300 s.
            true => (0, 2, 400),
            false => {
                book.close(1, USERS, at(400));
                book.activate(0, incident(400, 3), at(410));
                (1, 3, 180)
            }
        };
        let losses = book.adopt(loser, 1 - loser, at(500), PLAIN, &clients);
        let found: Vec<_> = losses.iter().map(|loss| (loss.count, loss.incident.map(|i| i.number))).collect();
        assert_eq!(found, [(count, Some(number))], "settled: {settled}");
    }
}

/// A device that hands each event to every active node it reaches.
fn telling_all(arrivals: Arrivals) -> Vec<Client> {
    let tell = |client| Client { during_dual: DuringDual::Both, ..client };
    client(arrivals).into_iter().map(tell).collect()
}

/// Two servers that part at 1000 s, node 1 active from 1100 s on, and meet at 3000 s. The device hands each event to
/// both, but reaches node 1 alone from 2000 to 2100 s and node 0 alone from 2500 to 2600 s.
fn told_to_both(clients: &[Client]) -> (Totals, Vec<Loss>) {
    let mut ledger = ledger(2, 0);
    serving(&mut ledger);
    ledger.copied(0, 1, at(1000), None);
    ledger.activate(1, incident(1000, 1), at(1100));
    ledger.open(1, USERS, at(1100));
    ledger.close(0, USERS, at(2000));
    ledger.open(0, USERS, at(2100));
    ledger.settle(at(2200), clients);
    ledger.close(1, USERS, at(2500));
    ledger.open(1, USERS, at(2600));
    let losses = ledger.adopt(1, 0, at(3000), PLAIN, clients);
    ledger.close(1, USERS, at(3000));
    let (totals, more) = ledger.finish(Some(0), at(4000), PLAIN, clients);
    assert_eq!(more, []);
    (totals, losses)
}

#[test]
fn of_what_a_device_hands_to_both_the_loser_takes_along_what_it_alone_was_given() {
    let quarters = (0..16_000).map(|n| Instant::ZERO + Span::from_secs_saturating(n as f64 / 4.0)).collect();
    let lists = [(Arrivals::Fixed, 200, 8000), (Arrivals::Trace(quarters), 400, 16_000)];
    for (arrivals, lost, made) in lists {
        let (totals, losses) = told_to_both(&telling_all(arrivals));
        let [loss] = losses[..] else { panic!("{losses:?}") };
        assert_eq!((loss.count, loss.age, loss.incident), (lost, Span::ZERO, incident(1000, 1)));
        assert!(totals.acked.abs_diff(made) <= 1, "an event counts once: {totals:?}");
        assert_eq!((totals.lost, totals.kept), (lost, totals.acked - lost));
    }
    let (totals, losses) = told_to_both(&telling_all(Arrivals::Poisson));
    // 200 and 8000 in the mean: four standard deviations.
    assert!(losses[0].count.abs_diff(200) < 57, "{losses:?}");
    assert!(totals.acked.abs_diff(8000) < 358, "{totals:?}");
    // One that talks to one server at a time has told node 1 what node 0 does not know.
    let (_, losses) = told_to_both(&client(Arrivals::Fixed));
    assert_eq!(losses[0].count, 3600, "all that node 1 accepted in 1800 s");
}

#[test]
fn an_event_goes_with_the_last_history_that_has_it() {
    let clients = telling_all(Arrivals::Fixed);
    let mut ledger = ledger(3, 0);
    serving(&mut ledger);
    ledger.copied(0, 1, at(1000), None);
    ledger.copied(0, 2, at(1000), None);
    // The device reaches nodes 1 and 2 from 1100 s on, and node 0 no longer.
    ledger.close(0, USERS, at(1000));
    for node in [1, 2] {
        ledger.activate(node, incident(1000, 1), at(1100));
        ledger.open(node, USERS, at(1100));
    }
    assert_eq!(ledger.adopt(1, 0, at(2000), PLAIN, &clients), [], "node 2 has them too");
    ledger.close(1, USERS, at(2000));
    ledger.close(2, USERS, at(2000));
    let losses = ledger.lose_disk(2, incident(2000, 2), at(2000), PLAIN, &clients);
    assert_eq!(losses.iter().map(|loss| loss.count).sum::<u64>(), 1800);
    let (totals, _) = ledger.finish(Some(0), at(2000), PLAIN, &clients);
    assert_eq!(totals, Totals { acked: 3800, kept: 2000, lost: 1800 });
}

#[test]
fn a_delivery_to_both_is_lost_with_neither_alone() {
    for noted in [false, true] {
        let clients = telling_all(Arrivals::Fixed);
        let mut ledger =
            Ledger::new(2, 1, Part::of(0, 1), noted, StreamKey::new(1, "ledger", "tests").open(0));
        ledger.activate(0, None, at(0));
        ledger.copied(0, 1, at(0), None);
        ledger.activate(1, incident(10, 1), at(50));
        // What devices kept since 90 s goes to both at 100 s, and what they kept since 190 s to node 1 at 200 s.
        for (node, from, to) in [(0, 90, 100), (1, 90, 100), (1, 190, 200)] {
            ledger.deliver(node, USERS, at(from), at(to));
            (0..20).filter(|_| noted).for_each(|_| ledger.note(node, USERS, at(to)));
        }
        let losses = ledger.adopt(1, 0, at(300), PLAIN, &clients);
        assert_eq!(losses.iter().map(|loss| loss.count).collect::<Vec<_>>(), [20], "noted: {noted}");
        let (totals, _) = ledger.finish(Some(0), at(300), PLAIN, &clients);
        assert_eq!(totals, Totals { acked: 40, kept: 20, lost: 20 }, "noted: {noted}");
    }
}

#[test]
fn a_value_that_both_were_told_is_overwritten_on_neither() {
    let values = |during_dual| {
        let client = |client| Client { content: Content::Values, during_dual, ..client };
        client(self::client(Arrivals::Fixed).remove(0))
    };
    let overwritten = |clients: &[Client]| {
        let mut ledger = ledger(2, 0);
        serving(&mut ledger);
        ledger.copied(0, 1, at(1000), None);
        ledger.activate(1, incident(1000, 1), at(1000));
        ledger.open(1, USERS, at(1000));
        let losses = ledger.adopt(1, 0, at(2000), Disposal { merge: Some(100.0), ..PLAIN }, clients);
        losses.iter().map(|loss| (loss.merged, loss.overwritten)).collect::<Vec<_>>()
    };
    assert_eq!(overwritten(&[values(DuringDual::Both)]), []);
    // Twenty writes of each point on either side: every point was written on both.
    assert_eq!(overwritten(&[values(DuringDual::First)]), [(2000, 100)]);
}

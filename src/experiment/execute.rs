//! Runs a plan: blocks of runs in parallel, put together strictly in order.
//!
//! A block is at most [`BLOCK`] runs of one point, all policies on the same run numbers, so that they meet the same
//! faults. Blocks are always cut the same way and folded in the same order, whatever the number of threads: the result
//! is the same to the last bit. Only a window of tasks is under way at a time, so memory does not grow with the number
//! of runs.
//!
//! A task is a block, which whoever runs it puts together; or, where there are few of these, a single run, so that no
//! thread idles while another has a block to itself. Single runs are put together to the same blocks.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::plan::{Case, Plan};
use super::stats::{Stage, Stats, StopWatch};
use crate::measure::{PairSummary, Record, Replication, Summary};
use crate::policy::registry::PolicySet;

/// Runs in a block at most.
pub const BLOCK: u64 = 25;
/// Tasks under way, per thread.
const WINDOW: usize = 8;
/// With fewer blocks than this for each thread, single runs are handed out.
const BLOCKS_MIN: usize = 16;

/// How to run.
pub struct Options<'a> {
    /// Threads.
    pub jobs: usize,
    /// Set from outside to stop; looked at between runs.
    pub cancel: &'a AtomicBool,
    /// Told after each task: runs done, runs in all.
    pub progress: &'a (dyn Fn(u64, u64) + Sync),
    /// Told when a run panics, with point, policy and run.
    pub panicked: &'a (dyn Fn(usize, usize, u64) + Sync),
    /// Look at the clock between the stages of each run.
    pub timed: bool,
}

/// What one point gave.
#[derive(Clone)]
pub struct PointResult {
    /// One per policy.
    pub summaries: Vec<Summary>,
    /// One per pair of policies, in the order of [`pairs`].
    pub pairs: Vec<PairSummary>,
}

/// What the plan gave: complete points from the first on, all of them unless it was cancelled.
pub struct Results {
    /// In the order of the plan.
    pub points: Vec<PointResult>,
    /// Whether it was cancelled.
    pub is_cancelled: bool,
    /// What it took.
    pub stats: Stats,
}

/// The pairs of `n` policies: first and second index, in order.
pub fn pairs(n: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..n).flat_map(move |a| (a + 1..n).map(move |b| (a, b)))
}

/// What a task gave.
enum Part {
    /// A block, put together.
    Block(PointResult),
    /// One run: a record of each policy.
    Run(Vec<Record>),
}

struct State {
    next: usize,
    folded: usize,
    waiting: BTreeMap<usize, Part>,
    /// The block that single runs are being put together to.
    open: Option<PointResult>,
    points: Vec<PointResult>,
    is_failed: bool,
    stats: Stats,
}

/// Runs everything.
///
/// # Panics
/// If a run panics: a bug, reported through [`Options::panicked`] first.
pub fn execute<P: PolicySet>(plan: &Plan<P>, options: &Options<'_>) -> Results {
    let blocks = plan.points.len() * plan.runs.div_ceil(BLOCK) as usize;
    // How the work is cut does not show in the results.
    let unit = if blocks < BLOCKS_MIN * options.jobs { 1 } else { BLOCK };
    let per_point = plan.runs.div_ceil(unit) as usize;
    let tasks = plan.points.len() * per_point;
    let jobs = options.jobs.clamp(1, tasks.max(1));
    let state = Mutex::new(State {
        next: 0,
        folded: 0,
        waiting: BTreeMap::new(),
        open: None,
        points: Vec::new(),
        is_failed: false,
        stats: Stats::default(),
    });
    let changed = Condvar::new();
    let work = || {
        let mut watch = StopWatch::new(options.timed);
        let mut rooms = Rooms { point: usize::MAX, cases: Vec::new() };
        loop {
            let task = {
                let mut state = lock(&state);
                while state.next >= state.folded + jobs * WINDOW && !state.is_failed {
                    state = changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
                if state.next >= tasks || state.is_failed || options.cancel.load(Ordering::Relaxed) {
                    changed.notify_all();
                    return;
                }
                state.next += 1;
                state.next - 1
            };
            let guard = Watch { state: &state, changed: &changed };
            let mut stats = Stats::default();
            watch.lap(Stage::Folding, &mut stats);
            let (point, first) = (task / per_point, (task % per_point) as u64 * unit);
            let part = if unit == BLOCK {
                let runs = first..(first + BLOCK).min(plan.runs);
                block(plan, point, runs, options, &mut rooms, &mut watch, &mut stats).map(Part::Block)
            } else {
                run(plan, point, first, options, &mut rooms, &mut watch, &mut stats).map(Part::Run)
            };
            std::mem::forget(guard);
            let Some(part) = part else { return changed.notify_all() };
            let mut state = lock(&state);
            state.stats.merge(&stats);
            state.waiting.insert(task, part);
            fold(&mut state, plan, per_point);
            let begun = ((state.folded % per_point) as u64 * unit).min(plan.runs);
            let done = (state.folded / per_point) as u64 * plan.runs + begun;
            (options.progress)(done, plan.points.len() as u64 * plan.runs);
            changed.notify_all();
        }
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).build();
    match pool {
        Ok(pool) => {
            pool.broadcast(|_| work());
        }
        // No threads to be had: one is there already.
        Err(_) => work(),
    }
    let mut state = state.into_inner().unwrap_or_else(PoisonError::into_inner);
    let is_cancelled = state.folded < tasks;
    state.points.truncate(state.folded / per_point);
    Results { points: state.points, is_cancelled, stats: state.stats }
}

/// A thread's last run of each policy at one point, in whose room the next one goes.
struct Rooms<'p, P: PolicySet> {
    point: usize,
    cases: Vec<Option<Replication<'p, P, ()>>>,
}

impl<'p, P: PolicySet> Rooms<'p, P> {
    /// Those of a point with so many policies.
    fn at(&mut self, point: usize, policies: usize) -> &mut [Option<Replication<'p, P, ()>>] {
        if self.point != point {
            self.point = point;
            self.cases.clear();
            self.cases.resize_with(policies, || None);
        }
        &mut self.cases
    }
}

/// Takes up what has come in, as far as nothing is missing in between.
fn fold<P: PolicySet>(state: &mut State, plan: &Plan<P>, per_point: usize) {
    while let Some(part) = state.waiting.remove(&state.folded) {
        let (point, place) = (state.folded / per_point, (state.folded % per_point) as u64);
        state.folded += 1;
        match part {
            Part::Block(block) => take_block(&mut state.points, point, block),
            Part::Run(records) => {
                let open = state.open.get_or_insert_with(|| PointResult::nothing(plan, point));
                open.add(&records);
                if (place + 1).is_multiple_of(BLOCK) || place + 1 == plan.runs {
                    let block = state.open.take().expect("just opened");
                    take_block(&mut state.points, point, block);
                }
            }
        }
    }
}

/// The next block of a point: its first one, or more of it.
fn take_block(points: &mut Vec<PointResult>, point: usize, block: PointResult) {
    let Some(all) = points.get_mut(point) else { return points.push(block) };
    all.summaries.iter_mut().zip(&block.summaries).for_each(|(all, block)| all.merge(block));
    all.pairs.iter_mut().zip(&block.pairs).for_each(|(all, block)| all.merge(block));
}

impl PointResult {
    /// Of no run yet.
    fn nothing<P: PolicySet>(plan: &Plan<P>, point: usize) -> PointResult {
        let cases = &plan.points[point].cases;
        PointResult {
            summaries: cases.iter().map(|case| Summary::new(&case.setup, plan.horizon)).collect(),
            pairs: pairs(cases.len()).map(|_| PairSummary::new()).collect(),
        }
    }

    /// One run more.
    fn add(&mut self, records: &[Record]) {
        for (summary, record) in self.summaries.iter_mut().zip(records) {
            summary.add(record);
        }
        for (pair, (a, b)) in self.pairs.iter_mut().zip(pairs(records.len())) {
            pair.add(&records[a], &records[b]);
        }
    }
}

/// One block; `None` if it was cancelled.
fn block<'p, P: PolicySet>(
    plan: &'p Plan<P>,
    point: usize,
    runs: Range<u64>,
    options: &Options<'_>,
    rooms: &mut Rooms<'p, P>,
    watch: &mut StopWatch,
    stats: &mut Stats,
) -> Option<PointResult> {
    let mut result = PointResult::nothing(plan, point);
    for number in runs {
        let records = run(plan, point, number, options, rooms, watch, stats)?;
        result.add(&records);
        watch.lap(Stage::Folding, stats);
    }
    Some(result)
}

/// One run of each policy; `None` if it was cancelled.
fn run<'p, P: PolicySet>(
    plan: &'p Plan<P>,
    point: usize,
    run: u64,
    options: &Options<'_>,
    rooms: &mut Rooms<'p, P>,
    watch: &mut StopWatch,
    stats: &mut Stats,
) -> Option<Vec<Record>> {
    if options.cancel.load(Ordering::Relaxed) {
        return None;
    }
    let cases = &plan.points[point].cases;
    let rooms = rooms.at(point, cases.len());
    let one = |(policy, case): (usize, &'p Case<P>)| {
        let naming = Naming { options, place: (point, policy, run) };
        let replication = match &mut rooms[policy] {
            Some(replication) => {
                replication.open_next(run);
                replication
            }
            room => room.insert(Replication::open(&case.setup, run, plan.horizon, ())),
        };
        watch.lap(Stage::Opening, stats);
        replication.step();
        watch.lap(Stage::Stepping, stats);
        let record = replication.close_for_next();
        watch.lap(Stage::Closing, stats);
        stats.add(&record);
        std::mem::forget(naming);
        record
    };
    Some(cases.iter().enumerate().map(one).collect())
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Dropped only by a panic: sets the others free, which would wait for this block for ever.
struct Watch<'a> {
    state: &'a Mutex<State>,
    changed: &'a Condvar,
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        lock(self.state).is_failed = true;
        self.changed.notify_all();
    }
}

/// Dropped only by a panic: says which run it was.
struct Naming<'a> {
    options: &'a Options<'a>,
    place: (usize, usize, u64),
}

impl Drop for Naming<'_> {
    fn drop(&mut self) {
        let (point, policy, run) = self.place;
        (self.options.panicked)(point, policy, run);
    }
}

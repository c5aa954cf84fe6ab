//! Runs a plan: blocks of runs in parallel, put together strictly in order.
//!
//! A block is at most [`BLOCK`] runs of one point, all policies on the same run numbers, so that they meet the same
//! faults. Blocks are always cut the same way and folded in the same order, whatever the number of threads: the result
//! is the same to the last bit. Only a window of blocks is under way at a time, so memory does not grow with the number
//! of runs.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::plan::Plan;
use super::stats::{Stage, Stats, StopWatch};
use crate::measure::{PairSummary, Replication, Summary};
use crate::policy::registry::PolicySet;

/// Runs in a block at most.
pub const BLOCK: u64 = 25;
/// Blocks under way, per thread.
const WINDOW: usize = 8;

/// How to run.
pub struct Options<'a> {
    /// Threads.
    pub jobs: usize,
    /// Set from outside to stop; looked at between runs.
    pub cancel: &'a AtomicBool,
    /// Told after each block: runs done, runs in all.
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

struct State {
    next: usize,
    folded: usize,
    waiting: BTreeMap<usize, PointResult>,
    points: Vec<PointResult>,
    is_failed: bool,
    stats: Stats,
}

/// Runs everything.
///
/// # Panics
/// If a run panics: a bug, reported through [`Options::panicked`] first.
pub fn execute<P: PolicySet>(plan: &Plan<P>, options: &Options<'_>) -> Results {
    let blocks = plan.runs.div_ceil(BLOCK) as usize;
    let tasks = plan.points.len() * blocks;
    let jobs = options.jobs.clamp(1, tasks.max(1));
    let state = Mutex::new(State {
        next: 0,
        folded: 0,
        waiting: BTreeMap::new(),
        points: Vec::new(),
        is_failed: false,
        stats: Stats::default(),
    });
    let changed = Condvar::new();
    let work = || {
        let mut watch = StopWatch::new(options.timed);
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
            let result = block(plan, task / blocks, (task % blocks) as u64, options, &mut watch, &mut stats);
            std::mem::forget(guard);
            let Some(result) = result else { return changed.notify_all() };
            let mut state = lock(&state);
            state.stats.merge(&stats);
            state.waiting.insert(task, result);
            fold(&mut state, blocks);
            let done = (state.folded / blocks) as u64 * plan.runs + (state.folded % blocks) as u64 * BLOCK;
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
    state.points.truncate(state.folded / blocks);
    Results { points: state.points, is_cancelled, stats: state.stats }
}

/// Takes up what has come in, as far as nothing is missing in between.
fn fold(state: &mut State, blocks: usize) {
    while let Some(result) = state.waiting.remove(&state.folded) {
        if state.folded.is_multiple_of(blocks) {
            state.points.push(result);
        } else {
            let point = state.points.last_mut().expect("the first block of a point comes first");
            point.summaries.iter_mut().zip(&result.summaries).for_each(|(all, block)| all.merge(block));
            point.pairs.iter_mut().zip(&result.pairs).for_each(|(all, block)| all.merge(block));
        }
        state.folded += 1;
    }
}

/// One block; `None` if it was cancelled.
fn block<P: PolicySet>(
    plan: &Plan<P>,
    point: usize,
    block: u64,
    options: &Options<'_>,
    watch: &mut StopWatch,
    stats: &mut Stats,
) -> Option<PointResult> {
    let cases = &plan.points[point].cases;
    let mut result = PointResult {
        summaries: cases.iter().map(|case| Summary::new(&case.setup, plan.horizon)).collect(),
        pairs: pairs(cases.len()).map(|_| PairSummary::new()).collect(),
    };
    let mut records = Vec::with_capacity(cases.len());
    for run in block * BLOCK..((block + 1) * BLOCK).min(plan.runs) {
        if options.cancel.load(Ordering::Relaxed) {
            return None;
        }
        records.clear();
        for (policy, case) in cases.iter().enumerate() {
            let naming = Naming { options, place: (point, policy, run) };
            let mut replication = Replication::open(&case.setup, run, plan.horizon, ());
            watch.lap(Stage::Opening, stats);
            replication.step();
            watch.lap(Stage::Stepping, stats);
            let (record, ()) = replication.close();
            watch.lap(Stage::Closing, stats);
            stats.add(&record);
            records.push(record);
            std::mem::forget(naming);
        }
        for (summary, record) in result.summaries.iter_mut().zip(&records) {
            summary.add(record);
        }
        for (pair, (a, b)) in result.pairs.iter_mut().zip(pairs(cases.len())) {
            pair.add(&records[a], &records[b]);
        }
        watch.lap(Stage::Folding, stats);
    }
    Some(result)
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

//! Keys that matched nothing.

use crate::input::{Place, Problem, Problems};
use crate::model::shipped::Found;
use crate::model::{Override, load};
use crate::policy::registry::PolicySet;

/// Keys that may be missing under some of the policies: one that every policy lacks is a mistake.
#[derive(Default)]
pub(super) struct Missed {
    cases: usize,
    list: Vec<(Place, usize, Problem)>,
}

impl Missed {
    /// Looks at one policy of the first point; `keys` have no values that could be set.
    pub(super) fn look<P: PolicySet>(&mut self, found: &Found, overrides: &[Override], keys: &[Override]) {
        self.cases += 1;
        let overrides = [overrides, keys].concat();
        if overrides.iter().all(|change| !change.may_miss) {
            return;
        }
        let mut strict = overrides.clone();
        strict.iter_mut().for_each(|change| change.may_miss = false);
        let problems = load::unmatched::<P::Params>(&found.source, &strict);
        let loose: Vec<&Place> = overrides.iter().filter(|o| o.may_miss).map(|o| &o.place).collect();
        for problem in problems.iter() {
            if !loose.contains(&&problem.place) {
                continue;
            }
            match self.list.iter_mut().find(|(place, ..)| *place == problem.place) {
                Some((_, count, _)) => *count += 1,
                None => self.list.push((problem.place.clone(), 1, problem.clone())),
            }
        }
    }

    /// The keys that no policy has.
    pub(super) fn problems(self) -> Problems {
        let mut problems = Problems::new();
        for (_, count, problem) in self.list {
            if count == self.cases {
                problems.add(problem);
            }
        }
        problems
    }
}

//! Keys that matched nothing.

use std::sync::Arc;

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
    /// Looks at one policy of the first point.
    pub(super) fn look<P: PolicySet>(&mut self, found: &Found, overrides: &[Override]) {
        self.cases += 1;
        if overrides.iter().all(|change| !change.may_miss) {
            return;
        }
        let mut strict = overrides.to_vec();
        strict.iter_mut().for_each(|change| change.may_miss = false);
        let Err(problems) = load::<P::Params>(&found.source, Arc::clone(&found.files), &strict) else {
            return;
        };
        let loose: Vec<&Place> = overrides.iter().filter(|o| o.may_miss).map(|o| &o.place).collect();
        for problem in problems.iter() {
            if !problem.message.ends_with("matches nothing in this model") || !loose.contains(&&problem.place)
            {
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

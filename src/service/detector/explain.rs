//! In which form a watch runs, and why.

use crate::system::medium::Medium;
use crate::system::spec::Link;

use super::super::fidelity::{Explained, Form, shown, shown_probability};
use super::Watch;
use super::silence::Silence;

impl Watch {
    /// In which form it runs while the surroundings are as they are. `apart`: by how much the clocks of both nodes may
    /// differ (1e-6 for 1 ppm), which the watch itself does not know.
    pub fn explain(&self, links: &[Link], apart: f64) -> Explained {
        if !self.skips {
            return Explained::asked();
        }
        let (Some(beats), Some(medium)) = (self.around.beats, self.around.medium) else {
            return Explained::new(Form::Skips, "no beat can come: the deadline is all there is");
        };
        if self.goes_ahead() {
            return self.explain_ahead(medium, apart);
        }
        let Some((law, exception)) = self.ordinary(beats.period, medium, links) else {
            let cut = self.patience(medium, links).saturating_sub(beats.period);
            let late = medium.exception(links, cut).probability;
            let why =
                if late > 0.5 { "most beats would be lost or too late" } else { "one late beat can matter" };
            return Explained::new(Form::Ahead, format!("from one arrival to the next, exactly: {why}"));
        };
        let (run, q) = (law.run(), exception.probability);
        let why = if q == 0.0 {
            "no beat is ever lost or late: nothing happens until the surroundings change".to_owned()
        } else {
            format!(
                "the first {run} beats in a row that are lost or later than {} (P = {} each) are drawn from \
                 their exact law; fewer cannot raise suspicion",
                shown(exception.cut),
                shown_probability(q)
            )
        };
        Explained::new(Form::Skips, why)
    }

    /// What there is to say about this form.
    fn explain_ahead(&self, medium: Medium, apart: f64) -> Explained {
        let mut why = match self.silence {
            Silence::MissedOf { .. } => {
                "ticks and beats are stepped privately; stretches in which every tick has its beat are jumped"
            }
            Silence::Expected { .. } | Silence::Accrual { .. } => {
                "each arrival moves what it expects: beats are stepped privately, the same steps as stepwise"
            }
            Silence::TimeOut(_) | Silence::Missed { .. } | Silence::Lease(_) => {
                "runs of lost or late beats are drawn from their exact law within each state of the bursts"
            }
        }
        .to_owned();
        if apart > 0.0 && matches!(self.silence, Silence::MissedOf { .. }) {
            // One slips past the other by `apart` of a tick at each: they are out of step after 1/apart ticks at most.
            why.push_str(&format!(
                "; beats and ticks of clocks that differ by {} slide past each other, which ends a jump after {:.0} \
                 ticks at most",
                shown_probability(apart),
                1.0 / apart
            ));
        }
        if medium.has_bursts(&self.channels) {
            why.push_str("; the states of the link are read from one path, which all its traffic shares");
        }
        Explained::new(Form::Ahead, why)
    }
}

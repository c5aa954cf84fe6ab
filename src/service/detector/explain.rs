//! In which form a watch runs, and why.

use crate::system::medium::Medium;
use crate::system::spec::Link;

use super::super::fidelity::{Explained, Form, WITH_BURSTS, shown, shown_probability};
use super::silence::Silence;
use super::{Beats, Watch};

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
        let mut explained = match self.silence {
            Silence::MissedOf { of, .. } => self.explain_windows(of, beats, medium, apart, links),
            _ => self.explain_runs(beats, medium, links),
        };
        if medium.has_bursts(&self.channels) {
            explained.form = Form::Ahead;
            explained.why.push_str(WITH_BURSTS);
        }
        explained
    }

    fn explain_runs(&self, beats: Beats, medium: Medium, links: &[Link]) -> Explained {
        let Some((law, exception)) = self.ordinary(beats, medium, links) else {
            let cut = self.patience(beats, medium, links).with(1).saturating_sub(beats.period);
            let late = medium.exception(links, cut).probability;
            let why =
                if late > 0.5 { "most beats would be lost or too late" } else { "one late beat can matter" };
            return Explained::new(Form::Ahead, format!("from one arrival to the next, exactly: {why}"));
        };
        let (run, q) = (law.run(), exception.probability);
        let mut why = if q == 0.0 {
            "no beat is ever lost or late: nothing happens until the surroundings change".to_owned()
        } else {
            format!(
                "the first {run} beats in a row that are lost or later than {} (P = {} each) are drawn from \
                 their exact law; fewer cannot raise suspicion",
                shown(exception.cut),
                shown_probability(q)
            )
        };
        if self.silence.remembers() {
            why.push_str("; what is remembered of the last beats is drawn when something asks for it");
        }
        Explained::new(Form::Skips, why)
    }

    fn explain_windows(&self, of: u8, beats: Beats, medium: Medium, apart: f64, links: &[Link]) -> Explained {
        let found = self.windows_at_best(beats, medium, links);
        let Some((law, exception)) = found.and_then(|found| found.law.zip(Some(found.exception))) else {
            let why = "ticks and beats are stepped privately: most beats would be lost or too late";
            return Explained::new(Form::Ahead, why);
        };
        let q = exception.probability;
        let mut why = if q == 0.0 {
            "no beat is ever lost or late: every tick has its own".to_owned()
        } else {
            format!(
                "the first {} of {of} beats that are lost or later than {} (P = {} each) are drawn from their \
                 exact law; fewer cannot raise suspicion",
                law.count(),
                shown(exception.cut),
                shown_probability(q)
            )
        };
        if apart > 0.0 {
            // One slips past the other by `apart` of a tick at each: they are out of step after 1/apart ticks at most.
            why.push_str(&format!(
                "; beats and ticks of clocks that differ by {} slide past each other: after {:.0} ticks at most they \
                 are stepped privately until each tick has its beat again",
                shown_probability(apart),
                1.0 / apart
            ));
        }
        Explained::new(Form::Skips, why)
    }
}

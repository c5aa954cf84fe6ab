//! What is reported of a result: the sections of the summary in their order, and what the experiment asks for.

use super::view::View;
use super::{effects, pairwise, sentences, tables, verdict};
use crate::model::experiment_file::ExperimentFile;
use crate::report::table::Table;

/// A section of the summary, with the chart that belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// Who is safely up the longest.
    Winners,
    /// Where targets of safe availability are met.
    Objectives,
    /// Which axes matter.
    Effects,
    /// The measures of every policy.
    Comparison,
    /// Through which phase the service is down.
    Downtime,
    /// When two nodes accepted at once.
    SplitBrain,
    /// What was lost.
    Data,
    /// What the policies cost.
    Cost,
    /// How far paired runs tell policies apart.
    Pairs,
}

impl Report {
    /// All of them, in their order.
    pub const ALL: [Report; 9] = [
        Report::Winners,
        Report::Effects,
        Report::Downtime,
        Report::SplitBrain,
        Report::Data,
        Report::Cost,
        Report::Pairs,
        Report::Objectives,
        Report::Comparison,
    ];

    /// Its name in experiment files.
    pub const fn name(self) -> &'static str {
        match self {
            Report::Winners => "winners",
            Report::Objectives => "objectives",
            Report::Effects => "effects",
            Report::Comparison => "comparison",
            Report::Downtime => "downtime",
            Report::SplitBrain => "split-brain",
            Report::Data => "data",
            Report::Cost => "cost",
            Report::Pairs => "pairs",
        }
    }

    /// The report of a name.
    pub fn find(name: &str) -> Option<Report> {
        Report::ALL.into_iter().find(|report| report.name() == name)
    }
}

/// What an experiment asks to be told.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Asked {
    /// Measures that tables and charts show, in this order; empty: the usual ones.
    pub measures: Vec<String>,
    /// Reports; empty: all.
    pub reports: Vec<Report>,
}

/// What tables compare where nothing is asked for.
const USUAL: [&str; 7] = [
    "safe_availability",
    "unavailability",
    "split_brain_time",
    "lost_rate",
    "overwritten_rate",
    "loss_age_max",
    "annual_cost",
];

impl Asked {
    /// What an experiment file asks for.
    pub fn of(file: &ExperimentFile) -> Asked {
        Asked {
            measures: file.measures.iter().map(|name| name.text.clone()).collect(),
            reports: file.reports.iter().filter_map(|name| Report::find(&name.text)).collect(),
        }
    }

    /// Whether a report is wanted.
    pub fn wants(&self, report: Report) -> bool {
        self.reports.is_empty() || self.reports.contains(&report)
    }

    /// The measures to compare.
    pub fn measures(&self) -> Vec<&str> {
        if self.measures.is_empty() {
            USUAL.to_vec()
        } else {
            self.measures.iter().map(String::as_str).collect()
        }
    }
}

/// Every sentence that is wanted, in paragraphs.
pub fn paragraphs(view: &View<'_>) -> Vec<String> {
    let of = |report: Report| match report {
        Report::Winners => verdict::winners(view),
        Report::Effects => effects::sentences(view),
        Report::Downtime => sentences::causes(view),
        Report::SplitBrain => sentences::split_brain(view),
        Report::Data => sentences::data(view),
        Report::Cost => sentences::cost(view),
        Report::Pairs => pairwise::sentences(view),
        Report::Objectives | Report::Comparison => Vec::new(),
    };
    Report::ALL.into_iter().filter(|report| view.asked.wants(*report)).flat_map(of).collect()
}

/// Every table that is wanted.
pub fn tables(view: &View<'_>) -> Vec<Table> {
    let of = |report: Report| match report {
        Report::Objectives => tables::objectives(view).into_iter().collect(),
        Report::Effects => effects::tables(view),
        Report::Comparison => vec![tables::comparison(view)],
        _ => Vec::new(),
    };
    Report::ALL.into_iter().filter(|report| view.asked.wants(*report)).flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_report_is_found_by_its_name() {
        for report in Report::ALL {
            assert_eq!(Report::find(report.name()), Some(report));
        }
        assert_eq!(Report::find("pair"), None);
    }

    #[test]
    fn what_is_asked_for_is_what_is_shown() {
        let all = Asked::default();
        assert!(Report::ALL.iter().all(|report| all.wants(*report)));
        let some = Asked { measures: vec!["downtime".into()], reports: vec![Report::Data] };
        assert!(some.wants(Report::Data) && !some.wants(Report::Cost));
        assert_eq!(some.measures(), ["downtime"]);
    }
}

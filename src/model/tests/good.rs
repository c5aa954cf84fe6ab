//! What a correct file becomes.

use super::{SCADA, TestPolicy, read, shown, with};
use crate::engine::dist::Law;
use crate::engine::time::Span;
use crate::input::{Reader, Table};
use crate::model::experiment_file::ExperimentTable;
use crate::model::scenario_file::ScenarioTable;
use crate::model::schema::ModelTable;
use crate::model::schema_faults::{CrewTable, FailureTable, LinkFailureTable, SharedTable};
use crate::model::schema_work::{
    ChangeoverTable, ClientTable, FieldTable, MaintenanceTable, ObjectivesTable,
};
use crate::model::{Override, describe, schema};
use crate::system::ids::{ClientId, LinkId, NodeId, SiteId};
use crate::system::spec::{Classes, Direction, Effect, End, Scope};

#[test]
fn every_table_is_consistent() {
    Reader::check::<ModelTable<TestPolicy>>();
    Reader::check::<schema::NodeTable>();
    Reader::check::<schema::ClockTable>();
    Reader::check::<schema::StationTable>();
    Reader::check::<schema::LinkTable>();
    Reader::check::<schema::PathTable>();
    Reader::check::<schema::GroupTable<TestPolicy>>();
    Reader::check::<FailureTable>();
    Reader::check::<LinkFailureTable>();
    Reader::check::<SharedTable>();
    Reader::check::<CrewTable>();
    Reader::check::<ClientTable>();
    Reader::check::<FieldTable>();
    Reader::check::<MaintenanceTable>();
    Reader::check::<ChangeoverTable>();
    Reader::check::<ObjectivesTable>();
    Reader::check::<ExperimentTable>();
    Reader::check::<ScenarioTable>();
    Reader::check_choice::<TestPolicy>();
    assert!(ClientTable::KEYS.len() > 10);
}

#[test]
fn the_described_model_is_read() {
    let (model, defaults) = read(SCADA).unwrap_or_else(|problems| panic!("{}", problems.render(false)));
    assert_eq!(model.name, "pair");
    let names = |list: Vec<&str>| list.join(" ");
    assert_eq!(names(model.sites.iter().map(|site| site.name.as_str()).collect()), "north south");
    let (a, b) = (&model.nodes[0], &model.nodes[1]);
    assert_eq!((a.site, b.site), (Some(SiteId(0)), Some(SiteId(1))));
    assert_eq!(a.failures.len(), 2);
    assert_eq!(b.failures.len(), 2);
    assert_eq!(b.failures[1].effect, Effect::Pause);
    assert_eq!(b.failures[1].scope, Scope::Process);
    assert_eq!(a.failures[0].time_to_failure, Law::exponential(180.0 * 86_400.0).unwrap());
    assert_eq!(a.clock.sync_interval, Span::from_whole_secs(3600));
    assert_eq!(model.links[1].failures.len(), 1);
    assert_eq!(model.links[2].ends, [End::Client(ClientId(1)), End::Node(NodeId(0))]);
    assert_eq!(model.links[3].ends, [End::Client(ClientId(1)), End::Site(SiteId(1))]);
    assert_eq!(model.links[3].direction, Direction::Forward);
    assert_eq!(model.links[3].carries, Classes::FIELD);
    assert_eq!(names(model.paths.iter().map(|path| path.name.as_str()).collect()), "radio-1 radio-2 servers");
    assert_eq!(model.shared[0].nodes, [NodeId(0)]);
    assert_eq!(model.shared[0].links, [LinkId(0), LinkId(1)]);
    assert_eq!(model.groups[0].policy, TestPolicy::Pair(Span::from_whole_secs(1)));
    assert!(model.clients[1].is_field && !model.clients[0].is_field);
    assert_eq!(model.clients[1].reach, [(NodeId(0), LinkId(2)), (NodeId(1), LinkId(3))]);
    assert!(model.objectives.availability.as_ref().unwrap().exclude_planned);
    assert!(defaults.assumptions() > 0 && defaults.count() >= defaults.assumptions());
    let lines = defaults.lines();
    let heartbeat = lines.iter().find(|line| line.pattern == "groups.*.policy.hot-standby.heartbeat");
    assert!(heartbeat.is_some(), "{lines:#?}");
}

#[test]
fn a_failure_says_how_often_in_five_ways() {
    let law = |text: &str| {
        let text = SCADA.replace("mttf = \"180d\"", text);
        read(&text).unwrap_or_else(|p| panic!("{}", p.render(false))).0.nodes[0].failures[0]
            .time_to_failure
            .clone()
    };
    let year = 31_557_600.0;
    assert_eq!(law("mtbf = \"2y\""), Law::exponential(2.0 * year).unwrap());
    assert_eq!(law("rate = \"2/year\""), Law::exponential(1.0 / (2.0 / year)).unwrap());
    assert_eq!(law("afr = \"2%\""), Law::exponential(-year / libm::log1p(-0.02)).unwrap());
    let weibull = law("ttf = { weibull = { mean = \"12y\", shape = 0.7 } }");
    assert_eq!(weibull, Law::weibull_mean(12.0 * year, 0.7).unwrap());
    // A rate of zero never fails: the crash is gone, the stall is first.
    let none = read(&SCADA.replace("mttf = \"180d\"", "rate = \"0/year\"")).unwrap().0;
    assert_eq!(none.nodes[0].failures.len(), 1);
}

#[test]
fn laws_in_every_form() {
    for law in [
        "\"5s\"",
        "{ fixed = \"40ms\" }",
        "{ exponential = \"3h\" }",
        "{ exponential = { mean = \"3h\" } }",
        "{ weibull = { scale = \"1d\", shape = 2 } }",
        "{ lognormal = { median = \"3h\", sigma = 0.8 } }",
        "{ lognormal = { mean = \"3h\", p95 = \"9h\" } }",
        "{ gamma = { mean = \"1s\", shape = 2 } }",
        "{ uniform = [\"1s\", \"20s\"] }",
        "{ empirical = \"good.csv\" }",
    ] {
        let text = SCADA.replace("start = \"30s\"", &format!("start = {law}"));
        assert_eq!(shown(&text), "no mistake", "{law}");
    }
}

#[test]
fn overrides_reach_every_named_place() {
    let set = |text: &str| Override::parse(text, "--set").unwrap();
    let load = |list: &[Override]| with(SCADA, list).unwrap_or_else(|p| panic!("{}", p.render(false))).0;
    let model = load(&[set("nodes.*.failures.crash.rate=1/s"), set("nodes.b.clock.drift=1ppm")]);
    assert_eq!(model.nodes[0].failures[0].time_to_failure, Law::exponential(1.0).unwrap());
    assert_eq!(model.nodes[1].failures[0].time_to_failure, Law::exponential(1.0).unwrap());
    assert_eq!((model.nodes[0].clock.drift_max, model.nodes[1].clock.drift_max), (5e-5, 1e-6));
    let model =
        load(&[set("groups.*.policy.*.heartbeat=2s"), set("up_share=0.5"), set("links.wan.bandwidth=1MB/s")]);
    assert_eq!(model.groups[0].policy, TestPolicy::Pair(Span::from_whole_secs(2)));
    assert_eq!((model.up_share, model.links[0].bandwidth, model.links[1].bandwidth), (0.5, Some(1e6), None));
    let model = load(&[set("groups.scada.policy={ alone = {} }")]);
    assert_eq!(model.groups[0].policy, TestPolicy::Alone);
    let model = load(&[set("links.wan.failures.cut.duration.lognormal.median=30m")]);
    assert_ne!(model.links[0].failures[0].duration, model.links[1].failures[0].duration);
    assert!(with(SCADA, &[set("groups.*.policy.alone.x=2s").may_miss()]).is_ok());
}

#[test]
fn keys_are_explained() {
    let text = describe::explain::<TestPolicy>("nodes.a.failures.crash.mttf").unwrap();
    assert!(text.contains("nodes.*.failures.*.mttf") && text.contains("exponential"), "{text}");
    let text = describe::explain::<TestPolicy>("hot-standby.heartbeat").unwrap();
    assert!(text.contains("default: 1s (A, an assumption: a guess)"), "{text}");
    assert_eq!(describe::explain::<TestPolicy>("hartbeat"), Err(Some("heartbeat".into())));
}

//! Experiment and scenario files.

use super::{SCADA, TestPolicy, read, says, with};
use crate::engine::time::Span;
use crate::input::Source;
use crate::model::experiment_file::{self, Fidelity};
use crate::model::scenario_file::{self, Expected};
use crate::model::script;
use crate::system::ids::{LinkId, NodeId};
use crate::system::spec::{Action, Classes, Direction, Effect, Scope};

const EXPERIMENT: &str = r#"title = "Which policy, as servers fail more often?"
model = "server-pair"
seed = 20261121
horizon = "10y"
runs = 400

[[axis]]
name = "server MTTF"
set = "nodes.*.failures.crash.mttf"
log = { from = "10d", to = "1000d", steps = 9 }
[[axis]]
set = ["groups.*.policy.*.heartbeat"]
values = ["1s", "2s"]

[[policy]]
name = "hot standby"
group = "scada"
[policy.use.hot-standby]
heartbeat = "1s"
[[policy]]
name = "alone"
group = "scada"
use = { alone = {} }
set = { "nodes.*.start" = "1m" }

[[gate]]
policy = "hot standby"
measure = "safe_availability"
at_least = "99.9%"
at = { "server MTTF" = "100d" }
"#;

fn experiment(text: &str) -> String {
    match experiment_file::read(&Source::new("e.toml", text)) {
        Ok(_) => "no mistake".into(),
        Err(problems) => problems.render(false),
    }
}

#[test]
fn an_experiment_is_read_and_its_points_load() {
    let file = experiment_file::read(&Source::new("e.toml", EXPERIMENT));
    let file = file.unwrap_or_else(|problems| panic!("{}", problems.render(false)));
    assert_eq!((file.seed, file.runs, file.fidelity), (20_261_121, 400, Fidelity::Aggregate));
    assert_eq!(file.axes[0].values.len(), 9);
    assert_eq!((file.axes[0].label(1), file.axes[1].name.as_str()), ("17.8d".into(), "heartbeat"));
    assert_eq!(file.gates[0].at, [(0, 4)]);
    assert_eq!(file.gates[0].at_least.as_ref().unwrap().value, 0.999);
    for policy in &file.policies {
        let mut overrides = policy.overrides.clone();
        overrides.extend(file.axes[0].overrides(2));
        overrides.extend(file.axes[1].overrides(1));
        let model = with(SCADA, &overrides).unwrap_or_else(|p| panic!("{}", p.render(false))).0;
        let expected = if policy.name.text == "alone" {
            TestPolicy::Alone
        } else {
            TestPolicy::Pair(Span::from_whole_secs(2))
        };
        assert_eq!(model.groups[0].policy, expected);
    }
}

#[test]
fn mistakes_of_experiments() {
    let broken = |from: &str, to: &str| experiment(&EXPERIMENT.replacen(from, to, 1));
    says(
        &broken("values = [\"1s\", \"2s\"]", "values = []"),
        &["the axis has no values", "e.toml:13:10", "^^ expected at least one value"],
    );
    says(
        &broken("horizon = \"10y\"", "horizon = \"501y\""),
        &["longer than 500 years", "e.toml:4:12", "^^^^ expected at most `500y`"],
    );
    says(
        &broken("policy = \"hot standby\"", "policy = \"hot-standbi\""),
        &["no policy of this experiment", "did you mean `hot standby`?"],
    );
    says(
        &broken("\"server MTTF\" = \"100d\"", "\"server MTTF\" = \"101d\""),
        &["is no value of the axis", "did you mean `100d`?"],
    );
    says(&broken("from = \"10d\"", "from = \"10%\""), &["the ends of a scale do not go together"]);
    says(&broken("at_least = \"99.9%\"\n", ""), &["the gate has no limit"]);
    says(&broken("model = \"server-pair\"\n", ""), &["no model is named"]);
    says(&broken("name = \"alone\"", "name = \"hot standby\""), &["two policies are called `hot standby`"]);
    says(
        &broken("use = { alone = {} }", "use = \"alone\""),
        &["exactly one policy is used", "[policy.use.alone]"],
    );
}

const SCENARIO: &str = r#"title = "Main-Main after ten hours"
model = "geo-scada-pair"
horizon = "13h"
quiet = true

[[at]]
time = "12h"
heal = "servers"
[[at]]
time = "10h"
cut = "servers"
classes = ["heartbeat", "replication"]
direction = "forward"
[[at]]
time = "11h"
pause = "a"
scope = "process"
[[at]]
time = "11h 1m"
resume = "a"
scope = "process"
[[at]]
time = "11h 2m"
changeover = "scada"
to = "b"

[[expect]]
measure = "split_brain_window_max"
between = ["7160s", "7170s"]
[[expect]]
at = "12h 1m"
role = { a = "main", b = "standby" }
accepts = { a = true }
up = true
"#;

#[test]
fn a_scenario_is_read_and_fits_its_model() {
    let file = scenario_file::read(&Source::new("s.toml", SCENARIO));
    let file = file.unwrap_or_else(|problems| panic!("{}", problems.render(false)));
    let mut model = read(SCADA).unwrap().0;
    script::attach(&file, &mut model).unwrap();
    assert!(model.quiet);
    let classes = Classes::HEARTBEAT.union(Classes::REPLICATION);
    assert_eq!(model.script.len(), 7);
    assert_eq!(
        model.script[0].action,
        Action::Cut { link: LinkId(0), classes, direction: Direction::Forward }
    );
    let pause = Action::Fail { node: NodeId(0), scope: Scope::Process, effect: Effect::Pause };
    assert_eq!(model.script[2].action, pause);
    assert_eq!(model.script[6].action, Action::Heal { link: LinkId(1) });
    let Expected::Measure { at_most: Some(limit), .. } = &file.expects[0].what else { panic!("a measure") };
    assert_eq!(limit.value, 7170.0);
    let Expected::State { role, accepts, up, .. } = &file.expects[1].what else { panic!("a state") };
    assert_eq!((role.len(), accepts.len(), *up), (2, 1, Some(true)));
}

#[test]
fn mistakes_of_scenarios() {
    let broken = |from: &str, to: &str| {
        let source = Source::new("s.toml", SCENARIO.replacen(from, to, 1));
        match scenario_file::read(&source) {
            Ok(file) => script::attach(&file, &mut read(SCADA).unwrap().0).err().map(|p| p.render(false)),
            Err(problems) => Some(problems.render(false)),
        }
        .unwrap_or_else(|| "no mistake".into())
    };
    says(
        &broken("cut = \"servers\"", "cut = \"server\""),
        &["no link or path is called `server`", "s.toml:11:8", "did you mean `servers`?"],
    );
    says(&broken("pause = \"a\"", "puase = \"a\""), &["unknown key `puase`", "did you mean `pause`?"]);
    says(&broken("pause = \"a\"", "pause = \"a\"\ncrash = \"b\""), &["two things happen in one step"]);
    says(&broken("heal = \"servers\"", ""), &["nothing happens at this time"]);
    says(&broken("time = \"12h\"", "time = \"14h\""), &["after the horizon"]);
    says(&broken("role = { a", "role = { z"), &["no node is called `z`"]);
    says(
        &broken("[\"7160s\", \"7170s\"]", "[\"7180s\", \"7170s\"]"),
        &["the lower limit is above the upper"],
    );
    says(&broken("to = \"b\"", "scope = \"host\""), &["`scope` has no meaning here"]);
    assert!(scenario_file::horizon("600y", "--horizon").is_err());
}

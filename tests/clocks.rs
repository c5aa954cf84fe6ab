//! Wall clocks: a policy whose only timer runs on one, and what a step does to it; and what a step does to writes whose
//! order goes by their stamps.

mod common;

use common::*;
use failsim::engine::time::Instant;
use failsim::input::{Key, Reader, Table};
use failsim::measure::simulate_with;
use failsim::policy::contract::{Bound, Bounds, Ctx, Design, Notice, Policy, Role, Stance};
use failsim::policy::facts::Fact;
use failsim::policy::host::Setup;
use failsim::policy::registry::Named;
use failsim::system::ids::NodeId;

#[derive(Clone, Debug)]
struct Nothing;

impl Table for Nothing {
    const KEYS: &'static [Key] = &[];
    fn read(_: &mut Reader<'_>) -> Self {
        Nothing
    }
}

/// Serves from one and a half minutes after its start, by its wall clock.
#[derive(Clone, Debug)]
struct Alarm {
    rung: bool,
}

failsim::choice!(Nothing, Alarm);

impl Named for Alarm {
    const SUMMARY: &'static str = "serves after 90 s";
}

impl Policy for Alarm {
    const NAME: &'static str = "alarm";
    type Params = Nothing;
    type Durable = ();
    type Message = ();
    type Beacon = ();
    type Timer = ();

    fn start((): &(), ctx: &mut Ctx<'_, Self>) -> Self {
        ctx.arm_wall((), secs(90.0));
        Alarm { rung: false }
    }
    fn on_message(&mut self, _: NodeId, (): (), _: &mut Ctx<'_, Self>) {}
    fn on_timer(&mut self, (): (), _: &mut Ctx<'_, Self>) {
        self.rung = true;
    }
    fn on_notice(&mut self, _: Notice<()>, _: &mut Ctx<'_, Self>) {}
    fn stance(&self) -> Stance {
        let role = if self.rung { Role::Active } else { Role::Starting };
        let accepts = self.rung.then_some(0);
        Stance { role, accepts, takes: None, draining: false, reads: self.rung, activation: 1 }
    }
    fn design(_: &Nothing, _: usize) -> Design {
        Design::default()
    }
    fn bounds(_: &Nothing, _: usize) -> Bounds {
        let split_brain = Bound { secs: None, formula: String::new(), class: String::new() };
        Bounds { loss_age: None, split_brain }
    }
}

/// When it rings, under this clock and these steps: (when, how far), in seconds.
fn rings(clock: &str, steps: &[(f64, f64)]) -> Option<Instant> {
    let text = format!(
        "title = \"alarm\"\n[nodes.a]\nstart = \"0s\"\nclock = {{ drift = 0, {clock} }}\n[groups.g]\nnodes = [\"a\"]\n\
         policy.alarm = {{}}\n"
    );
    let source = failsim::input::Source::new("test.toml", text);
    let loaded =
        failsim::model::load::load::<Nothing>(&source, std::sync::Arc::new(failsim::input::NoFiles), &[]);
    let (mut model, _) = loaded.unwrap_or_else(|problems| panic!("{}", problems.render(false)));
    model.script = steps.iter().map(|&(at, secs)| step(at, secs)).collect();
    let setup: Setup<Alarm> = Setup::new(model, 1, true, false);
    let (_, facts) = simulate_with(&setup, 0, hours(3.0), Vec::new());
    facts.into_iter().find_map(|(at, fact): (Instant, Fact)| match fact {
        Fact::Stance { stance, .. } if stance.role == Role::Active => Some(at),
        _ => None,
    })
}

fn step(at: f64, secs: f64) -> failsim::system::spec::ScriptStep {
    use failsim::system::spec::{Action, Effect, Scope, ScriptStep};
    let effect = Effect::ClockStep { secs };
    ScriptStep { at: instant(at), action: Action::Fail { node: NodeId(0), scope: Scope::Host, effect } }
}

#[test]
fn a_step_moves_the_timers_of_the_wall_clock() {
    let never = "sync_interval = \"never\"";
    assert_eq!(rings(never, &[]), Some(instant(90.0)));
    // Forward: earlier, at once where its time has been jumped over. Back: later.
    assert_eq!(rings(never, &[(50.0, 30.0)]), Some(instant(60.0)));
    assert_eq!(rings(never, &[(50.0, 300.0)]), Some(instant(50.0)));
    assert_eq!(rings(never, &[(50.0, -30.0)]), Some(instant(120.0)));
    assert_eq!(rings(never, &[(50.0, -30.0), (60.0, 30.0)]), Some(instant(90.0)));
    assert_eq!(rings(never, &[(100.0, -30.0)]), Some(instant(90.0)));
    // The offset does not matter to a distance, until a synchronisation takes it away: at 60 s the clock goes from
    // 30 to 60.
    assert_eq!(rings("sync_interval = \"never\", offset = \"-30s\"", &[]), Some(instant(90.0)));
    let synchronised = "sync_interval = \"60s\", sync_error = \"0s\"";
    assert_eq!(rings(&format!("{synchronised}, offset = \"-30s\""), &[]), Some(instant(60.0)));
    // A step back is undone by the next synchronisation.
    assert_eq!(rings(synchronised, &[(50.0, -30.0)]), Some(instant(90.0)));
    assert_eq!(rings(synchronised, &[(70.0, -3600.0)]), Some(instant(120.0)));
}

/// Two sites that both write, one key, 1 write a second: while the clocks differ by an hour (and never otherwise), of two
/// writes in a row at different sites the earlier wins half of the time.
#[test]
fn a_step_discards_writes_that_came_later() {
    let text = |fault: &str| {
        format!(
            "title = \"two\"\n[nodes.b]\nstart = \"0s\"\nclock = {{ drift = 0, sync_interval = \"never\", sync_error = \"0s\" }}\n\
             [nodes.a]\nlike = \"b\"\n{fault}\n[groups.g]\nnodes = [\"a\", \"b\"]\n\
             [groups.g.policy.active-active]\nstorage = \"last-writer-wins\"\nkeys = 1\n\
             [clients.c]\nto = \"g\"\nwrites = \"1/s\"\ndeadline = \"1s\"\n"
        )
    };
    let rate = |fault: &str| {
        let setup = ready(&text(fault), &[], 3);
        let summary = summary(&setup, 2000, hours(240.0));
        try_figure(&summary, "overwritten_rate", 0.999).map(|figure| figure.estimate)
    };
    assert_eq!(rate(""), Some(0.0));
    // Ten days with steps of an hour, each after another ten days in the mean: the clocks differ from the first one on,
    // which is 1/e of the time.
    let stepped = rate("failures.ntp = { effect = \"clock-step\", by = \"1h\", mttf = \"10d\" }").unwrap();
    let year = 31_557_600.0;
    // Two writers at random are different half of the time, and then half of the writes go.
    let expected = year * 0.25 * failsim::maths::exp(-1.0);
    assert!((stepped / expected - 1.0).abs() < 0.05, "{stepped} a year, expected {expected}");
}

//! One function per engine: it drives a model for so many events, or up to a time, in the form that costs it least
//! (one component that schedules on itself, no message between components, one thread).

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Mutex;
use std::time::Duration;

use failsim::engine::time::Span;
use serde::{Deserialize, Serialize};

use crate::models::Model;

/// When a run ends.
#[derive(Clone, Copy)]
pub enum Until {
    /// After so many events.
    Events(u64),
    /// At this time.
    Time(Span),
}

/// `SimCore` (the former dslab-core): boxed events, times as floats.
pub fn simcore<M: Model>(mut model: M, until: Until) -> Vec<u64> {
    #[derive(Clone, Serialize)]
    struct Happens {
        what: u32,
    }

    struct Component<M> {
        model: M,
        ctx: simcore::SimulationContext,
    }

    impl<M: Model> simcore::EventHandler for Component<M> {
        fn on(&mut self, event: simcore::Event) {
            let Component { model, ctx } = self;
            let now = (event.time * 1e9).round() as u64;
            simcore::cast!(match event.data {
                Happens { what } => {
                    model.handle(now, what, &mut |delay, event| {
                        ctx.emit_self(Happens { what: event }, delay.as_secs());
                    });
                }
            })
        }
    }

    let mut simulation = simcore::Simulation::new(1);
    let ctx = simulation.create_context("model");
    model.start(&mut |delay, event| {
        ctx.emit_self(Happens { what: event }, delay.as_secs());
    });
    let component = Rc::new(RefCell::new(Component { model, ctx }));
    simulation.add_handler("model", component.clone());
    match until {
        Until::Events(events) => simulation.steps(events),
        Until::Time(time) => simulation.step_until_time(time.as_secs()),
    };
    component.borrow().model.outcome()
}

/// simrs: boxed events, no order among equal times.
pub fn simrs<M: Model>(mut model: M, until: Until) -> Vec<u64> {
    /// Ends a run: the engine does not tell when the next event comes.
    const END: u32 = u32::MAX;

    struct Component<M>(Rc<RefCell<(M, bool)>>);

    impl<M: Model> simrs::Component for Component<M> {
        type Event = u32;
        fn process_event(
            &self,
            own: simrs::ComponentId<u32>,
            event: &u32,
            scheduler: &mut simrs::Scheduler,
            _: &mut simrs::State,
        ) {
            let now = scheduler.time().as_nanos() as u64;
            let (model, is_over) = &mut *self.0.borrow_mut();
            if *event == END {
                *is_over = true;
                return;
            }
            model.handle(now, *event, &mut |delay, event| {
                scheduler.schedule(Duration::from_nanos(delay.as_nanos()), own, event);
            });
        }
    }

    let mut simulation = simrs::Simulation::default();
    let mut first = Vec::new();
    model.start(&mut |delay, event| first.push((delay, event)));
    let model = Rc::new(RefCell::new((model, false)));
    let component = simulation.add_component(Component(model.clone()));
    for (delay, event) in first {
        simulation.schedule(Duration::from_nanos(delay.as_nanos()), component, event);
    }
    match until {
        Until::Events(events) => (0..events).for_each(|_| {
            simulation.step();
        }),
        Until::Time(time) => {
            simulation.schedule(Duration::from_nanos(time.as_nanos()), component, END);
            while !model.borrow().1 {
                simulation.step();
            }
        }
    }
    model.borrow().0.outcome()
}

/// What a `NeXosim` model leaves when it is dropped: it cannot be asked from outside while it runs.
static LEFT: Mutex<Vec<u64>> = Mutex::new(Vec::new());

/// `NeXosim`, with one thread, as its authors advise for small models.
macro_rules! on_nexosim {
    ($module:ident, $model:ty) => {
        pub mod $module {
            use super::{Deserialize, Duration, LEFT, Serialize, Span, Until};
            use crate::models::Model as _;
            use nexosim::model::{Context, Model, schedulable};
            use nexosim::simulation::{Mailbox, SimInit};
            use nexosim::time::MonotonicTime;

            #[derive(Serialize, Deserialize)]
            pub struct Component {
                #[serde(skip)]
                model: Option<$model>,
            }

            #[Model]
            impl Component {
                #[nexosim(init)]
                async fn init(&mut self, cx: &Context<Self>) {
                    let model = self.model.as_mut().expect("never restored");
                    model.start(&mut |delay, event| Component::later(cx, delay, event));
                }

                #[nexosim(schedulable)]
                fn happens(&mut self, event: u32, cx: &Context<Self>) {
                    let now = cx.time();
                    let now = now.as_secs() as u64 * 1_000_000_000 + u64::from(now.subsec_nanos());
                    let model = self.model.as_mut().expect("never restored");
                    model.handle(now, event, &mut |delay, event| Component::later(cx, delay, event));
                }

                fn later(cx: &Context<Self>, delay: Span, event: u32) {
                    let delay = Duration::from_nanos(delay.as_nanos().max(1));
                    cx.schedule_event(delay, schedulable!(Self::happens), event).expect("in the future");
                }
            }

            impl Drop for Component {
                fn drop(&mut self) {
                    if let Some(model) = &self.model {
                        *LEFT.lock().expect("nobody panicked") = model.outcome();
                    }
                }
            }

            pub fn run(model: $model, until: Until) -> Vec<u64> {
                let component = Component { model: Some(model) };
                let mut simulation = SimInit::with_num_threads(1)
                    .add_model(component, Mailbox::new(), "model")
                    .init(MonotonicTime::EPOCH)
                    .expect("a bench that starts");
                match until {
                    Until::Events(events) => {
                        (0..events).for_each(|_| simulation.step().expect("a step"));
                    }
                    Until::Time(time) => {
                        simulation.step_until(Duration::from_nanos(time.as_nanos())).expect("steps");
                    }
                }
                drop(simulation);
                std::mem::take(&mut *LEFT.lock().expect("nobody panicked"))
            }
        }
    };
}

on_nexosim!(nexosim_queue, crate::models::Queue);
on_nexosim!(nexosim_hold, crate::models::Hold);
on_nexosim!(nexosim_pair, crate::models::Pair);

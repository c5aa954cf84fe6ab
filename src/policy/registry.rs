//! Names to types: which policies a program knows.
//!
//! Policies of different types run in one world without boxes: [`Either`] of two policies is a policy itself, and the
//! shipped ones are one nested `Either`. An outsider's program runs `failsim::main::<Either<Mine, Shipped>>()`.

use crate::input::{Choice, Key, Reader, Table};
use crate::system::ids::NodeId;

use super::active_active::ActiveActive;
use super::active_passive::ActivePassive;
use super::contract::{Bounds, Command, Ctx, Design, Notice, Out, Policy, Stance};
use super::hot_standby::HotStandby;
use super::single::Single;

/// The policies that come with failsim.
pub type Shipped = Either<Either<Single, ActivePassive>, Either<ActiveActive, HotStandby>>;

/// Policies that can be named in a model file.
pub trait PolicySet: Policy<Params: Choice + Send + Sync> + 'static {
    /// Their names with a sentence each.
    fn described() -> Vec<(&'static str, &'static str)>;
}

/// What a single policy brings to be one of a set.
pub trait Named: Policy {
    /// One sentence: what it does.
    const SUMMARY: &'static str;
}

/// One of two, for policies and for each of the types that belong to one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Either<A, B> {
    /// The first.
    Left(A),
    /// The second.
    Right(B),
}

impl<A: Default, B> Default for Either<A, B> {
    fn default() -> Self {
        Either::Left(A::default())
    }
}

impl<A: Choice, B: Choice> Choice for Either<A, B> {
    fn names() -> Vec<&'static str> {
        let mut names = A::names();
        names.extend(B::names());
        names
    }

    fn keys(name: &str) -> Option<&'static [Key]> {
        A::keys(name).or_else(|| B::keys(name))
    }

    fn read(name: &str, reader: &mut Reader<'_>) -> Option<Self> {
        if A::names().contains(&name) {
            return A::read(name, reader).map(Either::Left);
        }
        B::read(name, reader).map(Either::Right)
    }

    fn fits(&self, members: usize) -> Result<(), String> {
        match self {
            Either::Left(policy) => policy.fits(members),
            Either::Right(policy) => policy.fits(members),
        }
    }
}

impl<A: PolicySet, B: PolicySet> PolicySet for Either<A, B> {
    fn described() -> Vec<(&'static str, &'static str)> {
        let mut all = A::described();
        all.extend(B::described());
        all
    }
}

impl<P> PolicySet for P
where
    P: Named + 'static,
    P::Params: Choice + Send + Sync,
{
    fn described() -> Vec<(&'static str, &'static str)> {
        vec![(P::NAME, P::SUMMARY)]
    }
}

/// Makes a policy's parameters the one choice of its name, so that `[groups.g.policy.NAME]` reads them. A third
/// argument, `fn(&Params, usize) -> Result<(), String>`, says of how many nodes a group of it can be.
///
/// ```
/// use failsim::input::{Choice, Key, Kind, Mark, Reader, Table};
/// # use failsim::policy::contract::{Bounds, Conflicts, Ctx, Design, Notice, Policy, Role, Routing, Stance};
/// # use failsim::policy::registry::Named;
/// # use failsim::system::ids::NodeId;
/// use failsim::engine::time::Span;
///
/// #[derive(Clone, Debug)]
/// struct Params {
///     heartbeat: Span,
/// }
///
/// impl Table for Params {
///     const KEYS: &'static [Key] = &[Key::new("heartbeat", Kind::SpanPositive, "Time between two heartbeats.")
///         .default("1s", Mark::Assumption, "common practice")];
///     fn read(reader: &mut Reader<'_>) -> Self {
///         Params { heartbeat: reader.span("heartbeat") }
///     }
/// }
///
/// #[derive(Clone, Debug)]
/// struct Mine;
/// # impl Policy for Mine {
/// #     const NAME: &'static str = "mine";
/// #     type Params = Params;
/// #     type Durable = ();
/// #     type Message = ();
/// #     type Beacon = ();
/// #     type Timer = ();
/// #     fn start((): &(), ctx: &mut Ctx<'_, Self>) -> Self {
/// #         ctx.beacon(ctx.params.heartbeat, ());
/// #         Mine
/// #     }
/// #     fn on_message(&mut self, _: NodeId, (): (), _: &mut Ctx<'_, Self>) {}
/// #     fn on_timer(&mut self, (): (), _: &mut Ctx<'_, Self>) {}
/// #     fn on_notice(&mut self, _: Notice<()>, _: &mut Ctx<'_, Self>) {}
/// #     fn stance(&self) -> Stance {
/// #         Stance { role: Role::Idle, accepts: None, takes: None, draining: false, reads: false, activation: 0 }
/// #     }
/// #     fn design(_: &Params, _: usize) -> Design { unreachable!("not asked for here") }
/// #     fn bounds(_: &Params, _: usize) -> Bounds { unreachable!("not asked for here") }
/// # }
/// // … and `impl Policy for Mine`, with `const NAME: &'static str = "mine"` and `type Params = Params`.
/// failsim::choice!(Params, Mine);
///
/// impl Named for Mine {
///     const SUMMARY: &'static str = "beats and does nothing else";
/// }
/// assert_eq!(Params::names(), ["mine"]);
/// assert_eq!(Params::keys("mine").unwrap()[0].name, "heartbeat");
/// assert!(Params::keys("yours").is_none());
/// ```
#[macro_export]
macro_rules! choice {
    ($params:ty, $policy:ty) => {
        $crate::choice!($params, $policy, |_: &$params, _: usize| Ok(()));
    };
    ($params:ty, $policy:ty, $fits:expr) => {
        impl $crate::input::Choice for $params {
            fn names() -> Vec<&'static str> {
                vec![<$policy as $crate::policy::contract::Policy>::NAME]
            }
            fn keys(name: &str) -> Option<&'static [$crate::input::Key]> {
                (name == <$policy as $crate::policy::contract::Policy>::NAME)
                    .then_some(<$params as $crate::input::Table>::KEYS)
            }
            fn read(name: &str, reader: &mut $crate::input::Reader<'_>) -> Option<Self> {
                (name == <$policy as $crate::policy::contract::Policy>::NAME)
                    .then(|| <$params as $crate::input::Table>::read(reader))
            }
            fn fits(&self, members: usize) -> Result<(), String> {
                let fits: fn(&$params, usize) -> Result<(), String> = $fits;
                fits(self, members)
            }
        }
    };
}

struct ToLeft<'a, A: Policy, B: Policy>(&'a mut dyn Out<Either<A, B>>);
struct ToRight<'a, A: Policy, B: Policy>(&'a mut dyn Out<Either<A, B>>);

/// The same command for the `Either` that holds the policy.
macro_rules! wrap {
    ($command:expr, $side:path) => {
        match $command {
            Command::Send(to, message) => Command::Send(to, $side(message)),
            Command::Arm(timer, clock, after) => Command::Arm($side(timer), clock, after),
            Command::Disarm(timer) => Command::Disarm($side(timer)),
            Command::Persist(durable) => Command::Persist($side(durable)),
            Command::Watch(peer, watching) => Command::Watch(peer, watching),
            Command::Beacon(every, content) => Command::Beacon(every, $side(content)),
            Command::Replicate(to, copying) => Command::Replicate(to, copying),
            Command::StopReplicating => Command::StopReplicating,
            Command::Fence(peer) => Command::Fence(peer),
            Command::Step(phase) => Command::Step(phase),
            Command::Surrender(winner) => Command::Surrender(winner),
        }
    };
}

impl<A: Policy, B: Policy> Out<A> for ToLeft<'_, A, B> {
    fn command(&mut self, command: Command<A>) {
        self.0.command(wrap!(command, Either::Left));
    }
}

impl<A: Policy, B: Policy> Out<B> for ToRight<'_, A, B> {
    fn command(&mut self, command: Command<B>) {
        self.0.command(wrap!(command, Either::Right));
    }
}

fn narrow<B: Copy, L: Copy>(notice: Notice<B>, to: impl Fn(B) -> Option<L>) -> Option<Notice<L>> {
    Some(match notice {
        Notice::Suspect { peer, by } => Notice::Suspect { peer, by },
        Notice::Back { peer, by } => Notice::Back { peer, by },
        Notice::Heard { peer, beacon, trust } => Notice::Heard { peer, beacon: to(beacon)?, trust },
        Notice::InStep { peer, source } => Notice::InStep { peer, source },
        Notice::OutOfStep { peer } => Notice::OutOfStep { peer },
        Notice::Fenced { peer, worked } => Notice::Fenced { peer, worked },
        Notice::Changeover { to } => Notice::Changeover { to },
    })
}

impl<A: Policy, B: Policy> Policy for Either<A, B> {
    const NAME: &'static str = "either";
    type Params = Either<A::Params, B::Params>;
    type Durable = Either<A::Durable, B::Durable>;
    type Message = Either<A::Message, B::Message>;
    type Beacon = Either<A::Beacon, B::Beacon>;
    type Timer = Either<A::Timer, B::Timer>;

    fn start(durable: &Self::Durable, ctx: &mut Ctx<'_, Self>) -> Self {
        let (facts, params, stream, out) = ctx.parts();
        match params {
            Either::Left(params) => {
                let durable = if let Either::Left(d) = durable { d.clone() } else { A::Durable::default() };
                let mut out = ToLeft(out);
                Either::Left(A::start(&durable, &mut Ctx::new(facts, params, stream, &mut out)))
            }
            Either::Right(params) => {
                let durable = if let Either::Right(d) = durable { d.clone() } else { B::Durable::default() };
                let mut out = ToRight(out);
                Either::Right(B::start(&durable, &mut Ctx::new(facts, params, stream, &mut out)))
            }
        }
    }

    fn on_message(&mut self, from: NodeId, message: Self::Message, ctx: &mut Ctx<'_, Self>) {
        let (facts, params, stream, out) = ctx.parts();
        match (self, params, message) {
            (Either::Left(policy), Either::Left(params), Either::Left(message)) => {
                policy.on_message(from, message, &mut Ctx::new(facts, params, stream, &mut ToLeft(out)));
            }
            (Either::Right(policy), Either::Right(params), Either::Right(message)) => {
                policy.on_message(from, message, &mut Ctx::new(facts, params, stream, &mut ToRight(out)));
            }
            _ => {}
        }
    }

    fn on_timer(&mut self, timer: Self::Timer, ctx: &mut Ctx<'_, Self>) {
        let (facts, params, stream, out) = ctx.parts();
        match (self, params, timer) {
            (Either::Left(policy), Either::Left(params), Either::Left(timer)) => {
                policy.on_timer(timer, &mut Ctx::new(facts, params, stream, &mut ToLeft(out)));
            }
            (Either::Right(policy), Either::Right(params), Either::Right(timer)) => {
                policy.on_timer(timer, &mut Ctx::new(facts, params, stream, &mut ToRight(out)));
            }
            _ => {}
        }
    }

    #[inline]
    fn on_notice(&mut self, notice: Notice<Self::Beacon>, ctx: &mut Ctx<'_, Self>) {
        let (facts, params, stream, out) = ctx.parts();
        match (self, params) {
            (Either::Left(policy), Either::Left(params)) => {
                let beacon = |b| if let Either::Left(b) = b { Some(b) } else { None };
                let Some(notice) = narrow(notice, beacon) else { return };
                policy.on_notice(notice, &mut Ctx::new(facts, params, stream, &mut ToLeft(out)));
            }
            (Either::Right(policy), Either::Right(params)) => {
                let beacon = |b| if let Either::Right(b) = b { Some(b) } else { None };
                let Some(notice) = narrow(notice, beacon) else { return };
                policy.on_notice(notice, &mut Ctx::new(facts, params, stream, &mut ToRight(out)));
            }
            _ => {}
        }
    }

    #[inline]
    fn stance(&self) -> Stance {
        match self {
            Either::Left(policy) => policy.stance(),
            Either::Right(policy) => policy.stance(),
        }
    }

    fn design(params: &Self::Params, members: usize) -> Design {
        match params {
            Either::Left(params) => A::design(params, members),
            Either::Right(params) => B::design(params, members),
        }
    }

    fn bounds(params: &Self::Params, members: usize) -> Bounds {
        match params {
            Either::Left(params) => A::bounds(params, members),
            Either::Right(params) => B::bounds(params, members),
        }
    }
}

/// A table without keys.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Nothing;

impl Table for Nothing {
    const KEYS: &'static [Key] = &[];
    fn read(_: &mut Reader<'_>) -> Self {
        Nothing
    }
}

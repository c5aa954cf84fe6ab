//! The tables about work and promises: clients, field devices, planned work, objectives.

use crate::engine::dist::Law;
use crate::engine::time::Span;
use crate::input::source::Name;
use crate::input::values::ArrivalsValue;
use crate::input::{Key, Kind, Mark, Reader, Table};
use crate::system::spec::{AvailabilityTarget, Content, DuringDual, Objectives};

const SITE: Key = Key::new("site", Kind::Name("a site"), "Where it is; left out: it reaches every node.");
const TO: Key = Key::new("to", Kind::Name("a group"), "The group it uses.").required();
const ARRIVALS: Key = Key::new("arrivals", Kind::Arrivals,
    "\"poisson\", \"fixed\" (equal distances, the first after half of one) or a file with the times of a trace. What has a \
     rate above zero comes at each of these times, writes and reads alike; the rate itself then serves only where a mean \
     is asked for: what a `bandwidth` has to carry, and on how many points two histories meet in a merge.")
    .neutral("poisson");
const REACH: Key = Key::new(
    "reach",
    Kind::NameMap("a node", "a link"),
    "The link that carries it to each node; a node left out is always reached. Requests at aggregate fidelity feel \
     only whether it is open, those at request fidelity and the checks of a balancer its loss and latency as well.",
);
const RECONNECT: Key = Key::new(
    "reconnect",
    Kind::Law,
    "From a new active node being ready until it is found.",
)
.default("0s", Mark::Assumption, "no extra time");
const DEADLINE: Key =
    Key::new("deadline", Kind::Span, "An interruption shorter than this is not noticed.").neutral("0s");
const WRITE_SIZE: Key = Key::new("write_size", Kind::Size, "Bytes of one write.").default(
    "1kB",
    Mark::Assumption,
    "a typical record",
);
const DURING_DUAL: Key = Key::new("during_dual", Kind::Choice(&["both", "first", "nearest", "latest"]),
    "Which node it uses while several are active: every one, the one it used before, the one at its own site, or the \
     one that became active last.").default("first", Mark::Assumption, "it stays where it is");

const CONTENT: Key = Key::new("content", Kind::Choice(&["records", "values", "configuration"]),
    "What its writes are. A merge of two histories (Duty mode) keeps the records of both, of two values of one point \
     the later, and only the winner's configuration.").neutral("records");

/// A place without nodes.
pub struct SiteTable;

impl Table for SiteTable {
    const KEYS: &'static [Key] = &[Key::new("title", Kind::Text, "What it is.")];
    fn read(r: &mut Reader<'_>) -> Self {
        r.text_opt("title");
        SiteTable
    }
}

/// What clients and field devices have in common.
pub struct ClientTable {
    /// Where.
    pub site: Option<Name>,
    /// Group.
    pub to: Option<Name>,
    /// Writes (events) per second.
    pub writes: f64,
    /// Reads per second.
    pub reads: f64,
    /// Arrivals.
    pub arrivals: ArrivalsValue,
    /// Links to nodes.
    pub reach: Vec<(Name, Name)>,
    /// Weight.
    pub weight: f64,
    /// Deadline.
    pub deadline: Span,
    /// Time-out of an attempt.
    pub timeout: Span,
    /// Attempts in all.
    pub attempts: u32,
    /// First wait.
    pub backoff: Span,
    /// Reconnection.
    pub reconnect: Law,
    /// While several are active.
    pub during_dual: DuringDual,
    /// Buffer of a device.
    pub buffer: Span,
    /// Bytes of a write.
    pub write_bytes: f64,
    /// What its writes are.
    pub content: Content,
}

/// A trace says when, not what: something must have a rate beside it.
fn check_trace(r: &mut Reader<'_>, client: &ClientTable, rates: &str) {
    if matches!(client.arrivals, ArrivalsValue::Trace(_)) && client.writes == 0.0 && client.reads == 0.0 {
        let problem = "a trace of nothing: no rate beside it is above zero";
        r.problem_at("arrivals", problem, format!("{rates} above zero, for what comes at these times"));
    }
}

fn content(name: &str) -> Content {
    match name {
        "values" => Content::Values,
        "configuration" => Content::Configuration,
        _ => Content::Records,
    }
}

fn during_dual(name: &str) -> DuringDual {
    match name {
        "both" => DuringDual::Both,
        "nearest" => DuringDual::Nearest,
        "latest" => DuringDual::Latest,
        _ => DuringDual::First,
    }
}

impl Table for ClientTable {
    const KEYS: &'static [Key] = &[
        Key::new(
            "like",
            Kind::Name("another client"),
            "Takes everything of it; what stands here replaces it.",
        ),
        SITE,
        TO,
        Key::new("writes", Kind::Rate, "Writes per time.").neutral("0/s"),
        Key::new("reads", Kind::Rate, "Reads per time.").neutral("0/s"),
        ARRIVALS,
        REACH,
        Key::new(
            "weight",
            Kind::Number(0.0, f64::INFINITY),
            "Its share in the service, relative to the others'.",
        )
        .neutral("1"),
        DEADLINE,
        Key::new("timeout", Kind::SpanPositive, "An attempt is given up after this (requests fidelity).")
            .default("5s", Mark::Assumption, "a common client setting"),
        Key::new("attempts", Kind::Count(1, 1000), "Attempts in all (requests fidelity).")
            .default("3", Mark::Assumption, "a common client setting")
            .excludes(&["retries"]),
        Key::new("retries", Kind::Count(0, 999), "Attempts after the first: one less than `attempts`.")
            .excludes(&["attempts"]),
        Key::new("backoff", Kind::Span, "Wait before the second attempt, doubled for each further one.")
            .default("1s", Mark::Assumption, "a common client setting"),
        RECONNECT,
        DURING_DUAL,
        CONTENT,
        WRITE_SIZE,
    ];
    fn read(r: &mut Reader<'_>) -> Self {
        let retries = r.count_opt("retries").map(|retries| retries.saturating_add(1));
        let attempts = r.count("attempts");
        let client = ClientTable {
            site: r.name("site"),
            to: r.name("to"),
            writes: r.rate("writes"),
            reads: r.rate("reads"),
            arrivals: r.arrivals("arrivals"),
            reach: r.name_map("reach"),
            weight: r.number("weight"),
            deadline: r.span("deadline"),
            timeout: r.span("timeout"),
            attempts: u32::try_from(retries.unwrap_or(attempts)).unwrap_or(1),
            backoff: r.span("backoff"),
            reconnect: r.law("reconnect"),
            during_dual: during_dual(r.choice("during_dual")),
            buffer: Span::ZERO,
            write_bytes: r.size("write_size"),
            content: content(r.choice("content")),
        };
        check_trace(r, &client, "`writes`, `reads` or both");
        client
    }
}

/// Field devices: clients that only write and do not count for availability.
pub struct FieldTable(pub ClientTable);

impl Table for FieldTable {
    const KEYS: &'static [Key] = &[
        Key::new(
            "like",
            Kind::Name("another field device"),
            "Takes everything of it; what stands here replaces it.",
        ),
        SITE,
        TO,
        Key::new("events", Kind::Rate, "Events per time.").required(),
        ARRIVALS,
        REACH,
        DEADLINE,
        RECONNECT,
        DURING_DUAL,
        Key::new(
            "buffer",
            Kind::Span,
            "How long a device keeps events it could not deliver, and those it can give again.",
        )
        .neutral("0s"),
        CONTENT,
        WRITE_SIZE,
    ];
    fn read(r: &mut Reader<'_>) -> Self {
        let client = ClientTable {
            site: r.name("site"),
            to: r.name("to"),
            writes: r.rate("events"),
            reads: 0.0,
            arrivals: r.arrivals("arrivals"),
            reach: r.name_map("reach"),
            weight: 0.0,
            deadline: r.span("deadline"),
            timeout: Span::NEVER,
            attempts: 1,
            backoff: Span::ZERO,
            reconnect: r.law("reconnect"),
            during_dual: during_dual(r.choice("during_dual")),
            buffer: r.span("buffer"),
            write_bytes: r.size("write_size"),
            content: content(r.choice("content")),
        };
        check_trace(r, &client, "`events`");
        FieldTable(client)
    }
}

/// Planned work.
pub struct MaintenanceTable {
    /// The nodes.
    pub nodes: Vec<Name>,
    /// From the end of one round to the next.
    pub every: Law,
    /// Time per node.
    pub duration: Law,
    /// From the end of the work on one node to the next.
    pub pause: Law,
    /// Whether the role is moved first.
    pub changeover: bool,
}

impl Table for MaintenanceTable {
    const KEYS: &'static [Key] = &[
        Key::new("nodes", Kind::Names("a node"), "The nodes it stops, one after the other.").required(),
        Key::new("every", Kind::Law, "From the end of one round to the start of the next.").required(),
        Key::new("duration", Kind::Law, "How long each node is down.").required(),
        Key::new(
            "pause",
            Kind::Law,
            "From the end of the work on one node to the start of it on the next: until that one is back in service and \
             somebody has looked. Shorter than a start it takes one node after the other away.",
        )
        .default("15m", Mark::Assumption, "boot, warm-up and a look at it"),
        Key::new(
            "changeover",
            Kind::Flag,
            "Whether the active role is moved away first. The work waits for that, 5 minutes at most: so long, too, \
             where nobody can take the role.",
        )
        .default("true", Mark::Assumption, "good practice"),
    ];
    fn read(r: &mut Reader<'_>) -> Self {
        MaintenanceTable {
            nodes: r.names("nodes"),
            every: r.law("every"),
            duration: r.law("duration"),
            pause: r.law("pause"),
            changeover: r.flag("changeover"),
        }
    }
}

/// Changeovers by an operator.
pub struct ChangeoverTable {
    /// The group.
    pub group: Option<Name>,
    /// Time between two.
    pub every: Law,
}

impl Table for ChangeoverTable {
    const KEYS: &'static [Key] = &[
        Key::new("group", Kind::Name("a group"), "Whose active role is moved.").required(),
        Key::new("every", Kind::Law, "Time between two.").required(),
    ];
    fn read(r: &mut Reader<'_>) -> Self {
        ChangeoverTable { group: r.name("group"), every: r.law("every") }
    }
}

/// Objectives.
#[derive(Default)]
pub struct ObjectivesTable(pub Objectives);

impl Table for ObjectivesTable {
    const KEYS: &'static [Key] = &[
        Key::new(
            "availability",
            Kind::Table(TargetTable::KEYS),
            "A target of availability in each window of time.",
        ),
        Key::new("rto", Kind::SpanPositive, "Longest acceptable outage."),
        Key::new("rpo", Kind::Span, "Longest acceptable age of lost data."),
        Key::new("staleness", Kind::SpanPositive, "Reads older than this are stale."),
    ];
    fn read(r: &mut Reader<'_>) -> Self {
        ObjectivesTable(Objectives {
            availability: r.table_opt::<TargetTable>("availability").map(|target| target.0),
            rto: r.span_opt("rto"),
            rpo: r.span_opt("rpo"),
            staleness: r.span_opt("staleness"),
        })
    }
}

/// A target of availability.
pub struct TargetTable(pub AvailabilityTarget);

impl Table for TargetTable {
    const KEYS: &'static [Key] = &[
        Key::new("target", Kind::Probability, "Share of each window in which the service is up.").required(),
        Key::new("window", Kind::SpanPositive, "Length of a window; they follow each other from the start.")
            .default("30d", Mark::Assumption, "a usual agreement"),
        Key::new("exclude", Kind::Choices(&["planned"]), "Downtime that does not count.").neutral("[]"),
    ];
    fn read(r: &mut Reader<'_>) -> Self {
        TargetTable(AvailabilityTarget {
            target: r.probability("target"),
            window: r.span("window"),
            exclude_planned: !r.choices("exclude").is_empty(),
        })
    }
}

//! The tables of a model file: the whole file, nodes, links, paths, groups. Names are still names here; `build`
//! resolves them.

use super::schema_faults::{CrewTable, FailureTable, LinkFailureTable, SharedTable};
use super::schema_work::{
    ChangeoverTable, ClientTable, FieldTable, MaintenanceTable, ObjectivesTable, SiteTable,
};
use crate::engine::dist::Law;
use crate::engine::time::Span;
use crate::input::source::Name;
use crate::input::{Choice, Key, Kind, Mark, Reader, Table};
use crate::system::bursts::Bursts;
use crate::system::spec::{Classes, Clock, PathUse};

/// The traffic classes by name.
pub const CLASSES: &[&str] = &["heartbeat", "replication", "client", "echo", "field", "all"];

/// The set that these names stand for.
pub fn classes(names: &[&str]) -> Classes {
    names.iter().fold(Classes(0), |set, name| {
        set.union(match *name {
            "heartbeat" => Classes::HEARTBEAT,
            "replication" => Classes::REPLICATION,
            "client" => Classes::CLIENT,
            "echo" => Classes::ECHO,
            "field" => Classes::FIELD,
            _ => Classes::ALL,
        })
    })
}

/// The keys of a model file. The policies are an alternative whose names the program brings along.
pub const MODEL_KEYS: &[Key] = &[
    Key::new("title", Kind::Text, "One line saying what this is."),
    Key::new("sites", Kind::Named(SiteTable::KEYS), "Places without nodes; sites of nodes need no entry."),
    Key::new("nodes", Kind::Named(NodeTable::KEYS), "The hosts.").required(),
    Key::new("links", Kind::Named(LinkTable::KEYS), "What joins nodes, sites and clients."),
    Key::new("paths", Kind::Named(PathTable::KEYS), "Links used together as one connection."),
    Key::new("shared", Kind::Named(SharedTable::KEYS), "Common causes: what fails together."),
    Key::new("crews", Kind::Named(CrewTable::KEYS), "People who repair, where they are few."),
    Key::new("groups", Kind::Named(GROUP_KEYS), "Nodes that run one policy together.").required(),
    Key::new("clients", Kind::Named(ClientTable::KEYS), "Those the service is for."),
    Key::new("field", Kind::Named(FieldTable::KEYS), "Field devices, whose events the active node collects."),
    Key::new("maintenance", Kind::Named(MaintenanceTable::KEYS), "Planned work on nodes."),
    Key::new("changeovers", Kind::Named(ChangeoverTable::KEYS), "Changeovers ordered by an operator."),
    Key::new("objectives", Kind::Table(ObjectivesTable::KEYS), "What the service has promised."),
    Key::new("up_share", Kind::Probability,
        "The service is up when clients of at least this share of the weight can reach a node that accepts their \
         kind of work.").neutral("100%"),
    Key::new("merge_gap", Kind::Span,
        "Outages, and split-brain windows, closer together than this count as one; downtime itself is never merged.")
        .default("0s", Mark::Neutral, "not merged"),
    Key::new("cut_in_flight", Kind::Choice(&["lost", "arrive"]),
        "What becomes of messages under way when their link is cut. Messages of a sender that crashes arrive; \
         messages sent while the link is down are lost unless the protocol retries.")
        .default("lost", Mark::Assumption, "a link that fails takes what it carries with it"),
    Key::new("outage_cost", Kind::Number(0.0, f64::INFINITY), "What an hour of outage costs."),
];

/// The keys of a group.
pub const GROUP_KEYS: &[Key] = &[
    Key::new("nodes", Kind::Names("a node"), "Its nodes in order of preference.").required(),
    Key::new(
        "ping_hosts",
        Kind::NamesOrNone("a node"),
        "Further hosts that its nodes may ping, to tell a dead peer from being cut off themselves. A host answers once \
         its `start` is over.",
    )
    .neutral("[]"),
    Key::new("policy", Kind::Alternatives, "The protocol they run, `[groups.NAME.policy.POLICY]`.")
        .required(),
];

/// A whole model file as written.
pub struct ModelTable<P> {
    /// Title.
    pub title: String,
    /// Declared sites.
    pub sites: Vec<(Name, SiteTable)>,
    /// Nodes.
    pub nodes: Vec<(Name, NodeTable)>,
    /// Links.
    pub links: Vec<(Name, LinkTable)>,
    /// Paths.
    pub paths: Vec<(Name, PathTable)>,
    /// Common causes.
    pub shared: Vec<(Name, SharedTable)>,
    /// Crews.
    pub crews: Vec<(Name, CrewTable)>,
    /// Groups.
    pub groups: Vec<(Name, GroupTable<P>)>,
    /// Clients.
    pub clients: Vec<(Name, ClientTable)>,
    /// Field devices.
    pub field: Vec<(Name, FieldTable)>,
    /// Maintenance.
    pub maintenance: Vec<(Name, MaintenanceTable)>,
    /// Changeovers.
    pub changeovers: Vec<(Name, ChangeoverTable)>,
    /// Objectives.
    pub objectives: ObjectivesTable,
    /// Share of weight.
    pub up_share: f64,
    /// Merge gap.
    pub merge_gap: Span,
    /// Whether messages under way are lost at a cut.
    pub cut_in_flight_lost: bool,
    /// Cost of an hour.
    pub outage_cost: Option<f64>,
}

impl<P: Choice> Table for ModelTable<P> {
    const KEYS: &'static [Key] = MODEL_KEYS;
    fn read(r: &mut Reader<'_>) -> Self {
        for key in ["nodes", "groups"] {
            if r.item(key).and_then(|item| item.as_table()).is_some_and(|table| table.entries.is_empty()) {
                r.problem_at(key, format!("the model has no {key}"), "at least one");
            }
        }
        ModelTable {
            title: r.text("title"),
            sites: r.named("sites"),
            nodes: r.named("nodes"),
            links: r.named("links"),
            paths: r.named("paths"),
            shared: r.named("shared"),
            crews: r.named("crews"),
            groups: r.named("groups"),
            clients: r.named("clients"),
            field: r.named("field"),
            maintenance: r.named("maintenance"),
            changeovers: r.named("changeovers"),
            objectives: r.table_opt("objectives").unwrap_or_default(),
            up_share: r.probability("up_share"),
            merge_gap: r.span("merge_gap"),
            cut_in_flight_lost: r.choice("cut_in_flight") == "lost",
            outage_cost: r.number_opt("outage_cost"),
        }
    }
}

/// A node.
pub struct NodeTable {
    /// Where it stands.
    pub site: Option<Name>,
    /// From power-on to taking a role.
    pub start: Law,
    /// From a process crash's repair to taking a role.
    pub restart: Law,
    /// Clocks.
    pub clock: Clock,
    /// Failure modes.
    pub failures: Vec<(Name, FailureTable)>,
    /// Further processes.
    pub processes: Vec<Name>,
    /// Hazard of an unpowered standby.
    pub dormancy: f64,
    /// Its monotonic clock stands still in a pause.
    pub freezes: bool,
    /// Who repairs it.
    pub crew: Option<Name>,
    /// Station.
    pub station: Option<StationTable>,
    /// Cost a year.
    pub cost: Option<f64>,
}

impl Table for NodeTable {
    const KEYS: &'static [Key] = &[
        Key::new("like", Kind::Name("another node"),
            "Takes everything of that node; what stands here replaces it."),
        Key::new("site", Kind::Name("a site"), "Where it stands; nodes of one site reach each other without a link."),
        Key::new("start", Kind::Law,
            "From power-on until a process can take a role. After a crash of the host the repair brings the hardware \
             back, then this passes, and only then does the host answer pings. A fault of the process in the \
             meantime does not hold up the boot; what is not whole by then starts with `restart`.")
            .default("5m", Mark::Checked, "operating system reboot, Trivedi's cluster examples"),
        Key::new("restart", Kind::Law, "From the end of a process fault's repair until the process can take a role.")
            .default("20s", Mark::Assumption, "automatic restart, median"),
        Key::new("clock", Kind::Table(ClockTable::KEYS), "How its clocks err."),
        Key::new("failures", Kind::Named(FailureTable::KEYS), "How it fails, each mode under a name."),
        Key::new("processes", Kind::NamesOrNone("a process"),
            "Processes besides the server itself, such as an agent; a failure's scope can name them.").neutral("[]"),
        Key::new("dormancy", Kind::Fraction,
            "Scales the hazard while it is an unpowered standby; 1: as the active's.")
            .default("1", Mark::Assumption, "as one that runs: nothing is known of the difference"),
        Key::new("timers_after_pause", Kind::Choice(&["overrun", "frozen"]),
            "What its monotonic clock does while it is paused. \"overrun\": it runs on, as for a process that waits for a \
             disk or collects garbage. When it goes on, every time-out that is over comes first, before what has waited \
             for it. \"frozen\": it stands still, as in a suspended virtual machine that does not count the time: timers, \
             time-outs of detectors and loops go on with what they had left. Wall clocks and timers on them, a boot, and \
             `patience` with a copy run on in either case.")
            .default("overrun", Mark::Assumption, "a process that stalls on a host that does not"),
        Key::new("crew", Kind::Name("a crew"), "Who repairs it; left out: it never waits for anybody."),
        Key::new("station", Kind::Table(StationTable::KEYS), "How it serves requests."),
        Key::new("cost", Kind::Number(0.0, f64::INFINITY), "What owning and running it for a year costs."),
    ];
    fn read(r: &mut Reader<'_>) -> Self {
        NodeTable {
            site: r.name("site"),
            start: r.law("start"),
            restart: r.law("restart"),
            clock: r.table::<ClockTable>("clock").0,
            failures: r.named("failures"),
            processes: r.names("processes"),
            dormancy: r.fraction("dormancy"),
            freezes: r.choice("timers_after_pause") == "frozen",
            crew: r.name("crew"),
            station: r.table_opt("station"),
            cost: r.number_opt("cost"),
        }
    }
}

/// A node's clocks.
pub struct ClockTable(pub Clock);

impl Table for ClockTable {
    const KEYS: &'static [Key] = &[
        Key::new(
            "drift",
            Kind::Probability,
            "Bound of the drift; each run draws one drift per clock, uniformly from ± this.",
        )
        .default("50ppm", Mark::Cited, "quartz: 10 to 100 ppm"),
        Key::new(
            "sync_interval",
            Kind::SpanOrNever,
            "Time between synchronisations of the wall clock, or \"never\".",
        )
        .default("1024s", Mark::Assumption, "preset: every 64 to 1024 s"),
        Key::new(
            "sync_error",
            Kind::Span,
            "Standard deviation of the wall clock's error after a synchronisation.",
        )
        .default("1ms", Mark::Assumption, "preset: residual N(0, 1 ms)"),
        Key::new("offset", Kind::Offset, "Error of the wall clock at the start of the run; may be negative.")
            .neutral("0s"),
    ];
    fn read(r: &mut Reader<'_>) -> Self {
        ClockTable(Clock {
            drift_max: r.probability("drift"),
            sync_interval: r.span("sync_interval"),
            sync_error_secs: r.span("sync_error").as_secs(),
            offset_secs: r.offset("offset"),
        })
    }
}

/// A node's service station.
pub struct StationTable {
    /// Parallel servers.
    pub servers: u32,
    /// Service time.
    pub service: Law,
    /// Places.
    pub capacity: u32,
}

impl Table for StationTable {
    const KEYS: &'static [Key] = &[
        Key::new("servers", Kind::Count(1, u32::MAX as u64), "Requests served at the same time.")
            .neutral("1"),
        Key::new("service", Kind::Law, "Time to serve one request.").required(),
        Key::new(
            "capacity",
            Kind::Count(1, u32::MAX as u64),
            "Requests waiting and in service at most; more are refused.",
        )
        .default("1000", Mark::Assumption, "a common limit of connections"),
    ];
    fn read(r: &mut Reader<'_>) -> Self {
        StationTable {
            servers: u32::try_from(r.count("servers")).unwrap_or(u32::MAX),
            service: r.law("service"),
            capacity: u32::try_from(r.count("capacity")).unwrap_or(u32::MAX),
        }
    }
}

/// A link.
pub struct LinkTable {
    /// Both directions between these.
    pub between: Option<Vec<Name>>,
    /// One direction only.
    pub from: Option<Name>,
    /// One direction only.
    pub to: Option<Name>,
    /// Delay.
    pub latency: Law,
    /// Loss.
    pub loss: f64,
    /// Bursts of loss.
    pub bursts: Option<Bursts>,
    /// Bytes per second.
    pub bandwidth: Option<f64>,
    /// Failure modes.
    pub failures: Vec<(Name, LinkFailureTable)>,
    /// Traffic.
    pub carries: Classes,
    /// Where its ends stand in the file.
    pub ends_place: crate::input::Place,
}

impl Table for LinkTable {
    const KEYS: &'static [Key] = &[
        Key::new(
            "like",
            Kind::Name("another link"),
            "Takes everything of that link; what stands here replaces it.",
        ),
        Key::new(
            "between",
            Kind::Names("a node, site or client"),
            "Its two ends; it works in both directions.",
        )
        .excludes(&["from", "to"]),
        Key::new("from", Kind::Name("a node, site or client"), "Where a link of one direction begins.")
            .excludes(&["between"]),
        Key::new("to", Kind::Name("a node, site or client"), "Where a link of one direction ends.")
            .excludes(&["between"]),
        Key::new("latency", Kind::Law, "Time a message takes, one way.").default(
            "1ms",
            Mark::Assumption,
            "between zones: 0.5 to 2 ms round trip",
        ),
        Key::new("loss", Kind::Probability, "Probability that a message is lost, each by itself.")
            .neutral("0%"),
        Key::new(
            "bursts",
            Kind::Table(BurstsTable::KEYS),
            "Bursts of loss (Gilbert-Elliott): a bad state that comes and goes, the same for both directions and all \
             traffic of the link; `loss` is then that of the good state.",
        ),
        Key::new(
            "bandwidth",
            Kind::Bandwidth,
            "What it carries; left out: no limit. It holds back copies of writes that have piled up (or arise faster), \
             at `write_size` each; where requests are events, each write takes size ÷ bandwidth longer. Messages do \
             not wait for each other otherwise, and each copy has all of it: copies to several nodes over one link, \
             or of several groups, do not share it.",
        ),
        Key::new("failures", Kind::Named(LinkFailureTable::KEYS), "How it fails, each mode under a name."),
        Key::new("carries", Kind::Choices(CLASSES), "The traffic it carries.").neutral("[\"all\"]"),
    ];
    fn read(r: &mut Reader<'_>) -> Self {
        let ends = if r.is_given("between") { "between" } else { "from" };
        LinkTable {
            between: r.names_opt("between"),
            from: r.name("from"),
            to: r.name("to"),
            latency: r.law("latency"),
            loss: r.probability("loss"),
            bursts: r.table_opt::<BurstsTable>("bursts").map(|table| table.0),
            bandwidth: r.bandwidth_opt("bandwidth"),
            failures: r.named("failures"),
            carries: classes(&r.choices("carries")),
            ends_place: r.place_of(ends),
        }
    }
}

/// Bursts of loss.
pub struct BurstsTable(pub Bursts);

impl Table for BurstsTable {
    const KEYS: &'static [Key] =
        &[
            Key::new("good", Kind::SpanPositive, "Mean length of a good state; exponential.").required(),
            Key::new("bad", Kind::SpanPositive, "Mean length of a bad state; exponential.").required(),
            Key::new("loss", Kind::Probability, "Probability that a message is lost in a bad state.")
                .default("100%", Mark::Cited, "Gilbert's and Elliott's outage model in its simplest form"),
        ];
    fn read(r: &mut Reader<'_>) -> Self {
        BurstsTable(Bursts {
            good_mean: r.span("good"),
            bad_mean: r.span("bad"),
            loss: r.probability("loss"),
        })
    }
}

/// A path.
pub struct PathTable {
    /// Its links.
    pub links: Vec<Name>,
    /// How they are used.
    pub usage: PathUse,
}

impl Table for PathTable {
    const KEYS: &'static [Key] = &[
        Key::new("links", Kind::Names("a link"), "Its links, first choice first.").required(),
        Key::new("use", Kind::Choice(&["failover", "both"]),
            "\"failover\": the next link only while those before it have failed. \"both\": every message over all of \
             them, the first copy counts.").neutral("failover"),
    ];
    fn read(r: &mut Reader<'_>) -> Self {
        PathTable {
            links: r.names("links"),
            usage: match r.choice("use") {
                "both" => PathUse::Both,
                _ => PathUse::Failover,
            },
        }
    }
}

/// A group.
pub struct GroupTable<P> {
    /// Its nodes.
    pub nodes: Vec<Name>,
    /// Hosts it may ping.
    pub ping_hosts: Vec<Name>,
    /// Its policy; `None` after a mistake.
    pub policy: Option<P>,
}

impl<P: Choice> Table for GroupTable<P> {
    const KEYS: &'static [Key] = GROUP_KEYS;
    fn read(r: &mut Reader<'_>) -> Self {
        GroupTable {
            nodes: r.names("nodes"),
            ping_hosts: r.names("ping_hosts"),
            policy: r.alternative("policy"),
        }
    }
}

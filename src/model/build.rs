//! From tables with names to the model with indexes. Checks what spans several tables: names that lead nowhere,
//! ends that do not fit, repetitions.

use super::ends::{EndNames, ends, path};
use super::names::{Names, dangling};
use super::schema::{ModelTable, NodeTable};
use super::schema_faults::{FailureTable, SharedTable};
use super::schema_work::ClientTable;
use crate::engine::time::{Instant, Span};
use crate::input::source::Name;
use crate::input::values::ArrivalsValue;
use crate::input::{Choice, Problem, Problems};
use crate::system::ids::{CrewId, GroupId, LinkId, NodeId, SiteId};
use crate::system::spec::{
    Arrivals, Changeover, Client, Crew, Failure, Group, Link, LinkFailure, Maintenance, Model, Node, Path,
    PathUse, Scope, SharedCause, Site, Station,
};

/// The names of everything in the file.
struct Known {
    nodes: Names,
    sites: Names,
    links: Names,
    crews: Names,
    groups: Names,
    clients: Names,
}

/// Makes the model. After mistakes it is incomplete and not to be used.
pub fn build<P: Choice>(file: ModelTable<P>, name: &str, problems: &mut Problems) -> Model<P> {
    let known = known(&file, problems);
    let nodes: Vec<Node> =
        file.nodes.iter().map(|(name, table)| node(name, table, &known, problems)).collect();
    let links = links(&file, &known, problems);
    let paths = paths(&file, &known, &links, problems);
    let shared =
        file.shared.iter().map(|(name, table)| shared(name, table, &nodes, &known, problems)).collect();
    let groups: Vec<Group<P>> = file
        .groups
        .iter()
        .filter_map(|(name, table)| {
            let nodes = node_ids(&table.nodes, &known, problems);
            let ping_hosts = node_ids(&table.ping_hosts, &known, problems);
            for host in table.ping_hosts.iter().filter(|host| table.nodes.iter().any(|n| n.text == host.text))
            {
                let message = format!("`{}` is a node of the group itself", host.text);
                problems.add(Problem::new(host.place.clone(), message).expected("a host outside of it"));
            }
            if let Some(beyond) = table.nodes.get(GROUP_MAX) {
                let message = format!("a group of {} nodes", table.nodes.len());
                problems.add(Problem::new(beyond.place.clone(), message).expected("64 nodes at most"));
            }
            let policy = table.policy.clone()?;
            if let (Err(needs), Some(first)) = (policy.fits(table.nodes.len()), table.nodes.first()) {
                let message = format!("a group of {} cannot run its policy", table.nodes.len());
                problems.add(Problem::new(first.place.clone(), message).expected(needs));
            }
            Some(Group { name: name.text.clone(), nodes, ping_hosts, policy })
        })
        .collect();
    refuse_nodes_of_two_groups(&file, problems);
    let members: Vec<Vec<NodeId>> = file
        .groups
        .iter()
        .map(|(_, table)| {
            table.nodes.iter().filter_map(|name| known.nodes.index(&name.text)).map(NodeId::from).collect()
        })
        .collect();
    let mut clients = Vec::new();
    let real = file.clients.iter().map(|(name, table)| (name, table, false));
    for (name, table, is_field) in real.chain(file.field.iter().map(|(name, table)| (name, &table.0, true))) {
        clients.extend(client(name, table, is_field, &known, &members, problems));
    }
    let maintenance = file
        .maintenance
        .iter()
        .map(|(name, table)| Maintenance {
            name: name.text.clone(),
            nodes: node_ids(&table.nodes, &known, problems),
            every: table.every.clone(),
            duration: table.duration.clone(),
            pause: table.pause.clone(),
            changeover: table.changeover,
        })
        .collect();
    let changeovers = file
        .changeovers
        .iter()
        .filter_map(|(name, table)| {
            let group = GroupId::from(known.groups.find(table.group.as_ref()?, problems)?);
            Some(Changeover { name: name.text.clone(), group, every: table.every.clone() })
        })
        .collect();
    Model {
        name: name.to_owned(),
        title: if file.title.is_empty() { name.to_owned() } else { file.title },
        sites: known.sites.iter().map(|name| Site { name: name.to_owned() }).collect(),
        nodes,
        links: links.into_iter().flatten().collect(),
        paths,
        shared,
        crews: file
            .crews
            .iter()
            .map(|(name, crew)| Crew { name: name.text.clone(), size: crew.size })
            .collect(),
        groups,
        clients,
        maintenance,
        changeovers,
        objectives: file.objectives.0,
        script: Vec::new(),
        quiet: false,
        up_share: file.up_share,
        merge_gap: file.merge_gap,
        cut_in_flight_lost: file.cut_in_flight_lost,
        outage_cost_per_hour: file.outage_cost,
    }
}

fn known<P>(file: &ModelTable<P>, problems: &mut Problems) -> Known {
    let mut sites = Names::of("site", &file.sites, problems);
    for (_, node) in &file.nodes {
        if let Some(site) = &node.site {
            sites.intern(&site.text);
        }
    }
    let mut clients = Names::of("client", &file.clients, problems);
    for (name, _) in &file.field {
        if clients.index(&name.text).is_some() {
            let message = format!("`{}` is a client already", name.text);
            problems.add(Problem::new(name.place.clone(), message).expected("a name of its own"));
        }
        clients.intern(&name.text);
    }
    Known {
        nodes: Names::of("node", &file.nodes, problems),
        sites,
        links: Names::of("link", &file.links, problems),
        crews: Names::of("crew", &file.crews, problems),
        groups: Names::of("group", &file.groups, problems),
        clients,
    }
}

fn node_ids(names: &[Name], known: &Known, problems: &mut Problems) -> Vec<NodeId> {
    names.iter().filter_map(|name| known.nodes.find(name, problems)).map(NodeId::from).collect()
}

fn node(name: &Name, table: &NodeTable, known: &Known, problems: &mut Problems) -> Node {
    let processes: Vec<String> = table.processes.iter().map(|process| process.text.clone()).collect();
    for process in &table.processes {
        if ["host", "process"].contains(&process.text.as_str()) {
            let message = format!("`{}` has a meaning of its own as a scope", process.text);
            problems.add(Problem::new(process.place.clone(), message).expected("another name"));
        }
    }
    let site = table.site.as_ref().and_then(|site| known.sites.index(&site.text)).map(SiteId::from);
    let crew = table.crew.as_ref().and_then(|crew| known.crews.find(crew, problems)).map(CrewId::from);
    Node {
        name: name.text.clone(),
        site,
        start: table.start.clone(),
        restart: table.restart.clone(),
        clock: table.clock.clone(),
        failures: failures(&table.failures, &processes, problems),
        processes,
        dormancy: table.dormancy,
        freezes: table.freezes,
        crew,
        station: table.station.as_ref().map(|station| Station {
            servers: station.servers,
            service: station.service.clone(),
            capacity: station.capacity,
        }),
        cost_per_year: table.cost,
    }
}

/// Members are kept as sets of 64 bits.
const GROUP_MAX: usize = 64;

/// A node runs the program of one group.
fn refuse_nodes_of_two_groups<P: Choice>(file: &ModelTable<P>, problems: &mut Problems) {
    let mut taken: Vec<(&str, &str)> = Vec::new();
    for (group, table) in &file.groups {
        for node in &table.nodes {
            match taken.iter().find(|(other, of)| *other == node.text && *of != group.text) {
                Some((_, of)) => {
                    let message = format!("`{}` is in the group `{of}` already", node.text);
                    let problem = Problem::new(node.place.clone(), message);
                    problems
                        .add(problem.expected("a node of its own: one node runs the program of one group"));
                }
                None => taken.push((&node.text, &group.text)),
            }
        }
    }
}

/// Failure modes; those that never occur are left out.
fn failures(tables: &[(Name, FailureTable)], processes: &[String], problems: &mut Problems) -> Vec<Failure> {
    let mut list = Vec::new();
    for (name, table) in tables {
        let Some(scope) = scope(&table.scope, processes, problems) else { continue };
        let Some(law) = &table.occurrence.time_to_failure else { continue };
        list.push(Failure {
            name: name.text.clone(),
            effect: table.effect,
            scope,
            time_to_failure: law.clone(),
            duration: table.occurrence.duration.clone(),
        });
    }
    list
}

/// The scope of a name: `host`, `process` or one of a node's processes.
pub fn scope(name: &Name, processes: &[String], problems: &mut Problems) -> Option<Scope> {
    match name.text.as_str() {
        "host" => Some(Scope::Host),
        "process" => Some(Scope::Process),
        other => {
            let index = processes.iter().position(|process| process == other);
            if index.is_none() {
                let all = || ["host", "process"].into_iter().chain(processes.iter().map(String::as_str));
                let problem = Problem::new(name.place.clone(), format!("no process is called `{other}`"));
                let expected = format!("one of {}", all().collect::<Vec<_>>().join(", "));
                problems.add(problem.expected(expected).nearest(other, all()));
            }
            index.map(|index| Scope::Named(u16::try_from(index).unwrap_or(u16::MAX)))
        }
    }
}

fn links<P>(file: &ModelTable<P>, known: &Known, problems: &mut Problems) -> Vec<Option<Link>> {
    let names = EndNames { nodes: &known.nodes, sites: &known.sites, clients: &known.clients };
    file.links
        .iter()
        .map(|(name, table)| {
            let (ends, direction) = ends(name, table, &names, problems)?;
            let failures = table.failures.iter().filter_map(|(name, failure)| {
                Some(LinkFailure {
                    name: name.text.clone(),
                    time_to_failure: failure.occurrence.time_to_failure.clone()?,
                    duration: failure.occurrence.duration.clone(),
                    classes: failure.classes,
                    direction: failure.direction,
                })
            });
            Some(Link {
                name: name.text.clone(),
                ends,
                direction,
                latency: table.latency.clone(),
                loss: table.loss,
                bursts: table.bursts,
                bandwidth: table.bandwidth,
                failures: failures.collect(),
                carries: table.carries,
            })
        })
        .collect()
}

/// Declared paths, and a path for each link that none of them names, in the order of the file.
fn paths<P>(
    file: &ModelTable<P>,
    known: &Known,
    links: &[Option<Link>],
    problems: &mut Problems,
) -> Vec<Path> {
    let mut list: Vec<(usize, Path)> = Vec::new();
    for (name, table) in &file.paths {
        if known.links.index(&name.text).is_some() {
            let message = format!("`{}` is a link already", name.text);
            problems.add(Problem::new(name.place.clone(), message).expected("a name of its own"));
        }
        list.extend(
            path(name, table, &known.links, links, problems).map(|path| (name.place.span.start, path)),
        );
    }
    for (index, (name, _)) in file.links.iter().enumerate().take(usize::from(u16::MAX)) {
        let id = LinkId::from(index);
        if !list.iter().any(|(_, path)| path.links.contains(&id)) {
            let path = Path { name: name.text.clone(), links: vec![id], usage: PathUse::Failover };
            list.push((name.place.span.start, path));
        }
    }
    list.sort_by_key(|(start, _)| *start);
    list.into_iter().map(|(_, path)| path).collect()
}

fn shared(
    name: &Name,
    table: &SharedTable,
    all: &[Node],
    known: &Known,
    problems: &mut Problems,
) -> SharedCause {
    let (mut nodes, mut links) = (Vec::new(), Vec::new());
    for member in &table.members {
        let node = known.nodes.index(&member.text).map(NodeId::from);
        let link = known.links.index(&member.text).map(LinkId::from);
        let site = known.sites.index(&member.text).map(SiteId::from);
        match (node, link, site) {
            (Some(node), None, None) => nodes.push(node),
            (None, Some(link), None) => links.push(link),
            (None, None, Some(site)) => {
                let here = all.iter().enumerate().filter(|(_, node)| node.site == Some(site));
                nodes.extend(here.map(|(index, _)| NodeId::from(index)));
            }
            (None, None, None) => {
                let kinds = [&known.nodes, &known.links, &known.sites];
                problems.add(dangling("node, link or site", member, &kinds));
            }
            _ => {
                let message = format!("`{}` is the name of several things", member.text);
                problems.add(
                    Problem::new(member.place.clone(), message).expected("a name with one meaning here"),
                );
            }
        }
    }
    nodes.sort_unstable();
    nodes.dedup();
    SharedCause { name: name.text.clone(), nodes, links, failures: failures(&table.failures, &[], problems) }
}

fn client(
    name: &Name,
    table: &ClientTable,
    is_field: bool,
    known: &Known,
    members: &[Vec<NodeId>],
    problems: &mut Problems,
) -> Option<Client> {
    let site = match &table.site {
        Some(site) => {
            let found = known.sites.index(&site.text);
            if found.is_none() {
                let problem = dangling("site", site, &[&known.sites]);
                problems.add(
                    problem.help(format!("a site without nodes is declared by `[sites.{}]`", site.text)),
                );
            }
            found.map(SiteId::from)
        }
        None => None,
    };
    let group = table.to.as_ref().and_then(|to| known.groups.find(to, problems));
    let mut reach = Vec::new();
    for (node, link) in &table.reach {
        let (id, link) = (known.nodes.find(node, problems), known.links.find(link, problems));
        let (Some(id), Some(link)) = (id.map(NodeId::from), link.map(LinkId::from)) else { continue };
        if let Some(members) = group.and_then(|group| members.get(group))
            && !members.contains(&id)
        {
            let message = format!("`{}` is no node of the group that `{}` uses", node.text, name.text);
            problems.add(Problem::new(node.place.clone(), message).expected("a node of that group"));
        }
        reach.push((id, link));
    }
    Some(Client {
        name: name.text.clone(),
        is_field,
        site,
        to: GroupId::from(group?),
        write_rate: table.writes,
        read_rate: table.reads,
        arrivals: match &table.arrivals {
            ArrivalsValue::Poisson => Arrivals::Poisson,
            ArrivalsValue::Fixed => Arrivals::Fixed,
            // Books hold what comes after the start of a range: an entry at the very start of the run comes one
            // nanosecond after it.
            ArrivalsValue::Trace(secs) => Arrivals::Trace(
                secs.iter()
                    .map(|secs| Instant::ZERO + Span::from_secs_saturating(*secs).max(Span::from_nanos(1)))
                    .collect(),
            ),
        },
        reach,
        weight: table.weight,
        deadline: table.deadline,
        timeout: table.timeout,
        attempts: table.attempts,
        backoff: table.backoff,
        reconnect: table.reconnect.clone(),
        during_dual: table.during_dual,
        buffer: table.buffer,
        write_bytes: table.write_bytes,
        content: table.content,
    })
}

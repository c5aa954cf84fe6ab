//! What names mean where several kinds are allowed: ends of links, members of common causes, and whether the links
//! of a path fit together.

use super::names::{Names, dangling};
use super::schema::{LinkTable, PathTable};
use crate::input::source::Name;
use crate::input::{Problem, Problems};
use crate::system::ids::{ClientId, LinkId, NodeId, SiteId};
use crate::system::spec::{Direction, End, Link, Path};

/// The names that an end of a link can have.
pub struct EndNames<'a> {
    /// Nodes.
    pub nodes: &'a Names,
    /// Sites.
    pub sites: &'a Names,
    /// Clients, then field devices.
    pub clients: &'a Names,
}

impl EndNames<'_> {
    fn find(&self, name: &Name, problems: &mut Problems) -> Option<End> {
        let text = &name.text;
        let found: Vec<(&str, End)> = [
            self.nodes.index(text).map(|index| ("a node", End::Node(NodeId::from(index)))),
            self.sites.index(text).map(|index| ("a site", End::Site(SiteId::from(index)))),
            self.clients.index(text).map(|index| ("a client", End::Client(ClientId::from(index)))),
        ]
        .into_iter()
        .flatten()
        .collect();
        match found.as_slice() {
            [] => {
                problems.add(dangling("node, site or client", name, &[self.nodes, self.sites, self.clients]));
                None
            }
            [(_, end)] => Some(*end),
            [(first, _), (second, _), ..] => {
                let message = format!("`{text}` is {first} and {second}");
                problems
                    .add(Problem::new(name.place.clone(), message).expected("a name with one meaning here"));
                None
            }
        }
    }
}

/// The two ends of a link and its direction.
pub fn ends(
    name: &Name,
    table: &LinkTable,
    known: &EndNames<'_>,
    problems: &mut Problems,
) -> Option<([End; 2], Direction)> {
    let (first, second, direction) = match (&table.between, &table.from, &table.to) {
        (Some(list), ..) => match list.as_slice() {
            [first, second] => (first, second, Direction::Both),
            // A repeated name was reported and dropped when the list was read.
            [_] => {
                let problem = Problem::new(table.ends_place.clone(), "a link has two different ends");
                problems.add(problem.expected("two names"));
                return None;
            }
            [] => return None,
            [_, _, third, ..] => {
                let problem = Problem::new(third.place.clone(), "a link has two ends");
                problems.add(problem.expected("two names"));
                return None;
            }
        },
        (None, Some(first), Some(second)) => (first, second, Direction::Forward),
        _ => {
            let message = format!("`links.{}` does not say what it joins", name.text);
            let problem = Problem::new(name.place.clone(), message).derived();
            problems.add(problem.expected("`between = [\"a\", \"b\"]`, or `from` and `to`"));
            return None;
        }
    };
    let ends = (known.find(first, problems), known.find(second, problems));
    let (Some(one), Some(two)) = ends else { return None };
    if one == two {
        let problem = Problem::new(second.place.clone(), "a link has two different ends");
        problems.add(problem.expected(format!("another name than `{}`", first.text)));
    }
    Some(([one, two], direction))
}

/// A declared path.
pub fn path(
    name: &Name,
    table: &PathTable,
    known: &Names,
    links: &[Option<Link>],
    problems: &mut Problems,
) -> Option<Path> {
    let mut ids: Vec<LinkId> = Vec::new();
    let mut joined: Vec<[End; 2]> = Vec::new();
    for written in &table.links {
        let Some(index) = known.find(written, problems) else { continue };
        ids.push(LinkId::from(index));
        let Some(Some(link)) = links.get(index) else { continue };
        let fits = joined.first().is_none_or(|first| link.ends.iter().all(|end| first.contains(end)));
        if !fits {
            let message = format!("`{}` does not fit into the path `{}`", written.text, name.text);
            let expected = "a link between the same two ends as the first";
            problems.add(Problem::new(written.place.clone(), message).expected(expected));
        }
        joined.push(link.ends);
    }
    (!ids.is_empty()).then(|| Path { name: name.text.clone(), links: ids, usage: table.usage })
}

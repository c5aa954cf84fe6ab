//! One test for each kind of mistake: place, caret, expectation, nearest name.

use super::{SCADA, read, says, shown, with};
use crate::model::Override;

fn broken(from: &str, to: &str) -> String {
    assert!(SCADA.contains(from), "the file has no `{from}`");
    shown(&SCADA.replacen(from, to, 1))
}

#[test]
fn unknown_key() {
    let message = broken("loss = \"0.1%\"", "los = \"0.1%\"");
    says(
        &message,
        &[
            "error: unknown key `los` in `links.wan`",
            "pair.toml:17:1",
            "17 | los = \"0.1%\"",
            "^^^ expected one of like, between, from, to, latency, loss",
            "did you mean `loss`?",
        ],
    );
}

#[test]
fn wrong_unit() {
    let message = broken("deadline = \"5s\"", "deadline = \"5 sek\"");
    says(
        &message,
        &[
            "`sek` is not a unit of time",
            "pair.toml:47:15",
            "47 | deadline = \"5 sek\"",
            "^^^ expected a time such as `250ms`, `1h 30m` or `10y` (ns, us, ms, s, m, h, d, w, month, y)",
            "did you mean `sec`?",
        ],
    );
}

#[test]
fn negative_and_nan_rate() {
    says(
        &broken("writes = \"2/s\"", "writes = \"-2/s\""),
        &["a rate cannot be negative in `writes`", "pair.toml:45:11", "^^ expected a rate such as `2/month`"],
    );
    says(
        &broken("rate = \"3/year\"", "rate = \"nan/year\""),
        &["not a number in `rate`", "pair.toml:18:26", "^^^ expected a rate such as"],
    );
    says(&broken("rate = \"3/year\"", "rate = nan"), &["a number is no value for `rate`", "pair.toml:18:25"]);
    says(
        &broken("rate = \"3/year\"", "rate = 3"),
        &["a whole number is no value for `rate`", "it needs a unit"],
    );
}

#[test]
fn a_lognormal_that_no_parameters_fit() {
    let message = broken("{ median = \"1h\", p95 = \"8h\" }", "{ mean = \"1h\", p95 = \"8h\" }");
    says(
        &message,
        &[
            "pair.toml:18:81",
            "^^^^ expected more than the mean and at most 3.868 times the mean",
            "the 95 % quantile of a lognormal is at most 3.868 times its mean",
        ],
    );
    let message = broken("{ median = \"1h\", p95 = \"8h\" }", "{ median = \"1h\", p95 = \"30m\" }");
    says(&message, &["expected more than the median `1h`"]);
}

#[test]
fn dangling_node_name() {
    let message = broken("nodes = [\"a\", \"b\"]", "nodes = [\"a\", \"bb\"]");
    says(
        &message,
        &["no node is called `bb`", "pair.toml:38:16", "^^ expected one of a, b", "did you mean `b`?"],
    );
    let message = broken("[\"wan\", \"radio\", \"north\"]", "[\"wam\", \"radio\", \"nroth\"]");
    says(
        &message,
        &["no node, link or site is called `wam`", "did you mean `wan`?", "did you mean `north`?"],
    );
    let message = broken("site = \"north\"\nto", "site = \"norht\"\nto");
    says(&message, &["no site is called `norht`", "did you mean `north`?", "[sites.norht]"]);
}

#[test]
fn duplicate_node() {
    let message = broken("[nodes.b]", "[nodes.a]");
    says(&message, &["`a` stands here twice", "pair.toml:10:8", "^ expected each name once in its table"]);
}

#[test]
fn cyclic_like() {
    let message = broken("site = \"north\"\nstart", "like = \"b\"\nstart");
    says(
        &message,
        &["`like` goes in a circle: a → b → a", "pair.toml:4:8", "^^^ expected a chain that ends"],
    );
    says(&broken("like = \"a\"", "like = \"b\""), &["circle: b → b", "pair.toml:11:8"]);
    says(
        &broken("like = \"wan\"", "like = \"wann\""),
        &["nothing here is called `wann`", "did you mean `wan`?"],
    );
}

#[test]
fn probability_over_one() {
    let message = broken("loss = \"0.1%\"", "loss = 1.5");
    says(
        &message,
        &[
            "`loss` is a probability and exceeds 1",
            "pair.toml:17:8",
            "^^^ expected a probability from 0 to 1, such as `0.1%`, `50ppm` or `0.001`",
        ],
    );
}

#[test]
fn time_over_the_limit() {
    let message = broken("rto = \"60s\"", "rto = \"600y\"");
    says(&message, &["longer than 500 years", "pair.toml:58:8", "^^^^ expected at most `500y`"]);
}

#[test]
fn unreadable_csv() {
    let message = broken("start = \"30s\"", "start = { empirical = \"none.csv\" }");
    says(
        &message,
        &["cannot read `none.csv`: no such file", "pair.toml:5:23", "expected a readable CSV file"],
    );
    let message = broken("start = \"30s\"", "start = { empirical = \"bad.csv\" }");
    says(
        &message,
        &[
            "more than one column",
            "bad.csv:3:2",
            "`many` is not a time",
            "bad.csv:4:1",
            "a time cannot be negative",
            "bad.csv:5:1",
            "expected one column: seconds such as `12.5`",
        ],
    );
}

#[test]
fn what_does_not_fit_together() {
    says(&broken("between = [\"a\", \"b\"]", "between = [\"a\", \"a\"]"), &["`a` stands twice in `between`"]);
    says(&broken("between = [\"a\", \"b\"]\n", ""), &["`links.wan` does not say what it joins"]);
    says(
        &broken("nodes = [\"a\", \"b\"]", "nodes = [\"a\", \"b\", \"a\"]"),
        &["`a` stands twice", "pair.toml:38:21"],
    );
    says(&broken("nodes = [\"a\", \"b\"]", "nodes = []"), &["`nodes` is empty"]);
    says(
        &broken("[\"wan\", \"radio\"]\nuse", "[\"wan\", \"radio-1\"]\nuse"),
        &[
            "`radio-1` does not fit into the path `servers`",
            "^^^^^^^ expected a link between the same two ends as the first",
        ],
    );
    says(
        &broken("mttf = \"180d\"", "mttf = \"180d\", rate = \"1/year\""),
        &["`mttf` and `rate` say the same in two ways"],
    );
    says(&broken("mttf = \"180d\", ", ""), &["does not say how often", "expected one of `mttf`"]);
    says(
        &broken("effect = \"pause\"", "effect = \"paus\""),
        &["`paus` is no value", "did you mean `pause`?"],
    );
    says(&broken("scope = \"process\"", "scope = \"agent\""), &["no process is called `agent`"]);
    says(
        &broken("hot-standby]", "hot-standy]"),
        &["no policy is called `hot-standy`", "did you mean `hot-standby`?"],
    );
    says(&broken("transfer_interval", "transfer-interval"), &["did you mean `transfer_interval`?"]);
    says(
        &broken("{ fixed = \"40ms\" }", "{ fix = \"40ms\" }"),
        &["no law is called `fix`", "did you mean `fixed`?"],
    );
    says(&broken("to = \"scada\"\n", ""), &["`clients.control-room.to` is missing"]);
    says(&shown(""), &["`nodes` is missing", "`groups` is missing"]);
}

#[test]
fn all_mistakes_of_a_file_are_reported_in_order() {
    let text = SCADA
        .replacen("start = \"30s\"", "strat = \"30s\"", 1)
        .replacen("180d", "-180d", 1)
        .replacen("like = \"a\"", "like = \"c\"", 1)
        .replacen("loss = \"0.1%\"", "loss = \"101%\"", 1)
        .replacen("nodes = [\"a\", \"b\"]", "nodes = [\"a\", \"z\"]", 1)
        .replacen("writes = \"2/s\"", "writes = \"2/sex\"", 1)
        .replacen("[links.radio]", "[links.wan]", 1);
    let problems = read(&text).unwrap_err();
    let message = problems.render(false);
    let order = [
        "unknown key `strat`",
        "cannot be negative",
        "nothing here is called `c`",
        "exceeds 1",
        "`wan` stands here twice",
        "no node is called `z`",
        "`sex` is not a unit of time",
    ];
    let places: Vec<usize> = order
        .iter()
        .map(|part| message.find(part).unwrap_or_else(|| panic!("`{part}` is missing in:\n{message}")))
        .collect();
    assert!(places.is_sorted(), "{message}");
    says(&message, &["mistakes"]);
}

#[test]
fn broken_syntax_hides_what_may_follow_from_it() {
    let text = SCADA.replacen("[nodes.b]", "[nodes.b", 1).replacen("loss = \"0.1%\"", "loss = = 3", 1);
    let message = shown(&text);
    says(&message, &["not valid TOML", "pair.toml:10:", "pair.toml:17:"]);
    assert!(!message.contains("no node is called"), "{message}");
}

#[test]
fn overrides_that_lead_nowhere() {
    let set = |text: &str| with(SCADA, &[Override::parse(text, "--set").unwrap()]).unwrap_err().render(false);
    says(
        &set("nodes.*.failures.crash.mtf=5d"),
        &["`nodes.*.failures.crash.mtf` matches nothing in this model", "--set:1:1", "did you mean `nodes."],
    );
    says(&set("nodes.c.start=5s"), &["matches nothing", "did you mean `nodes."]);
    says(&set("nodes.a.start=5 sek"), &["--set:1:17", "^^^ expected a time", "did you mean `sec`?"]);
    says(
        &set("groups.scada.policy={ alnoe = {} }"),
        &["no policy is called `alnoe`", "did you mean `alone`?"],
    );
    assert!(Override::parse("nodes.a.start", "--set").is_err());
    assert!(Override::parse("nodes.a.start={ fixed", "--set").is_err());
}

#[test]
fn an_inherited_mistake_is_one_mistake() {
    let text = SCADA.replacen("start = \"30s\"", "strat = \"30s\"", 1);
    let problems = read(&text).unwrap_err();
    assert_eq!(problems.len(), 1, "{}", problems.render(false));
}

#[test]
fn colour_only_when_asked_for() {
    let problems = read("").unwrap_err();
    assert!(problems.render(true).contains('\u{1b}') && !problems.render(false).contains('\u{1b}'));
}

#[test]
fn a_node_of_two_groups() {
    let text = SCADA.to_owned() + "\n[groups.other]\nnodes = [\"b\"]\npolicy.alone = {}\n";
    says(&shown(&text), &["`b` is in the group `scada` already", "^ expected a node of its own"]);
}

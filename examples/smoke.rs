use failsim::engine::time::Span;
use failsim::input::{NoFiles, Source};
use failsim::measure::{Summary, simulate};
use failsim::policy::contract::Policy;
use failsim::policy::host::Setup;
use failsim::policy::registry::Shipped;
use std::sync::Arc;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let text = std::fs::read_to_string(&a[1]).unwrap();
    let runs: u64 = a[2].parse().unwrap();
    let years: f64 = a[3].parse().unwrap();
    let skips = a.get(4).is_none_or(|s| s != "stepwise");
    let source = Source::new(&*a[1], text);
    let (model, _) = match failsim::model::load::load::<<Shipped as Policy>::Params>(&source, Arc::new(NoFiles), &[]) {
        Ok(m) => m,
        Err(p) => { println!("{}", p.render(false)); return; }
    };
    let setup = Setup::<Shipped>::new(model, 1, skips, false);
    let h = Span::from_secs(years * 31557600.0).unwrap();
    let mut s = Summary::new(&setup, h);
    let t = std::time::Instant::now();
    let mut ev = 0;
    for run in 0..runs { let r = simulate(&setup, run, h); ev += r.events; s.add(&r); }
    let e = t.elapsed().as_secs_f64();
    for (m, f) in s.service(0.95) { println!("{:28} {:>14.6e} [{:.4e}, {:.4e}] {} {}", m.name, f.estimate, f.low.unwrap_or(f64::NAN), f.high.unwrap_or(f64::NAN), m.unit, if f.zero {"ZERO"} else {""}); }
    println!("breach {:?} fp {:032x}", s.breach(), s.fingerprint());
    println!("{:.0} years/s, {} events, {:.1} ns/event", runs as f64 * years / e, ev, e * 1e9 / ev as f64);
}

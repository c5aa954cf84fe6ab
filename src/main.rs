//! The program `failsim`: the shipped policies and the command line of the library.

fn main() -> std::process::ExitCode {
    failsim::main::<failsim::policy::registry::Shipped>()
}

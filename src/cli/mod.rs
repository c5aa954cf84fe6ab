//! x
use crate::policy::registry::PolicySet;
/// x
pub fn main<P: PolicySet>() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}

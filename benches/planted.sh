#!/usr/bin/env bash
# Does the test-suite see an error of one per cent? Each line of `plants` below puts one into a formula of a detector,
# of what is copied or of the book, in a scratch copy of this tree, and names the test that has to fail then.
# Slow: every error is a build of its own (some ten minutes in all, more the first time).
#
#   benches/planted.sh              all of them
#   benches/planted.sh lease        those whose name contains the word
#
# Prints "caught" or "MISSED" for each. Fails if one is missed, if a formula is no longer found exactly once (then
# correct its line), or if the test does not even pass, or run, without the error.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

root=$PWD
tree=$root/target/planted/tree
export CARGO_TARGET_DIR=$root/target/planted/build
failures=0
planted=0

# The same text as in the working tree, changes included, but none of what is ignored; all of it new, for cargo goes by
# the times of files.
copy_tree() {
    rm -rf "$tree"
    mkdir -p "$tree"
    git ls-files -z --cached --others --exclude-standard |
        while IFS= read -r -d '' file; do [ ! -e "$file" ] || printf '%s\0' "$file"; done |
        tar -c --null -T - | tar -x -m -C "$tree"
}

say() { printf '%-8s %s\n' "$1" "$2"; }

fail() {
    failures=$((failures + 1))
    say "$1" "$2"
}

# Runs a test: whether it passes. Output goes to a log that is shown only where it matters.
run() { (cd "$tree" && cargo test --quiet "$@") >"$root/target/planted/log" 2>&1; }

# plant NAME FILE FORMULA WRONG TEST...
plant() {
    local name=$1 file=$2 formula=$3 wrong=$4
    shift 4
    case $name in *"$wanted"*) ;; *) return 0 ;; esac
    planted=$((planted + 1))
    local text found
    text=$(cat "$root/$file")
    found=$(grep -cF -- "$formula" "$root/$file" || true)
    if [ "$found" != 1 ]; then
        fail "STALE" "$name: \`$formula\` stands $found times in $file"
        return 0
    fi
    if ! run "$@" || ! grep -q '^test result: ok. [1-9]' "$root/target/planted/log"; then
        cat "$root/target/planted/log"
        fail "BROKEN" "$name: without it, this must pass: cargo test $*"
        return 0
    fi
    printf '%s\n' "${text/"$formula"/"$wrong"}" >"$tree/$file"
    if ! (cd "$tree" && cargo test --quiet --no-run "$@") >"$root/target/planted/log" 2>&1; then
        cat "$root/target/planted/log"
        fail "BROKEN" "$name: does not compile"
    elif run "$@"; then
        fail "MISSED" "$name: $file passes cargo test $*"
    else
        say "caught" "$name: $(grep -m1 -A1 'panicked at' "$root/target/planted/log" | tail -n 1)"
    fi
    cp "$root/$file" "$tree/$file"
}

plants() {
    plant "begin of a run of losses" src/service/runs.rs \
        'let begin = (1.0 - q) * q_to_r;' 'let begin = 1.01 * (1.0 - q) * q_to_r;' \
        --test skipping runs_of_losses_come_as_often_as_theory_says
    plant "trailing losses at an interruption" src/service/runs.rs \
        'q_to_j *= self.q;' 'q_to_j *= 1.01 * self.q;' \
        --lib trailing_counts_follow_the_conditional_law
    plant "trailing losses at a crash" src/service/runs.rs \
        'q_to_j *= self.q;' 'q_to_j *= 1.01 * self.q;' \
        --test skipping a_crash_is_noticed_as_fast_as_theory_says
    plant "q of heartbeats" src/service/detector/quiet.rs \
        'RunLaw::new(exception.probability, r)' 'RunLaw::new(1.01 * exception.probability, r)' \
        --test skipping runs_of_losses_come_as_often_as_theory_says
    plant "q of health checks" src/service/health.rs \
        'RunLaw::new(q, u64::from(self.rule.fall))' 'RunLaw::new(1.01 * q, u64::from(self.rule.fall))' \
        --test skipping checks_in_a_row_fail_as_often_as_theory_says
    plant "q of m of n" src/service/detector/quiet.rs \
        'WindowLaw::new(exception.probability, ' 'WindowLaw::new(1.01 * exception.probability, ' \
        --test detectors m_of_n_meets_its_markov_chain
    plant "chain of a window of losses" src/service/windows.rs \
        'next[usize::from(state)] += mass * law.q' 'next[usize::from(state)] += 1.01 * mass * law.q' \
        --lib two_of_n_have_their_recurrence
    plant "hazard of a window of losses" src/service/windows.rs \
        'law.hazard = chain.step(&law, &state, &mut next)' \
        'law.hazard = 1.01 * chain.step(&law, &state, &mut next)' \
        --test detectors m_of_n_meets_its_markov_chain
    plant "deadline of a time-out" src/service/detector.rs \
        '(Silence::TimeOut(after), _) => self.newest + after' \
        '(Silence::TimeOut(after), _) => self.newest + after.scaled(1.01)' \
        --test skipping a_crash_is_noticed_as_fast_as_theory_says
    plant "deadline of a lease" src/service/detector.rs \
        'self.newest_sent.unwrap_or(self.newest) + after' \
        'self.newest_sent.unwrap_or(self.newest) + after.scaled(1.01)' \
        --test detectors leases_meet_the_closed_forms_of_nfd_s
    plant "deadline of k missed" src/service/detector.rs \
        'self.ticks_from + every.times(tick + u64::from(count))' \
        'self.ticks_from + every.times(tick + u64::from(count)) + every.scaled(0.01 * f64::from(count))' \
        --test detectors a_crash_is_noticed_when_the_rule_says
    plant "margin of an expected arrival" src/service/detector.rs \
        'arrivals.expected(every).unwrap_or(self.newest + every) + margin' \
        'arrivals.expected(every).unwrap_or(self.newest + every) + margin.scaled(1.01)' \
        --test detectors a_crash_is_noticed_when_the_rule_says
    plant "patience of phi-accrual" src/service/detector.rs \
        'self.newest + gaps.patience()' 'self.newest + gaps.patience().scaled(1.01)' \
        --test detectors a_crash_is_noticed_when_the_rule_says
    plant "time-out of a health check" src/service/health.rs \
        'if ok { delay } else { self.rule.timeout }' 'if ok { delay } else { self.rule.timeout.scaled(1.01) }' \
        --test detectors a_crash_is_noticed_when_the_rule_says
    plant "time-out of a poll" src/service/poll.rs \
        '=> sent + self.timeout' '=> sent + self.timeout.scaled(1.01)' \
        --test skipping polls_tell_what_stepped_requests_tell
    plant "writes under way at a crash" src/service/ledger/count.rs \
        'client.write_rate * self.part.share() * mass' '1.01 * client.write_rate * self.part.share() * mass' \
        --test copies writes_under_way_are_as_many_and_as_old_as_theory_says
    plant "writes that are kept" src/service/ledger/count.rs \
        'client.write_rate * self.part.share() * kept.secs' \
        '1.01 * client.write_rate * self.part.share() * kept.secs' \
        --test copies writes_under_way_are_as_many_and_as_old_as_theory_says
}

wanted=${1:-}
copy_tree
plants
if [ "$planted" = 0 ]; then
    fail "BROKEN" "no error is called $wanted"
fi
exit $((failures > 0))

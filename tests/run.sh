#!/usr/bin/env bash
# Everything that must hold before a change is taken: formatting, lints, every feature alone, all tests,
# and the real window under a virtual display. Sets up what it needs on a fresh Debian or Ubuntu machine
# that has Rust and a C compiler. Runs from anywhere; honours CARGO_TARGET_DIR.
#
# One Cargo profile (`ci`: optimised, debug assertions, no LTO) for all of it, so that dependencies build once.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2

started=$SECONDS
ran=()     # what ran, with how it went
skipped=() # what did not run, with the reason
broken=()  # steps other than tests that failed

say() { printf '\n== %s\n' "$*"; }

# step NAME COMMAND…: runs it, remembers how it went.
step() {
    local name=$1 from=$SECONDS
    shift
    say "$name: $*"
    if "$@"; then
        ran+=("$name: ok, $((SECONDS - from)) s")
    else
        ran+=("$name: FAILED, $((SECONDS - from)) s")
        broken+=("$name")
        return 1
    fi
}

# --- set-up ---------------------------------------------------------------------------------------

command -v cargo >/dev/null || {
    [ -x "$HOME/.cargo/bin/cargo" ] && PATH="$HOME/.cargo/bin:$PATH"
}
command -v cargo >/dev/null || { echo "cargo is not installed: see https://rustup.rs"; exit 2; }
command -v cc >/dev/null || { echo "no C compiler (cc) found: apt-get install gcc"; exit 2; }
for tool in fmt clippy; do
    if ! cargo "$tool" --version >/dev/null 2>&1 && command -v rustup >/dev/null; then
        component=$tool
        [ "$tool" = fmt ] && component=rustfmt
        rustup component add "$component" || true
    fi
done

# What the window needs to be seen and driven without a person.
has_lib() { ldconfig -p 2>/dev/null | grep -q "$1"; }
display_packages() {
    command -v Xvfb >/dev/null || echo xvfb
    command -v openbox >/dev/null || echo openbox
    command -v xdotool >/dev/null || echo xdotool
    command -v convert >/dev/null || command -v magick >/dev/null || echo imagemagick
    has_lib libGL.so.1 || echo libgl1
    has_lib libEGL.so.1 || echo libegl1
    ls /usr/lib/*/dri/swrast_dri.so >/dev/null 2>&1 || has_lib libgallium || echo libgl1-mesa-dri
    has_lib libxkbcommon-x11.so.0 || echo libxkbcommon-x11-0
    has_lib libXcursor.so.1 || echo libxcursor1
    has_lib libXi.so.6 || echo libxi6
    has_lib libXrandr.so.2 || echo libxrandr2
}
install_packages() {
    local as_root=()
    if [ "$(id -u)" != 0 ]; then
        sudo -n true 2>/dev/null || return 1
        as_root=(sudo -n)
    fi
    command -v apt-get >/dev/null || return 1
    "${as_root[@]}" apt-get update -q || return 1
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"
}
mapfile -t missing < <(display_packages)
if [ ${#missing[@]} -gt 0 ]; then
    say "installing ${missing[*]}"
    install_packages "${missing[@]}" || echo "could not install: ${missing[*]}"
    mapfile -t missing < <(display_packages)
fi

# --- checks ---------------------------------------------------------------------------------------

export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-never}
ci=(--profile ci --locked)
# Seeds of the randomised simulation of clusters.
export EVENTYARD_SEEDS=${EVENTYARD_SEEDS:-2000}
# One seed for the property tests too, so that a run of this script repeats: name another to look elsewhere.
export PROPTEST_RNG_SEED=${PROPTEST_RNG_SEED:-1}
say "seeds: 0 to $EVENTYARD_SEEDS of the clusters, PROPTEST_RNG_SEED=$PROPTEST_RNG_SEED"

step fmt cargo fmt --check

# Lints and features alone, in a target folder of their own and beside the build of the tests: a compiler's front end keeps one
# core busy only. What they say is kept, and told when the tests are built.
checks_dir=$(mktemp -d)
log=$checks_dir/tests
trap 'rm -rf "$checks_dir"' EXIT
checks() {
    export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}/checks
    local features feature
    step clippy cargo clippy "${ci[@]}" --all-targets -- -D warnings
    step "check without features" cargo check "${ci[@]}" --no-default-features
    features=$(awk '/^\[/ { inside = ($0 == "[features]") } inside && /^[a-z0-9_-]+ *=/ && $1 != "default" { print $1 }' Cargo.toml)
    for feature in $features; do
        step "check feature $feature alone" cargo check "${ci[@]}" --no-default-features --features "$feature"
    done
    printf '%s\n' "${ran[@]}" >"$checks_dir/ran"
    printf '%s\n' "${broken[@]}" >"$checks_dir/broken"
}
(ran=() broken=(); checks) >"$checks_dir/log" 2>&1 &
checking=$!

# --- tests ----------------------------------------------------------------------------------------

step "build the tests" cargo test "${ci[@]}" --no-run
wait "$checking"
cat "$checks_dir/log"
[ -s "$checks_dir/ran" ] || broken+=("checks")
while IFS= read -r line; do [ -n "$line" ] && ran+=("$line"); done < <(cat "$checks_dir/ran" 2>/dev/null)
while IFS= read -r line; do [ -n "$line" ] && broken+=("$line"); done < <(cat "$checks_dir/broken" 2>/dev/null)

say "tests: cargo test ${ci[*]} --no-fail-fast"
from=$SECONDS
cargo test "${ci[@]}" --no-fail-fast 2>&1 | tee "$log"
test_status=${PIPESTATUS[0]}
sum() { grep -E '^test result: ' "$log" | grep -oE "[0-9]+ $1" | awk '{ n += $1 } END { print n + 0 }'; }
passed=$(sum passed)
failed=$(sum failed)
ignored=$(sum ignored)
# A verdict needs every test program to have ended with a result line of its own.
begun=$(grep -cE '^ +(Running|Doc-tests) ' "$log")
ended=$(grep -cE '^test result: ' "$log")
verdict=no
[ "$begun" -gt 0 ] && [ "$begun" = "$ended" ] && verdict=yes
if [ "$verdict" = yes ] && [ "$test_status" = 0 ]; then
    ran+=("tests: $passed passed, $failed failed, $ignored ignored, $((SECONDS - from)) s")
elif [ "$verdict" = yes ]; then
    ran+=("tests: FAILED, $passed passed, $failed failed, $ignored ignored, $((SECONDS - from)) s")
    [ "$failed" = 0 ] && broken+=("tests")
else
    ran+=("tests: FAILED, $((begun - ended)) test programs did not end or build, $((SECONDS - from)) s")
    broken+=("tests")
fi

# A hundred million customers through nearly full queues.
step "theory of nearly full queues" cargo test "${ci[@]}" --test it theory -- --ignored

# --- the real window ------------------------------------------------------------------------------

if [ ! -f tests/e2e.sh ]; then
    skipped+=("window end to end: tests/e2e.sh is not there")
elif [ ${#missing[@]} -gt 0 ]; then
    skipped+=("window end to end: ${missing[*]} missing and could not be installed")
elif step "build the window" cargo build "${ci[@]}" --bin eventyard; then
    EVENTYARD="${CARGO_TARGET_DIR:-target}/ci/eventyard" step "window end to end" bash tests/e2e.sh
else
    skipped+=("window end to end: the program did not build")
fi

# --- real clients of the registry -------------------------------------------------------------------

if step "build the program" cargo build "${ci[@]}" --bin eventyard; then
    say "clients of the registry: tests/clients/run.sh"
    EVENTYARD="${CARGO_TARGET_DIR:-target}/ci/eventyard" bash tests/clients/run.sh 2>&1 | tee "$log"
    case ${PIPESTATUS[0]} in
        0) ran+=("clients of the registry: ok") ;;
        77) skipped+=("clients of the registry: $(grep -m1 '^skipped: ' "$log" | cut -c10-)") ;;
        *)
            ran+=("clients of the registry: FAILED")
            broken+=("clients of the registry")
            ;;
    esac
else
    skipped+=("clients of the registry: the program did not build")
fi

# --- what ran -------------------------------------------------------------------------------------

say "what ran, in $((SECONDS - started)) s"
printf '  %s\n' "${ran[@]}"
[ ${#skipped[@]} -gt 0 ] && printf '  skipped: %s\n' "${skipped[@]}"
if [ ${#broken[@]} -gt 0 ]; then
    printf 'not passed:'
    printf ' [%s]' "${broken[@]}"
    printf '\n'
    exit 1
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$test_status" = 0 ]

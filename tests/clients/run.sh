#!/usr/bin/env bash
# A registry that serves, and clients against it: Confluent's for Python, and with EVENTYARD_RUST_CLIENT=1 the crate
# schema_registry_converter. EVENTYARD is the program; the clients are put into a folder of their own. Ends with 0 when
# everything held, 77 (and a sentence) when a client cannot be had, else 1.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2
program=${EVENTYARD:-target/debug/eventyard}
place=${EVENTYARD_VENV:-${TMPDIR:-/tmp}/eventyard-clients}

skip() { echo "skipped: $*"; exit 77; }
command -v python3 >/dev/null || skip "python3 is not installed"
if [ ! -x "$place/bin/python" ]; then
    python3 -m venv "$place" || skip "python3 makes no virtual environment (apt-get install python3-venv)"
fi
"$place/bin/python" -c 'import confluent_kafka.schema_registry.protobuf' 2>/dev/null ||
    timeout 120 "$place/bin/pip" install -q 'confluent-kafka[avro,json,protobuf]' ||
    skip "confluent-kafka cannot be installed"

said=$(mktemp)
"$program" registry serve --port 0 >"$said" &
server=$!
trap 'kill "$server" 2>/dev/null; rm -f "$said"' EXIT
for _ in $(seq 100); do
    url=$(grep -oE 'http://[0-9.:]+' "$said" | head -1)
    [ -n "$url" ] && break
    kill -0 "$server" 2>/dev/null || { echo "the registry did not start"; exit 1; }
    sleep 0.1
done
[ -n "${url:-}" ] || { echo "the registry said no address"; exit 1; }
timeout 60 "$place/bin/python" tests/clients/confluent.py "$url" || exit 1

if [ "${EVENTYARD_RUST_CLIENT:-}" != 1 ]; then
    echo "left out: the Rust client; EVENTYARD_RUST_CLIENT=1 has it (it builds an HTTP client, minutes on a small machine)"
    exit 0
fi
command -v cargo >/dev/null || skip "the Rust client needs cargo"
manifest=tests/clients/rust/Cargo.toml
cargo fetch --quiet --locked --manifest-path "$manifest" || skip "the Rust client's crates cannot be fetched"
cargo run --quiet --locked --manifest-path "$manifest" --target-dir "$place/rust" -- "$url" || exit 1

#!/usr/bin/env bash
# The real window, end to end: a virtual display, a window manager, software OpenGL, a real pointer and real keys.
#
# Places two components by dragging them from the palette, links their ports, runs the design to its end and saves
# it; then checks pixels and the saved file. EVENTYARD names the program; without it the debug build is taken.
# Exit 0: passed, or skipped with a word. Exit 1: failed; the last screenshot's place is said.
set -uo pipefail
cd "$(dirname "$0")/.."

program=${EVENTYARD:-target/debug/eventyard}
for tool in Xvfb openbox xdotool; do
    command -v "$tool" >/dev/null || { echo "e2e: skipped, $tool is not installed"; exit 0; }
done
if command -v magick >/dev/null; then shoot=(magick import); convert=(magick)
elif command -v import >/dev/null && command -v convert >/dev/null; then shoot=(import); convert=(convert)
else echo "e2e: skipped, ImageMagick is not installed"; exit 0; fi
[ -x "$program" ] || { echo "e2e: $program is not built"; exit 1; }
program=$(realpath "$program")

work=$(mktemp -d)
pids=()
finish() {
    local code=$?
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null; done
    wait 2>/dev/null
    if [ "$code" -eq 0 ]; then rm -rf "$work"; else echo "e2e: see $work/last.png and $work/window.log"; fi
}
trap finish EXIT
fail() { echo "e2e: FAILED: $1"; shot 2>/dev/null; exit 1; }

# Waits until a command succeeds, at most `$1` seconds.
until_ok() {
    local end=$((SECONDS + $1)); shift
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.2
    done
}

# A display of our own: Xvfb picks a free number and writes it down.
exec 7>"$work/display"
Xvfb -displayfd 7 -screen 0 1280x800x24 -nolisten tcp >/dev/null 2>&1 & pids+=($!)
until_ok 20 test -s "$work/display" || fail "Xvfb did not start"
export DISPLAY=":$(tr -d '[:space:]' <"$work/display")"
export LIBGL_ALWAYS_SOFTWARE=1 EVENTYARD_CONFIG_DIR="$work/config" HOME="$work" WINIT_UNIX_BACKEND=x11
unset WAYLAND_DISPLAY WAYLAND_SOCKET
mkdir -p "$work/config"
openbox >/dev/null 2>&1 & pids+=($!)
# A window that comes up while the window manager is still starting is shown by nobody.
until_ok 20 xdotool get_num_desktops >/dev/null 2>&1 || fail "openbox did not start"

# An empty design with a scenario that is short enough to watch to its end.
design="$work/two boxes.ron"
cat >"$design" <<'RON'
(
    format: 1,
    name: "Two boxes",
    aim: "Drawn by a script's pointer.",
    seed: 7,
    scenarios: { "short": (about: "Five seconds", length: "5s") },
)
RON
"$program" open "$design" >"$work/window.log" 2>&1 & app=$!; pids+=("$app")
window=""
find_window() { window=$(xdotool search --onlyvisible --name 'two boxes' 2>/dev/null | head -n1); [ -n "$window" ]; }
until_ok 40 find_window || fail "no window came up"
xdotool windowsize --sync "$window" 1280 760 windowmove "$window" 0 20 2>/dev/null
xdotool windowactivate --sync "$window" 2>/dev/null

shot() { "${shoot[@]}" -silent -window "$window" "$work/last.png"; }
# Share of the window's rectangle `$1` (WxH+X+Y) that is near the colour `$2`, in ten-thousandths.
near() {
    shot || { echo 0; return; }
    "${convert[@]}" "$work/last.png" -crop "$1" +repage -fuzz 6% -fill black +opaque "$2" -fill white -opaque "$2" \
        -colorspace gray -format '%[fx:round(mean*10000)]' info: 2>/dev/null || echo 0
}
# Something of that colour is there: light or dark, whatever theme the desktop asked for.
shows() { [ "$(near "$1" "$2")" -gt "$4" ] || [ "$(near "$1" "$3")" -gt "$4" ]; }
hash_of() { shot && "${convert[@]}" "$work/last.png" -crop "$1" +repage -format '%#' info:; }

# The pointer goes in small steps: a jump is no drag.
go() { local x=$1 y=$2; xdotool mousemove --window "$window" $((x - 9)) $((y - 6)) sleep 0.05 mousemove --window "$window" $((x - 4)) $((y - 2)) sleep 0.05 mousemove --window "$window" "$x" "$y" sleep 0.05; }
drag() {
    local x0=$1 y0=$2 x1=$3 y1=$4 step
    go "$x0" "$y0"; xdotool mousedown 1 sleep 0.1
    for step in 1 2 3 4 5 6; do
        xdotool mousemove --window "$window" $((x0 + (x1 - x0) * step / 6)) $((y0 + (y1 - y0) * step / 6)) sleep 0.05
    done
    xdotool sleep 0.15 mouseup 1 sleep 0.1
}
saves() { xdotool key ctrl+s; sleep 0.3; grep -Eq "$1" "$design"; }

# The chosen tab's ground says that the first frame with fonts was drawn.
until_ok 30 shows 80x30+912+90 '#E1EDFB' '#1B3350' 2000 || fail "the window never drew its tabs"

# Off the grid: a card then stands exactly where it is dropped, its corner 110 left of and 30 above the pointer.
go 520 430; xdotool click 1 key g
canvas=640x330+190+90
blank=$(hash_of "$canvas")
drag 70 129 330 200
changed() { [ "$(hash_of "$canvas")" != "$blank" ]; }
until_ok 10 changed || fail "no card appeared on the canvas"
until_ok 15 saves 'kind: "producer"' || fail "the producer was not saved"
drag 70 232 680 200
until_ok 15 saves 'kind: "gateway"' || fail "the gateway was not saved"

# From the producer's first port at the right edge to the gateway's first at the left edge.
drag $((330 + 110)) $((200 - 30 + 60)) $((680 - 110)) $((200 - 30 + 60))
until_ok 15 saves 'from: "[a-z0-9-]+\.out", to: "[a-z0-9-]+\.in"' || fail "the link was not saved"

# Runs to its end: the progress bar turns to the colour of what is fine.
xdotool key F5
clock=300x46+960+36
until_ok 15 shows "$clock" '#0B62C4' '#62ADFF' 20 || fail "the run did not start"
until_ok 40 shows "$clock" '#0A7450' '#45C792' 60 || fail "the run did not come to its end"
kill -0 "$app" 2>/dev/null || fail "the program ended by itself"

# What was drawn is a design that the command line runs, too.
"$program" run "$design" --quiet --json "$work/report.json" >"$work/run.log" 2>&1 || [ $? -eq 1 ] || fail "the saved design does not run"
grep -Eq '"created": ?[1-9]' "$work/report.json" || fail "the saved design makes no events"
echo "e2e: passed in ${SECONDS} s: two components placed and linked by the pointer, run to the end, saved"

//! Colours of drawings and pages, light and dark, as CSS variables: the same meanings as the window's theme.

/// Colours by meaning for a light and a dark ground; the reader's system chooses.
pub const CSS_COLOURS: &str = "\
:root{color-scheme:light dark;--ground:#f3f5f8;--surface:#ffffff;--sunken:#e9eef4;--border:#e0e5eb;--strong:#c6ced8;\
--text:#1b2430;--muted:#5a6675;--accent:#0b62c4;--good:#0a7450;--bad:#ba2f25;--warn:#8f5600;--wire:#8692a1;--note:#fff6d6;\
--s0:#0b62c4;--s1:#b35c00;--s2:#0a7450;--s3:#8a3ab9;--s4:#ba2f25;--s5:#5a6675}\
@media(prefers-color-scheme:dark){:root{--ground:#11151b;--surface:#191f27;--sunken:#171d25;--border:#2b3440;--strong:#424e5d;\
--text:#e4e9ef;--muted:#9da9b7;--accent:#62adff;--good:#45c792;--bad:#ff8074;--warn:#f0b450;--wire:#6b7889;--note:#332f1e;\
--s0:#62adff;--s1:#f0a35e;--s2:#45c792;--s3:#cf8af0;--s4:#ff8074;--s5:#9da9b7}}";

/// Lines of a chart take these in turn.
pub const SERIES_COLOURS: [&str; 6] = ["var(--s0)", "var(--s1)", "var(--s2)", "var(--s3)", "var(--s4)", "var(--s5)"];

/// How a drawing of a design looks; every name begins with `ey-` so that a page around it is not touched.
pub const CSS_DRAWING: &str = "\
.ey{font-family:Inter,system-ui,sans-serif;font-size:12px}\
.ey-card{fill:var(--surface);stroke:var(--strong)}.ey-stripe{fill:var(--muted)}\
.ey-k-producer{fill:var(--s0)}.ey-k-gateway{fill:var(--s3)}.ey-k-kafka{fill:var(--s1)}.ey-k-registry{fill:var(--s5)}.ey-k-consumer{fill:var(--s2)}\
.ey-title{font-size:14px;font-weight:600;fill:var(--text)}.ey-kind,.ey-row{fill:var(--muted)}.ey-port{fill:var(--surface);stroke:var(--muted);stroke-width:1.5}\
.ey-wire{fill:none;stroke:var(--wire);stroke-width:1.6}.ey-ref{stroke-dasharray:5 4;stroke-opacity:.55}.ey-arrow{fill:var(--wire)}\
.ey-frame{fill:var(--sunken);stroke:var(--border)}.ey-label{font-size:13px;font-weight:600;fill:var(--muted)}\
.ey-note{fill:var(--note);stroke:var(--border);stroke-dasharray:2 3}.ey-note-text{fill:var(--text)}";

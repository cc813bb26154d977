use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::units::SimTime;

/// Figures by their text.
#[derive(Default)]
struct Figures(BTreeMap<String, f64>);

impl Figures {
    fn of(list: &[(&str, f64)]) -> Self {
        Self(list.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect())
    }
}

impl FigureSource for Figures {
    fn figure(&self, figure: &FigureRef) -> Option<f64> {
        self.0.get(&figure.to_string()).copied()
    }
}

fn parse(text: &str) -> Expectation {
    Expectation::parse(text).unwrap_or_else(|error| panic!("{text}: {error} {:?}", error.hint))
}
fn refused(text: &str, at: usize, message: &str, hint: &str) {
    let error = Expectation::parse(text).expect_err(text);
    assert!(error.message.contains(message), "{text}: {}", error.message);
    assert!(error.hint.as_deref().unwrap_or_default().contains(hint), "{text}: {:?}", error.hint);
    assert_eq!(error.at, at, "{text}: {}", error.message);
}
fn seconds(seconds: f64) -> SimTime {
    SimTime::from_secs_f64(seconds)
}
/// Judges a series of (second, value of the only figure); the last is the end.
fn judged(text: &str, series: &[(f64, Option<f64>)]) -> Judge {
    let expectation = parse(text);
    let figure = expectation.figures()[0].to_string();
    let mut judge = Judge::new(expectation);
    for (index, (at, value)) in series.iter().enumerate() {
        let figures = Figures(value.iter().map(|value| (figure.clone(), *value)).collect());
        judge.observe(seconds(*at), &figures, index + 1 == series.len());
    }
    judge
}

#[test]
fn what_the_issue_writes_is_read() {
    for text in [
        "p99(latency, \"checkout\") < 200ms",
        "lost(\"payments\") == 0",
        "lag(\"billing\") < 5000 after 30s",
        "utilisation(\"shipping\") < 80%",
        "utilisation(\"shipping\") < 80% for 10s",
        "utilisation(\"shipping\") < 0.8 after 5s for 10s",
        "in_flight == 0 at end",
        "submissions.accepted + submissions.rejected == submissions.created",
        "guarantee(\"billing\", exactly_once)",
        "not guarantee(\"billing\", ordered_per_key) or duplicates(\"billing\") == 0",
        "count(rejected, \"edge\") / count(produced) < 5% and dropped == 0",
        "rate(delivered, \"billing\") >= 1200/s",
        "rate(delivered) * 10s > 5e3",
        "p99(latency) < 2 * p50(latency) + 5ms",
        "log_bytes(\"orders\") <= 64MiB",
        "mean(wait, \"billing\") - 1.5us > -200ns",
        "100 / (count(produced) + 1) * 2 - (1 - 2) < 3",
        "delivered_share(\"billing\") > 99.9%",
    ] {
        assert_eq!(parse(text).to_string(), text);
    }
    assert_eq!(parse("lag('billing')<5_000   after  30 s").to_string(), "lag(\"billing\") < 5000 after 30s");
    assert_eq!(parse("((lost())==0)and(dropped==0)").to_string(), "lost == 0 and dropped == 0");
    assert_eq!(parse("rate(produced) < 100 /s").to_string(), "rate(produced) < 100/s");
    assert_eq!(parse("100/skipped < 5").to_string(), "100 / skipped < 5");
}

#[test]
fn errors_say_where_and_what_to_write() {
    refused("", 1, "empty", "p99");
    refused("p98(latency) < 1s", 1, "no figure `p98`", "`p9");
    refused("p99(latncy) < 1s", 5, "no word `latncy`", "latency");
    refused("p99(latency) < 80%", 14, "cannot compare a duration and a share", "200ms");
    refused("p99(latency) < 200", 14, "a duration and a bare number", "200ms or 200s");
    refused("utilisation(\"x\") < 200ms", 18, "a share and a duration", "80%");
    refused("rate(produced) > 100", 16, "a rate", "100/s");
    refused("p99(latency) < 200xs", 16, "unknown unit `xs`", "ms");
    refused("p99(latency)", 1, "not a condition", "p99(latency) < 200ms");
    refused("p99 < 2s", 5, "of what", "latency");
    refused("lag < 5", 5, "needs the name of a component or group", "lag(\"billing\")");
    refused("lag(billing) < 5", 5, "in quotes", "\"billing\"");
    refused("lag(\"billing) < 5", 5, "closing quote", "\"");
    refused("lag(\"b\") = 5", 10, "`=`", "==");
    refused("1 < lag(\"b\") < 5", 14, "did not expect `<`", "and");
    refused("lag(\"b\") < 5 afer 30s", 14, "did not expect `afer`", "after 30s");
    refused("lag(\"b\") < 5 after 30", 20, "no unit", "after 30s");
    refused("lag(\"b\") < 5 for 10s at end", 22, "at end", "one of them");
    refused("lag(\"b\") < 5 after 1s after 2s", 23, "twice", "");
    refused("lost == 0 & dropped == 0", 11, "`&`", "and");
    refused("(lost == 0", 11, "expected `)`", "parenthesis");
    refused("lost == 0)", 10, "did not expect `)`", "parenthesis");
    refused("submissions.acepted > 1", 13, "no term", "accepted");
    refused("submissions > 1", 13, "expected `.`", "submissions.");
    refused("(lost == 0) + 1 < 2", 7, "cannot add a condition", "and");
    refused("1 < 2", 1, "no figure", "p99");
    refused("lost == 0 or 5", 14, "not a condition", "5 <");
    refused("p99(latency) * p99(latency) < 1s", 14, "cannot multiply", "");
    refused("guarantee(\"billing\", exactly_one)", 22, "no word", "exactly_once");
    refused("lost ≤ 0", 6, "`≤`", "<=");
    refused("\"billing\" < 5", 1, "a name, not a figure", "lag(\"billing\")");
    let deep = format!("{}lost == 0{}", "(".repeat(40), ")".repeat(40));
    refused(&deep, DEPTH_MAX + 2, "nested", "split");
    refused(&"x".repeat(TEXT_BYTES_MAX + 1), 1, "bytes", "split");
}

#[test]
fn names_carry_what_they_may_be_and_their_column() {
    let expectation = parse("lost(\"orders\") == 0 and lag('billing') < 5");
    let names: Vec<(String, &str, usize)> =
        expectation.names().into_iter().map(|(kinds, name, at)| (kinds.to_string(), name, at)).collect();
    assert_eq!(names, [("component or topic".to_owned(), "orders", 6), ("component or group".to_owned(), "billing", 29)]);
}

#[test]
fn the_table_is_in_the_order_of_its_enum() {
    for (index, spec) in FigureFn::table().iter().enumerate() {
        assert_eq!(spec.function as usize, index, "{}", spec.name);
        assert!(std::ptr::eq(spec.function.spec(), spec));
    }
}

#[test]
fn an_instant_breaks_for_good() {
    let text = "lag(\"billing\") < 5000";
    let judge = judged(text, &[(1.0, Some(10.0)), (2.0, Some(7000.0)), (3.0, Some(6000.0)), (4.0, Some(0.0))]);
    assert_eq!(judge.state(), Verdict::Missed);
    assert_eq!(judge.broke_at(), Some(seconds(2.0)));
    assert_eq!(judge.figure_text(), "7000 at worst");
    let judge = judged(&format!("{text} after 3.5s"), &[(1.0, Some(9e9)), (3.0, Some(6000.0)), (4.0, Some(12.0))]);
    assert_eq!((judge.state(), judge.broke_at()), (Verdict::Met, None));
    assert_eq!(judge.figure_text(), "12 at worst");
}

#[test]
fn a_violation_must_last() {
    let text = "utilisation(\"s\") < 80% for 10s";
    let short = judged(text, &[(0.0, Some(0.9)), (9.0, Some(0.9)), (10.0, Some(0.5)), (15.0, Some(0.9)), (24.0, Some(0.9))]);
    assert_eq!(short.state(), Verdict::Met);
    let long = judged(text, &[(0.0, Some(0.5)), (5.0, Some(0.9)), (15.0, Some(0.81)), (16.0, Some(0.1))]);
    assert_eq!((long.state(), long.broke_at()), (Verdict::Missed, Some(seconds(5.0))));
    assert_eq!(long.figure_text(), "90% at worst");
}

#[test]
fn percentiles_are_judged_at_the_end() {
    let text = "p99(latency) < 200ms";
    let recovered = judged(text, &[(1.0, Some(0.5)), (2.0, Some(0.143_21))]);
    assert_eq!((recovered.state(), recovered.broke_at()), (Verdict::Met, None));
    assert_eq!(recovered.figure_text(), "143.2ms");
    let broken = judged(text, &[(1.0, Some(0.5)), (2.0, Some(0.1)), (3.0, Some(0.3)), (4.0, Some(0.3))]);
    assert_eq!((broken.state(), broken.broke_at()), (Verdict::Missed, Some(seconds(3.0))));
    let unseen = judged(text, &[(1.0, None), (2.0, None)]);
    assert_eq!((unseen.state(), unseen.broke_at()), (Verdict::Missed, None));
    assert_eq!(unseen.figure_text(), "no observations");
}

#[test]
fn totals_know_what_may_still_come() {
    let mut judge = Judge::new(parse("count(delivered) >= 100 and lost == 0"));
    assert_eq!(judge.state(), Verdict::Pending);
    judge.observe(seconds(1.0), &Figures::of(&[("count(delivered)", 5.0), ("lost", 0.0)]), false);
    assert_eq!((judge.state(), judge.broke_at()), (Verdict::Pending, None));
    judge.observe(seconds(2.0), &Figures::of(&[("count(delivered)", 100.0), ("lost", 0.0)]), false);
    assert_eq!(judge.state(), Verdict::Met);
    judge.observe(seconds(3.0), &Figures::of(&[("count(delivered)", 100.0), ("lost", 1.0)]), false);
    assert_eq!((judge.state(), judge.broke_at()), (Verdict::Missed, Some(seconds(3.0))));
    judge.observe(seconds(4.0), &Figures::of(&[("count(delivered)", 120.0), ("lost", 2.0)]), true);
    assert_eq!((judge.state(), judge.broke_at()), (Verdict::Missed, Some(seconds(3.0))));
    assert_eq!(judge.figure_text(), "120; 2");
    let never = judged("count(delivered) >= 100", &[(1.0, Some(1.0)), (9.0, Some(2.0))]);
    assert_eq!((never.state(), never.broke_at()), (Verdict::Missed, Some(seconds(9.0))));
}

#[test]
fn at_end_looks_once() {
    let judge = judged("in_flight == 0 at end", &[(1.0, Some(70.0)), (2.0, Some(0.0))]);
    assert_eq!((judge.state(), judge.figure_text().as_str()), (Verdict::Met, "0"));
    let judge = judged("in_flight == 0 at end", &[(1.0, Some(0.0)), (2.0, Some(3.0))]);
    assert_eq!((judge.state(), judge.broke_at()), (Verdict::Missed, Some(seconds(2.0))));
}

#[test]
fn guarantees_and_logic() {
    let text = "guarantee(\"b\", exactly_once)";
    assert_eq!(judged(text, &[(1.0, Some(1.0))]).figure_text(), "holds");
    let broken = judged(text, &[(1.0, Some(1.0)), (2.0, Some(0.0)), (3.0, Some(0.0))]);
    assert_eq!((broken.state(), broken.broke_at(), broken.figure_text().as_str()), (Verdict::Missed, Some(seconds(2.0)), "does not hold"));
    let mut either = Judge::new(parse("lost == 0 or duplicates == 0"));
    either.observe(seconds(1.0), &Figures::of(&[("lost", 1.0)]), true);
    assert_eq!(either.state(), Verdict::Missed, "one side was never observed, the other fails");
    let mut either = Judge::new(parse("lost == 0 or not duplicates > 0"));
    either.observe(seconds(1.0), &Figures::of(&[("duplicates", 0.0)]), true);
    assert_eq!(either.state(), Verdict::Met);
}

#[test]
fn a_division_by_nothing_is_no_observation() {
    let mut judge = Judge::new(parse("count(rejected) / count(produced) < 5%"));
    judge.observe(seconds(1.0), &Figures::of(&[("count(rejected)", 0.0), ("count(produced)", 0.0)]), false);
    assert_eq!(judge.state(), Verdict::Pending);
    judge.observe(seconds(2.0), &Figures::of(&[("count(rejected)", 1.0), ("count(produced)", 100.0)]), true);
    assert_eq!((judge.state(), judge.figure_text().as_str()), (Verdict::Met, "1%"));
}

/// Conditions that type-check, as text.
fn conditions() -> impl Strategy<Value = String> {
    let counts = prop_oneof![
        Just("lost".to_owned()),
        Just("count(produced, \"web\")".to_owned()),
        Just("lag(\"a \\\"b\\\\\")".to_owned()),
        Just("obligations.in_flight".to_owned()),
        (0u32..10_000).prop_map(|n| n.to_string()),
        (0u32..100).prop_map(|n| format!("{n}%")),
    ];
    let counts = counts.prop_recursive(3, 12, 2, |inner| {
        (inner.clone(), prop_oneof![Just("+"), Just("-")], inner).prop_map(|(a, sign, b)| format!("(-{a} {sign} 2 * ({b} / 3))"))
    });
    let leaf = prop_oneof![
        (counts, prop_oneof![Just("<"), Just(">="), Just("=="), Just("!=")]).prop_map(|(a, sign)| format!("{a} {sign} lost * 1")),
        Just("p99(latency) <= 200.5 ms".to_owned()),
        Just("guarantee(\"x\", at_most_once)".to_owned()),
    ];
    leaf.prop_recursive(3, 12, 2, |inner| {
        (inner.clone(), prop_oneof![Just("and"), Just("or")], inner, any::<bool>())
            .prop_map(|(a, join, b, not)| format!("{}({a}) {join} ({b})", if not { "not " } else { "" }))
    })
}

proptest! {
    #[test]
    fn parsing_never_panics(text in "\\PC{0,60}") {
        drop(Expectation::parse(&text));
    }
    #[test]
    fn parsing_never_panics_on_its_own_words(words in proptest::collection::vec(
        prop::sample::select(vec!["p99", "lost", "lag", "(", ")", "latency", ",", "\"b\"", "<", "==", "-", "+", "*", "/", "not", "and", "or",
            "5", "200ms", "80%", "3/s", "after", "for", "at", "end", ".", "submissions", "accepted", "guarantee", "exactly_once", "'", "\\"]), 0..25)) {
        let text = words.join(" ");
        match Expectation::parse(&text) {
            Ok(read) => prop_assert_eq!(parse(&read.to_string()).to_string(), read.to_string()),
            Err(error) => prop_assert!((1..=text.chars().count() + 1).contains(&error.at)),
        }
    }
    #[test]
    fn what_is_written_reads_back(text in conditions(), after in proptest::option::of(0u64..100_000), lasting in proptest::option::of(0u64..100_000)) {
        let suffix = |word: &str, ms: Option<u64>| ms.map(|ms| format!(" {word} {ms}ms")).unwrap_or_default();
        let text = format!("{text}{}{}", suffix("for", lasting), suffix("after", after));
        if let Ok(read) = Expectation::parse(&text) {
            let again = parse(&read.to_string());
            prop_assert_eq!(again.to_string(), read.to_string());
            prop_assert_eq!(again.figures(), read.figures());
        }
    }
    #[test]
    fn a_verdict_is_final_at_the_end(values in proptest::collection::vec(proptest::option::of(0u32..20), 1..20), instant in any::<bool>()) {
        let text = if instant { "lag(\"b\") < 10" } else { "mean(wait) < 10s" };
        let series: Vec<(f64, Option<f64>)> = values.iter().enumerate().map(|(at, value)| (at as f64, value.map(f64::from))).collect();
        let judge = judged(text, &series);
        let met = if instant {
            values.iter().any(Option::is_some) && values.iter().flatten().all(|value| *value < 10)
        } else {
            values.last().copied().flatten().is_some_and(|value| value < 10)
        };
        prop_assert_eq!(judge.state(), if met { Verdict::Met } else { Verdict::Missed });
    }
}

//! Topics that outlive their run: `--data DIR` as a run uses it.

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use eventyard::adapters::log_store::load::KeptFrom;
use eventyard::adapters::log_store::look::{What, logs, records_of};
use eventyard::adapters::log_store::{DataDir, SyncPolicy};
use eventyard::compile::{RunOptions, compile};
use eventyard::export::report_json;
use eventyard::machines::broker::batch::events;
use eventyard::metrics::{Report, Wall};
use eventyard::model::Project;
use eventyard::project::load_file;
use eventyard::run::{run_headless, run_with_store};
use eventyard::units::SimDuration;

fn sample(name: &str) -> Project {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("projects").join(name).with_extension("ron");
    load_file(&path).expect("the sample is there").project
}

fn options(scenario: Option<&str>, seconds: u64) -> RunOptions {
    RunOptions { scenario: scenario.map(str::to_owned), length: Some(SimDuration::from_secs(seconds)), ..RunOptions::default() }
}

fn run(project: &Project, options: &RunOptions, folder: &Path, from: KeptFrom) -> Report {
    run_and_count(project, options, folder, from).0
}

/// The report, and how many events of earlier runs stood in each topic at its beginning.
fn run_and_count(project: &Project, options: &RunOptions, folder: &Path, from: KeptFrom) -> (Report, BTreeMap<String, u64>) {
    let mut plan = compile(project, options).expect("it is sound");
    let mut data = DataDir::open_and_load(folder, SyncPolicy::End, from, &mut plan).expect("the folder can be used");
    let mut kept = BTreeMap::new();
    for log in plan.kept.iter() {
        let name = plan.topics[log.topic.index()].name.to_string();
        *kept.entry(name).or_default() += log.batches.iter().map(|stored| events(&stored.batch).len() as u64).sum::<u64>();
    }
    (run_with_store(plan, Some(&mut data), &mut |_| ControlFlow::Continue(())).expect("it runs"), kept)
}

fn bytes(mut report: Report) -> String {
    report.wall = Wall::default();
    report_json(&report)
}

/// Every file below a folder but the lock, with its contents.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).expect("it is there") {
            let path = entry.expect("it is there").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                all.push((path.strip_prefix(folder).expect("it is below").to_owned(), fs::read(&path).expect("it is there")));
            }
        }
    }
    all.sort();
    all
}

#[test]
fn a_run_is_the_same_with_and_without_a_folder_and_so_is_the_folder() {
    for (name, seconds) in
        [("order-flow", 12), ("exactly-once", 40), ("compacted-state", 40), ("acks-and-loss", 40), ("sqs-visibility", 10)]
    {
        let (project, options) = (sample(name), options(None, seconds));
        let plain = run_headless(compile(&project, &options).expect("it is sound"), &mut |_| ControlFlow::Continue(())).expect("it runs");
        let (one, other) = (tempfile::tempdir().expect("there is room"), tempfile::tempdir().expect("there is room"));
        assert_eq!(bytes(plain), bytes(run(&project, &options, one.path(), KeptFrom::Earliest)), "{name}");
        run(&project, &options, other.path(), KeptFrom::Earliest);
        assert_eq!(files(one.path()), files(other.path()), "{name}");
        // And so is the next one.
        let again = bytes(run(&project, &options, one.path(), KeptFrom::Earliest));
        assert_eq!(again, bytes(run(&project, &options, other.path(), KeptFrom::Earliest)), "{name}");
    }
}

#[test]
fn the_next_run_begins_with_what_was_left_and_the_ledger_balances() {
    for (name, scenario) in [("order-flow", None), ("exactly-once", None), ("compacted-state", None), ("acks-and-loss", None)] {
        let project = sample(name);
        let folder = tempfile::tempdir().expect("there is room");
        run(&project, &options(scenario, 40), folder.path(), KeptFrom::Earliest);
        let before = logs(folder.path()).expect("something was kept");
        assert!(before.iter().all(|log| log.damage.is_empty()), "{name}: {before:?}");
        let left: u64 = before.iter().map(|log| log.records).sum();
        assert!(left > 100, "{name} keeps {left} records");

        let (second, kept) = run_and_count(&project, &options(scenario, 40), folder.path(), KeptFrom::Earliest);
        assert!(second.ledger.balanced, "{name}: {:#?}", second.ledger);
        // Only what belongs to a transaction without an end is left out.
        let all: u64 = kept.values().sum();
        assert!(all <= left && all * 10 >= left * 9, "{name}: {all} of {left} records begin the second run");
        let mut paths = second.ledger.paths.iter().filter(|path| path.producer == "earlier runs");
        assert!(paths.clone().count() > 0, "{name}: groups read what was kept");
        assert!(paths.all(|path| path.obligations.created == kept[&path.topic]), "{name}: {kept:?}");
        let after = logs(folder.path()).expect("something was kept");
        for (before, after) in before.iter().zip(&after) {
            assert!(after.log_end >= before.log_end, "{name}: offsets go on: {before:?} {after:?}");
        }
    }
}

#[test]
fn a_log_is_replayed_from_an_offset_or_a_time() {
    let project = sample("order-flow");
    let folder = tempfile::tempdir().expect("there is room");
    run(&project, &options(None, 20), folder.path(), KeptFrom::Earliest);
    let kept = |from: KeptFrom| -> u64 {
        let copy = tempfile::tempdir().expect("there is room");
        copy_all(folder.path(), copy.path());
        let mut plan = compile(&project, &options(None, 1)).expect("it is sound");
        DataDir::open_and_load(copy.path(), SyncPolicy::End, from, &mut plan).expect("the folder can be used");
        plan.kept.iter().flat_map(|log| &log.batches).map(|stored| u64::from(stored.batch.record_count)).sum()
    };
    let seen = |from: KeptFrom| {
        let topics = ["orders", "payments"];
        topics.iter().filter_map(|topic| records_of(folder.path(), topic, from, usize::MAX).ok()).map(|all| all.len() as u64).sum::<u64>()
    };
    let all: u64 = logs(folder.path()).expect("something was kept").iter().map(|log| log.records).sum();
    assert_eq!(kept(KeptFrom::Earliest), all);
    assert_eq!(kept(KeptFrom::Latest), 0);
    for from in [KeptFrom::Offset(17), KeptFrom::Time(SimDuration::from_secs(10)), KeptFrom::Time(SimDuration::from_secs(1_000))] {
        let some = kept(from);
        assert!(some < all);
        assert_eq!(some, seen(from), "{from:?}: a run and a person see the same");
    }
    let late = records_of(folder.path(), "orders", KeptFrom::Time(SimDuration::from_secs(10)), 5).expect("there are orders");
    assert!(
        late.iter().all(|record| record.time_s >= 10.0 && matches!(&record.what, What::Event { value, .. } if value.is_object())),
        "{late:#?}"
    );
}

fn copy_all(from: &Path, to: &Path) {
    for (path, bytes) in files(from) {
        let file = to.join(path);
        fs::create_dir_all(file.parent().expect("it is below a folder")).expect("there is room");
        fs::write(file, bytes).expect("there is room");
    }
}

#[test]
fn what_cannot_be_used_is_refused_in_words() {
    let project = sample("order-flow");
    let folder = tempfile::tempdir().expect("there is room");
    let mut plan = compile(&project, &options(None, 1)).expect("it is sound");
    let open = DataDir::open_and_load(folder.path(), SyncPolicy::End, KeptFrom::Earliest, &mut plan).expect("it is empty");
    let again = DataDir::open_and_load(folder.path(), SyncPolicy::End, KeptFrom::Earliest, &mut plan);
    let words = again.err().map(|error| error.words).unwrap_or_default();
    assert!(words.contains("another run writes"), "{words}");
    drop(open);
    let (cluster, topic) =
        plan.topics.first().map(|topic| (plan.components[topic.cluster.index()].id.clone(), topic)).expect("there is one");
    let beyond = folder.path().join(format!("{cluster}/{}-{}", topic.name, topic.partitions));
    fs::create_dir_all(&beyond).expect("there is room");
    let more = DataDir::open_and_load(folder.path(), SyncPolicy::End, KeptFrom::Earliest, &mut plan);
    let words = more.err().map(|error| error.words).unwrap_or_default();
    assert!(words.contains("more partitions"), "{words}");
    assert!(logs(&folder.path().join("nowhere")).is_err());
    let none = records_of(folder.path(), "ordres", KeptFrom::Earliest, 5).err().map(|error| error.words).unwrap_or_default();
    assert!(none.contains("did you mean"), "{none}");
}

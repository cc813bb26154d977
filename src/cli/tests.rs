use clap::{CommandFactory, Parser};

use super::args::{Cli, Command};
use super::set;
use crate::model::Value;
use crate::project;

#[test]
fn the_command_line_is_well_formed() {
    Cli::command().debug_assert();
}

#[test]
fn options_of_run_are_read() {
    let cli = Cli::try_parse_from(["eventyard", "run", "a.ron", "--for", "5min", "--warm-up", "auto", "--set", "a.b=c", "--set", "d.e=f"]);
    let Some(Command::Run(args)) = cli.expect("these are options of run").command else { panic!("this is run") };
    assert_eq!((args.set.len(), args.repeats), (2, 1));
    for wrong in [["--for", "5"], ["--for", "0s"], ["--repeats", "0"], ["--warm-up", "soon"], ["--seed", "-1"]] {
        assert!(Cli::try_parse_from(["eventyard", "run", "a.ron", wrong[0], wrong[1]]).is_err(), "{wrong:?}");
    }
}

fn read(texts: &[&str]) -> Result<Vec<set::Override>, String> {
    let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
    set::read(&project::starter().project, None, &texts)
}

#[test]
fn overrides_name_parameters_product_keys_and_rows() {
    let read = read(&["billing.instances=4", "web.linger.ms=7ms", "shop.topics.orders.partitions=12", "shop.topics.payments.partitions=8"]);
    let read = read.expect("each of them names something");
    assert_eq!(read[0], ("billing".to_owned(), "instances".to_owned(), Value::Int(4)));
    assert_eq!(read[1], ("web".to_owned(), "linger".to_owned(), Value::Text("7ms".to_owned())));
    let topics = read[3].2.as_map().expect("topics are a table");
    let partitions = |topic: &str| topics[topic].as_map().map(|row| row["partitions"].clone());
    assert_eq!([partitions("orders"), partitions("payments")], [Some(Value::Int(12)), Some(Value::Int(8))], "the second keeps the first");
}

#[test]
fn wrong_overrides_say_the_nearest_name_all_at_once() {
    let words = read(&["bilig.instances=4", "billing.instance=4", "billing.instances=many", "shop.topics.order.partitions=3", "x"]);
    let words = words.expect_err("each of them is wrong");
    for expected in ["did you mean `billing`?", "did you mean `instances`?", "did you mean `orders`?", "COMPONENT.PARAM=VALUE"] {
        assert!(words.contains(expected), "{expected} in:\n{words}");
    }
    assert_eq!(words.lines().count(), 5, "{words}");
}

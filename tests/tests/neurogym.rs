//! The lines of Python in docs/data.md turn tasks of NeuroGym into data sets.

use rate2spike::formats::task::parse;
use rate2spike::random::Stream;
use rate2spike::task::description::Goal;
use rate2spike_tests::emulator::repository;
use rate2spike_tests::python;

/// The only block of Python in docs/data.md.
fn block() -> String {
    let page = repository().join("docs/data.md");
    let page = std::fs::read_to_string(page).expect("the page");
    let (_, block) = page.split_once("```python\n").expect("a block");
    let (block, _) = block.split_once("```").expect("its end");
    block.into()
}

#[test]
fn the_lines_of_the_page_make_data_sets_of_three_tasks_of_neurogym() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, channels, classes) in [
        ("PerceptualDecisionMaking-v0", 3, 3),
        ("ContextDecisionMaking-v0", 5, 3),
        ("DelayMatchSample-v0", 3, 3),
    ] {
        let path = folder.path().join("decision.npz");
        let path = path.to_str().expect("UTF-8");
        let script = block()
            .replace("PerceptualDecisionMaking-v0", name)
            .replace("decision.npz", path)
            .replace("range(1000)", "range(60)");
        if python(&["-c", &script], "neurogym").is_none() {
            return;
        }
        let task = parse(path).unwrap_or_else(|error| panic!("{name}: {error}"));
        let description = &task.recorded().expect("a data set").description;
        assert_eq!(description.goal, Goal::Label, "{name}");
        assert_eq!(description.channels.len(), channels, "{name}");
        assert_eq!(description.outputs, classes, "{name}");
        assert_eq!((task.sample_ms(), description.hold), (10.0, 2));
        assert_eq!(description.parts.iter().sum::<usize>(), 60);
        // Each trial ends with a decision, which is not the class of the pause.
        let count = task.trials().expect("a data set") as u64;
        for index in 0..count {
            let trial = task.draw(1, Stream::Spiking, index);
            assert!(trial.label > 0, "{name}: trial {index}");
        }
    }
}
